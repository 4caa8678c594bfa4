"""Label files, segmentations and DICOM SEG become annotations, or are refused in words."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.writing import write_volume
from Testing.dicom_files import write_dicom
from Testing.PCLSegmentation.conftest import SHAPE, block
from Testing.PCLSegmentation.folders import GRID, add_folder, cine, labels, training_set, two_labels


def test_each_frame_of_a_file_has_the_labels_of_its_own_frame(page, tmp_path):
    own = [np.roll(labels(), 6 * frame, axis=1) for frame in range(3)]
    cine(tmp_path / "scans" / "cine.nii.gz", [block(seed) for seed in range(3)])
    cine(tmp_path / "scans" / "cine_seg.nii.gz", own)
    add_folder(page, tmp_path / "scans")
    names = [name for name, _state in page.rows()]
    page.ui.caseTable.cellDoubleClicked(1, 0)
    from PCLLib.segment_nodes import mask_of, segments_of
    from PCLLib.segment_roles import annotation_of

    volume = page.panel.desk.volume
    (segment,) = segments_of(annotation_of(volume))
    assert np.array_equal(mask_of(annotation_of(volume), segment.id, volume), own[1] > 0)
    maps, _classes, _slices = training_set(page, tmp_path)
    for frame, name in enumerate(names):
        assert np.array_equal(maps[name], own[frame])


@pytest.mark.parametrize(("frames", "said"), [(3, ""), (2, "holds the labels of 2 frames, but")], ids=["as many", "fewer"])
def test_a_label_file_of_frames_belongs_to_a_file_of_as_many_frames(page, tmp_path, frames, said):
    own = [np.roll(labels(), 6 * frame, axis=1) for frame in range(frames)]
    cine(tmp_path / "scans" / "cine.nii.gz", [block(seed) for seed in range(3)])
    add_folder(page, tmp_path / "scans")
    name = page.rows()[1][0]
    page.choose(name)
    page.bench.answer_file(cine(tmp_path / "mine.nii.gz", own))
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: page.states()[name] == "Annotated" or page.message != "")
    assert said in page.message
    assert bool(page.message) is bool(said)
    if not said:
        from PCLLib.segment_nodes import mask_of
        from PCLLib.segment_roles import annotation_of

        volume = page.panel.desk.volume
        assert np.array_equal(mask_of(annotation_of(volume), "Segment_1", volume), own[1] > 0)


def test_labels_of_frames_for_a_volume_of_the_scene_are_refused_in_words(page, scans, tmp_path):
    page.choose("scan2")
    page.bench.answer_file(cine(tmp_path / "mine.nii.gz", [labels(), labels()]))
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: "holds the labels of 2 frames; which belong to this volume is not known" in page.message)


def decathlon(folder, names):
    """A case in the folders of the Decathlon, whose values 1 and 2 have names."""
    write_volume(folder / "imagesTr" / "case0.nii.gz", block(0), GRID)
    write_volume(folder / "labelsTr" / "case0.nii.gz", two_labels(), GRID)
    values = {"background": 0, **{name: value for value, name in enumerate(names, 1)}}
    (folder / "dataset.json").write_text(json.dumps({"labels": values, "channel_names": {"0": "CT"}, "file_ending": ".nii.gz"}))
    return folder


@pytest.mark.parametrize("opened", [False, True], ids=["not loaded", "opened"])
def test_labels_with_names_are_the_classes_of_these_names_whatever_their_values(page, new_volume, drawn, tmp_path, opened):
    drawn(new_volume("mine", 5), names=("liver", "spleen"))
    add_folder(page, decathlon(tmp_path / "scans", ("spleen", "liver")))
    page.bench.wait_until(lambda: page.states().get("mine") == "Annotated")
    if opened:
        page.ui.caseTable.cellDoubleClicked([name for name, _state in page.rows()].index("case0"), 0)
    maps, classes, _slices = training_set(page, tmp_path)
    assert classes == {1: "liver", 2: "spleen"}
    assert np.array_equal(maps["case0"], two_labels(2, 1))


def test_a_label_file_of_slicer_is_learned_by_the_names_of_its_segments(page, new_volume, drawn, tmp_path, slicer):
    folder = tmp_path / "scans"
    write_volume(folder / "case0.nrrd", block(0), GRID)
    volume = slicer.util.loadVolume(str(folder / "case0.nrrd"))
    assert slicer.util.saveNode(drawn(volume, slice(1, 3), names=("spleen",)), str(folder / "case0.seg.nrrd"))
    page.bench.close_scene()
    page.parameters = page.widget.logic.getParameterNode()
    drawn(new_volume("mine", 5), names=("liver", "spleen"))
    add_folder(page, folder)
    page.bench.wait_until(lambda: page.states().get("mine") == "Annotated")
    maps, classes, _slices = training_set(page, tmp_path)
    assert classes == {1: "liver", 2: "spleen"}
    assert np.array_equal(maps["case0"], labels(2, slice(1, 3)))


@pytest.mark.parametrize("kind", ["values", "names", "segments"])
def test_labels_that_are_no_class_stop_a_training_with_their_file(page, new_volume, drawn, tmp_path, slicer, kind):
    folder = tmp_path / "scans"
    if kind == "names":
        decathlon(folder, ("LV", "aorta"))
        said = ("case0.nii.gz", "none of the classes LV: 2 (aorta).")
    else:
        write_volume(folder / "case0.nrrd", block(0), GRID)
    if kind == "values":
        write_volume(folder / "case0_seg.nrrd", two_labels(), GRID)
        said = ("case0_seg.nrrd", "none of the classes LV: 2.")
    if kind == "segments":
        volume = slicer.util.loadVolume(str(folder / "case0.nrrd"))
        node = drawn(volume, names=("aorta",))
        node.GetSegmentation().AddEmptySegment("", "nothing")
        assert slicer.util.saveNode(node, str(folder / "case0.seg.nrrd"))
        page.bench.close_scene()
        page.parameters = page.widget.logic.getParameterNode()
        said = ("case0.seg.nrrd", "none of the classes LV: 1 (aorta).")
    drawn(new_volume("mine", 5), names=("LV",))
    add_folder(page, folder)
    page.bench.wait_until(lambda: page.states().get("mine") == "Annotated")
    page.small(tmp_path / "models")
    page.bench.click(page.ui.finetuneButton)
    page.wait("IDLE")
    assert all(part in page.message for part in said), page.message
    assert "nothing" not in page.message
    assert page.session.result is None


def test_values_without_names_stay_the_same_classes_when_a_case_is_opened(page, tmp_path):
    folder = tmp_path / "scans"
    for seed, drawn in enumerate((two_labels(1, 4), two_labels(4, 1), two_labels(1, 2))):
        write_volume(folder / f"case{seed}.nrrd", block(seed), GRID)
        write_volume(folder / f"case{seed}_seg.nrrd", drawn, GRID)
    add_folder(page, folder)
    page.ui.caseTable.cellDoubleClicked(0, 0)
    page.check("case2", False)
    assert [(one.value, one.name) for one in page.panel.desk.classes] == [(1, "class 1"), (4, "class 4")]
    maps, _classes, _slices = training_set(page, tmp_path)
    assert np.array_equal(maps["case0"], two_labels(1, 4))
    assert np.array_equal(maps["case1"], two_labels(4, 1))
    page.check("case2", True)
    page.small(tmp_path / "models")
    page.bench.click(page.ui.finetuneButton)
    page.wait("IDLE")
    assert "case2_seg.nrrd has labels that are none of the classes class 1, class 4: 2." in page.message


@pytest.mark.parametrize("name", ["mine.nrrd", "mine.nii.gz", "mine_label.mha"])
def test_a_label_file_becomes_the_annotation_of_the_chosen_case(page, scans, tmp_path, name, slicer):
    volume = scans[2]
    from PCLLib.volume_nodes import geometry_of

    drawn = labels(1, slice(0, 4))
    write_volume(tmp_path / name, drawn, geometry_of(volume))
    page.choose("scan2")
    page.bench.answer_file(tmp_path / name)
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: page.states()["scan2"] == "Annotated")
    from PCLLib.segment_nodes import mask_of, segments_of
    from PCLLib.segment_roles import annotation_of

    (segment,) = segments_of(annotation_of(volume))
    assert segment.name == "block"
    assert np.array_equal(mask_of(annotation_of(volume), segment.id, volume), drawn > 0)


def test_a_mask_that_is_white_on_black_is_a_label_of_one_class(page, scans, tmp_path, slicer):
    """Most programs write masks as 0 and 255; elsewhere 255 is what nobody has annotated."""
    from PCLLib.segment_nodes import mask_of, segments_of
    from PCLLib.segment_roles import annotation_of
    from PCLLib.volume_nodes import geometry_of

    write_volume(tmp_path / "mask.nrrd", labels(255, slice(1, 6)), geometry_of(scans[2]))
    page.choose("scan2")
    page.bench.answer_file(tmp_path / "mask.nrrd")
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: page.states()["scan2"] == "Annotated")
    (segment,) = segments_of(annotation_of(scans[2]))
    assert segment.name == "block"
    assert np.array_equal(mask_of(annotation_of(scans[2]), segment.id, scans[2]), labels(1, slice(1, 6)) > 0)


def test_masks_of_a_folder_are_learned_from_without_opening_a_case(page, tmp_path):
    for seed in range(2):
        write_volume(tmp_path / "scans" / f"case{seed}.nrrd", block(seed), GRID)
        write_volume(tmp_path / "scans" / f"case{seed}_seg.nrrd", labels(255), GRID)
    add_folder(page, tmp_path / "scans")
    page.finetune(tmp_path / "models")
    assert page.message == ""
    assert [(one.value, one.name) for one in page.panel.desk.classes] == [(1, "class 1")]


def test_slices_of_nothing_but_255_are_no_mask(page, scans, tmp_path):
    from PCLLib.volume_nodes import geometry_of

    nothing = np.zeros(SHAPE, np.uint8)
    nothing[3:] = 255
    write_volume(tmp_path / "nothing.nrrd", nothing, geometry_of(scans[2]))
    page.choose("scan2")
    page.bench.answer_file(tmp_path / "nothing.nrrd")
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: "is empty" in page.message)
    assert page.states()["scan2"] == "Not annotated"


def test_a_label_that_is_no_class_is_told(page, scans, tmp_path):
    from PCLLib.volume_nodes import geometry_of

    write_volume(tmp_path / "mine.nrrd", labels(3), geometry_of(scans[2]))
    page.choose("scan2")
    page.bench.answer_file(tmp_path / "mine.nrrd")
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: "class 3 will not be learned: the classes are block." in page.message)
    assert page.states()["scan2"] == 'Drawn, but no class is called "class 3"'


def test_a_segmentation_file_of_slicer_keeps_its_names(page, scans, tmp_path, slicer, drawn):
    node = drawn(scans[3], slice(1, 3), names=("block",))
    assert slicer.util.saveNode(node, str(tmp_path / "mine.seg.nrrd"))
    slicer.mrmlScene.RemoveNode(node)
    page.bench.wait_until(lambda: page.states()["scan3"] == "Not annotated")
    page.choose("scan3")
    page.bench.answer_file(tmp_path / "mine.seg.nrrd")
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: page.states()["scan3"] == "Annotated")
    page.bench.choose(page.ui.countingComboBox, "Drawn slices")
    assert page.states()["scan3"] == "Partly annotated (2 of 8 slices)"


def segmentation_file(folder):
    """A DICOM file that is named as one; what reads it is not of this extension."""
    (write_dicom(folder, block(0)[:1], _00080060="SEG") / "image001.dcm").rename(folder / "seg.dcm")
    write_dicom(folder, block(0)[:2], series="1.2.4")  # of other series in the same folder nothing is wanted
    return folder / "seg.dcm"


def test_dicom_segmentation_objects_need_an_extension_which_is_named(page, scans, tmp_path):
    page.choose("scan2")
    page.bench.answer_file(segmentation_file(tmp_path / "dicom"))
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: "Install the extension QuantitativeReporting to read DICOM SEG" in page.message)
    assert page.states()["scan2"] == "Not annotated"


def test_a_dicom_segmentation_object_is_read_by_the_extension_that_can(page, scans, tmp_path, slicer, drawn, monkeypatch):
    path = segmentation_file(tmp_path / "dicom")

    before = slicer.dicomDatabase

    class DICOMSegmentationPlugin:
        """Plays the plugin of QuantitativeReporting, which cannot be had outside Slicer: its two calls, and what they make.

        Like that one it reads nothing but the database, and takes the file from there.
        """

        def examineFiles(self, files):  # noqa: N802 (Slicer's own name)
            database = slicer.dicomDatabase
            known = [name for name in files if database.fileValue(name, "0008,0060") == "SEG"]
            return [database.fileValue(name, "0008,0018") for name in known]

        def load(self, loadable):
            file = Path(slicer.dicomDatabase.fileForInstance(loadable))
            assert file.read_bytes() == path.read_bytes()
            return drawn(scans[3], slice(2, 5), names=("block",)) is not None

    monkeypatch.setattr(slicer.modules, "dicomPlugins", {"DICOMSegmentationPlugin": DICOMSegmentationPlugin}, raising=False)
    page.choose("scan2")
    page.bench.answer_file(path)
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: page.states()["scan2"] == "Annotated")
    page.bench.choose(page.ui.countingComboBox, "Drawn slices")
    assert page.states()["scan2"] == "Partly annotated (3 of 8 slices)"
    assert slicer.dicomDatabase is before, "the database of the person has nothing of it"
    assert before.patients() == []


def test_dicom_that_is_no_segmentation_is_refused(page, scans, tmp_path, slicer, monkeypatch):
    class DICOMSegmentationPlugin:
        def examineFiles(self, files):  # noqa: N802 (Slicer's own name)
            return [name for name in files if slicer.dicomDatabase.fileValue(name, "0008,0060") == "SEG"]

    monkeypatch.setattr(slicer.modules, "dicomPlugins", {"DICOMSegmentationPlugin": DICOMSegmentationPlugin}, raising=False)
    page.choose("scan2")
    path = write_dicom(tmp_path / "dicom", block(0)[:1]) / "image001.dcm"
    page.bench.answer_file(path)
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: f"Slicer could not read {path} as DICOM SEG" in page.message)
    assert page.states()["scan2"] == "Not annotated"


def test_voxels_that_are_not_annotated_make_the_drawn_slices_count(page, scans, tmp_path):
    from PCLLib.volume_nodes import geometry_of

    partly = np.full(SHAPE, 255, np.uint8)
    partly[3:5] = labels()[3:5]
    write_volume(tmp_path / "mine.nrrd", partly, geometry_of(scans[2]))
    page.choose("scan2")
    page.bench.answer_file(tmp_path / "mine.nrrd")
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: page.states()["scan2"] == "Partly annotated (2 of 8 slices)")


@pytest.mark.parametrize(
    ("voxels", "origin", "said"),
    [
        (np.zeros(SHAPE, np.uint8), 0.0, "is empty"),
        (block(0), 0.0, "labels go from 0 to 254"),
        (labels(), 5000.0, "lies elsewhere in the patient"),
    ],
    ids=["empty", "an image", "elsewhere"],
)
def test_labels_that_cannot_be_used_are_refused_in_words(page, scans, tmp_path, voxels, origin, said):
    moved = Geometry(GRID.size, GRID.spacing, (origin, origin, origin), GRID.direction)
    voxels = voxels if voxels.max() < 250 else voxels + 200
    write_volume(tmp_path / "mine.nrrd", voxels, moved)
    page.choose("scan2")
    page.bench.answer_file(tmp_path / "mine.nrrd")
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: said in page.message)
    assert page.states()["scan2"] == "Not annotated"


def import_segmentation(page, name, path):
    page.choose(name)
    page.bench.answer_file(path)
    page.bench.click(page.ui.importButton)


def test_a_segmentation_file_for_a_volume_under_a_transform_lies_where_it_was_drawn(page, scans, tmp_path, slicer, drawn):
    import vtk

    from PCLLib.segment_nodes import mask_of, segments_of
    from PCLLib.segment_roles import annotation_of

    volume, node = scans[3], drawn(scans[3], slice(1, 3))
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moved")
    matrix = vtk.vtkMatrix4x4()
    matrix.SetElement(0, 3, 10.0)
    transform.SetMatrixTransformToParent(matrix)
    for one in (volume, node):
        one.SetAndObserveTransformNodeID(transform.GetID())
    before = mask_of(node, "block", volume)
    assert slicer.util.saveNode(node, str(tmp_path / "mine.seg.nrrd"))
    slicer.mrmlScene.RemoveNode(node)
    page.bench.wait_until(lambda: page.states()["scan3"] == "Not annotated")
    import_segmentation(page, "scan3", tmp_path / "mine.seg.nrrd")
    page.bench.wait_until(lambda: page.states()["scan3"] == "Annotated")
    again = annotation_of(volume)
    assert again.GetTransformNodeID() == transform.GetID()
    assert np.array_equal(mask_of(again, segments_of(again)[0].id, volume), before)


def test_a_segmentation_file_from_elsewhere_in_the_patient_is_refused_in_words(
    page, scans, tmp_path, slicer, drawn, new_volume
):
    far = new_volume("far", 9)
    far.SetOrigin(500, 500, 500)
    node = drawn(far, slice(1, 3))
    assert slicer.util.saveNode(node, str(tmp_path / "far.seg.nrrd"))
    for one in (node, far):
        slicer.mrmlScene.RemoveNode(one)
    page.bench.wait_until(lambda: "far" not in page.states())
    import_segmentation(page, "scan3", tmp_path / "far.seg.nrrd")
    page.bench.wait_until(lambda: "far.seg.nrrd lies elsewhere in the patient than the volume" in page.message)
    assert page.states()["scan3"] == "Not annotated"
    assert len(slicer.util.getNodesByClass("vtkMRMLSegmentationNode")) == 2
