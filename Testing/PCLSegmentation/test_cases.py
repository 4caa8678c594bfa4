"""The table of cases: where they come from, how far each is, and which slices count."""

from __future__ import annotations

import json
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.reading import read_volume
from pcl_core.volumes.writing import write_volume
from Testing.dicom_files import write_dicom
from Testing.PCLSegmentation.conftest import SHAPE, block

GRID = Geometry(SHAPE[::-1], (1.0, 1.0, 4.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))


def labels(value=1, slices=slice(None)) -> np.ndarray:
    drawn = np.zeros(SHAPE, np.uint8)
    drawn[slices, 8:20, 8:20] = value
    return drawn


@pytest.fixture
def folder(tmp_path):
    """Three volumes, the first with a label map beside it."""
    for seed in range(3):
        write_volume(tmp_path / "scans" / f"case{seed}.nrrd", block(seed), GRID)
    write_volume(tmp_path / "scans" / "case0_seg.nrrd", labels(), GRID)
    return tmp_path / "scans"


def add_folder(page, folder):
    page.bench.answer_file(folder)
    page.bench.click(page.ui.addFolderButton)
    page.bench.wait_until(lambda: page.doing == "LOOKING", 20)
    page.wait("IDLE")


def test_an_empty_scene_says_what_to_do(page):
    assert page.rows() == []
    assert "add a folder" in page.ui.tableLabel.text
    for button in (page.ui.annotateButton, page.ui.importButton, page.ui.finetuneButton, page.ui.segmentButton):
        assert not button.enabled
    assert "Annotate a case first" in page.ui.finetuneButton.toolTip
    assert "Fine-tune a model first" in page.ui.segmentButton.toolTip


def test_volumes_of_the_scene_are_cases_with_their_states(page, scans):
    assert page.rows() == [
        ("scan0", "Annotated"),
        ("scan1", "Partly annotated (3 of 8 slices)"),
        ("scan2", "Not annotated"),
        ("scan3", "Not annotated"),
    ]
    assert page.ui.tableLabel.text == "4 cases; 2 with 11 slices to learn from."


def test_what_is_drawn_and_removed_shows_at_once(page, scans, drawn, slicer):
    node = drawn(scans[2], slice(0, 1))
    page.bench.wait_until(lambda: page.states()["scan2"] == "Partly annotated (1 of 8 slices)", 10)
    segment = node.GetSegmentation().GetNthSegmentID(0)
    slicer.util.updateSegmentBinaryLabelmapFromArray(np.ones(SHAPE, np.uint8), node, segment, scans[2])
    page.bench.wait_until(lambda: page.states()["scan2"] == "Annotated", 10)
    slicer.mrmlScene.RemoveNode(node)
    page.bench.wait_until(lambda: page.states()["scan2"] == "Not annotated", 10)
    slicer.mrmlScene.RemoveNode(scans[3])
    page.wait_for_cases(3)


def test_which_slices_count_can_be_changed_a_case(page, scans):
    page.choose("scan1")
    assert page.ui.countingComboBox.currentText == "Drawn slices"
    assert not page.ui.firstSpinBox.visible
    page.bench.choose(page.ui.countingComboBox, "All slices")
    assert page.states()["scan1"] == "Annotated"
    page.bench.choose(page.ui.countingComboBox, "A range of slices")
    assert (page.ui.firstSpinBox.value, page.ui.lastSpinBox.value) == (1, 8)
    page.bench.type_text(page.ui.firstSpinBox, "2")
    page.bench.type_text(page.ui.lastSpinBox, "5")
    assert page.states()["scan1"] == "Partly annotated (4 of 8 slices)"
    page.choose("scan0")
    assert page.ui.countingComboBox.currentText == "Drawn slices"
    page.choose("scan2")
    assert not page.ui.countingComboBox.visible


def test_a_cleared_check_box_keeps_a_case_from_being_learned(page, scans):
    page.check("scan1", False)
    assert page.ui.tableLabel.text == "4 cases; 1 with 8 slices to learn from."
    page.check("scan0", False)
    assert not page.ui.finetuneButton.enabled
    page.check("scan0", True)
    assert page.ui.finetuneButton.enabled


def test_a_cleared_check_box_stays_cleared_while_the_annotation_is_away(page, scans, slicer):
    from PCLLib.segment_roles import annotation_of

    page.check("scan1", False)
    annotation = annotation_of(scans[1])
    slicer.mrmlScene.RemoveNode(annotation)
    page.bench.wait_until(lambda: page.states()["scan1"] == "Not annotated", 10)
    page.check("scan0", False)
    page.check("scan0", True)
    slicer.mrmlScene.AddNode(annotation)
    page.bench.wait_until(lambda: page.states()["scan1"] != "Not annotated", 10)
    assert page.checked("scan0")
    assert not page.checked("scan1")


def test_a_cleared_check_box_stays_with_its_volume_when_scenes_are_joined(page, slicer, tmp_path, new_volume, drawn):
    for number, name in enumerate(("a", "b")):
        drawn(new_volume(name, number))
    page.bench.wait_until(lambda: page.states() == {"a": "Annotated", "b": "Annotated"}, 10)
    page.check("b", False)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    page.bench.close_scene()
    for number, name in enumerate(("c", "d")):
        drawn(new_volume(name, number))
    page.wait_for_cases(2)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"), properties={"clear": False})
    page.bench.wait_until(lambda: list(page.states().values()) == ["Annotated"] * 4, 10)
    assert {name: page.checked(name) for name in "abcd"} == {"a": True, "b": False, "c": True, "d": True}


def test_a_cleared_check_box_of_a_file_stays_cleared_when_it_is_loaded(page, folder):
    add_folder(page, folder)
    page.check("case0", False)
    page.ui.caseTable.cellDoubleClicked(0, 0)
    assert page.states()["case0"] == "Annotated"
    assert not page.checked("case0")
    assert page.panel.desk.to_learn_from == ()


def test_classes_are_those_of_the_first_annotated_case_and_matched_by_name(page, scans, drawn):
    drawn(scans[2], names=("BLOCK ", "tumour"))
    page.bench.wait_until(lambda: page.states()["scan2"] == "Annotated", 10)
    (one,) = page.panel.desk.classes
    assert (one.value, one.name) == (1, "block")
    assert one.color == pytest.approx((0.9, 0.3, 0.0))
    assert "Not learned, since no class is called so: tumour." in page.ui.caseTable.item(2, 1).toolTip()


def test_a_new_name_becomes_a_class_on_request(page, scans, drawn):
    assert not page.ui.classesButton.visible
    drawn(scans[2], names=("block", "tumour"))
    page.bench.wait_until(lambda: page.ui.classesButton.visible, 10)
    assert page.ui.classesButton.text == "New class: tumour"
    page.bench.click(page.ui.classesButton)
    assert [(one.value, one.name) for one in page.panel.desk.classes] == [(1, "block"), (2, "tumour")]
    assert not page.ui.classesButton.visible
    assert "Not learned" not in page.ui.caseTable.item(2, 1).toolTip()


def test_a_folder_adds_its_volumes_with_the_labels_beside_them(page, folder):
    add_folder(page, folder)
    assert page.rows() == [("case0", "Annotated"), ("case1", "Not annotated"), ("case2", "Not annotated")]
    assert page.parameters.folders == [str(folder)]
    page.bench.click(page.ui.removeFolderButton)
    assert page.rows() == []


def test_a_case_of_a_folder_is_loaded_with_its_labels_by_a_double_click(page, folder, slicer):
    add_folder(page, folder)
    assert slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") == []
    page.ui.caseTable.cellDoubleClicked(0, 0)
    (node,) = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    assert page.rows()[0] == ("case0", "Annotated")
    from PCLLib.segment_nodes import mask_of
    from PCLLib.segment_roles import annotation_of

    annotation = annotation_of(node)
    # Slicer may turn slices round on loading, in which this volume is the same.
    assert np.array_equal(mask_of(annotation, annotation.GetSegmentation().GetNthSegmentID(0), node), labels() > 0)
    assert page.panel.desk.volume is node
    page.ui.caseTable.cellDoubleClicked(0, 0)
    assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == 1


def voxels_of_case(page, slicer, name):
    """Loads a case by a double click on its row and returns its voxels."""
    row = [one for one, _state in page.rows()].index(name)
    page.ui.caseTable.cellDoubleClicked(row, 0)
    assert page.message == ""
    return slicer.util.arrayFromVolume(page.panel.desk.volume)


def test_each_dicom_series_of_a_folder_is_a_case_of_its_own(page, tmp_path, slicer):
    folder = tmp_path / "scans"
    write_dicom(folder, block(1), series="1.2.3", prefix="a", _0008103e="T1")
    write_dicom(folder, block(2), series="1.2.4", prefix="b", _0008103e="T2")
    add_folder(page, folder)
    names = sorted(name for name, _state in page.rows())
    assert names == ["scans_T1", "scans_T2"]
    assert np.array_equal(voxels_of_case(page, slicer, "scans_T2"), block(2))
    assert sorted(name for name, _state in page.rows()) == names, "loading one must not hide the other"
    assert np.array_equal(voxels_of_case(page, slicer, "scans_T1"), block(1))
    assert np.array_equal(voxels_of_case(page, slicer, "scans_T2"), block(2))
    assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == 2


def test_a_dicom_series_lies_in_the_scene_where_it_lies_in_the_patient(page, tmp_path, slicer):
    from PCLLib.volume_nodes import geometry_of

    turned = np.array([[1.0, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]])
    write_dicom(tmp_path / "scans", block(1), direction=turned)
    add_folder(page, tmp_path / "scans")
    assert np.array_equal(voxels_of_case(page, slicer, page.rows()[0][0]), block(1))
    (source,) = find_volumes(tmp_path / "scans").sources
    assert geometry_of(page.panel.desk.volume).differs_from(source.geometry, 1e-5) == ""


def test_each_frame_of_a_file_is_a_case_of_its_own(page, tmp_path, slicer):
    (tmp_path / "scans").mkdir()
    frames = np.stack([block(seed) for seed in range(3)])
    nib.save(nib.Nifti1Image(frames.T, np.diag([1.0, 1.0, 4.0, 1.0])), tmp_path / "scans" / "cine.nii.gz")
    add_folder(page, tmp_path / "scans")
    assert len(page.rows()) == 3
    names = [name for name, _state in page.rows()]
    for frame in (2, 0, 1):
        assert np.array_equal(voxels_of_case(page, slicer, names[frame]), block(frame))
    assert len(page.rows()) == 3


def cine(path, volumes):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(np.stack(volumes).T, np.diag([1.0, 1.0, 4.0, 1.0])), path)
    return path


def training_set(page, tmp_path):
    """What a fine-tuning is given: label maps by case, classes by value, and the slices that count."""
    from PCLLib.training_set import write_training_set

    folder = tmp_path / "training set"
    folder.mkdir()
    found = write_training_set(folder, page.panel.desk.to_learn_from, page.panel.desk.classes, "auto")
    maps = {found.names[path.stem]: read_volume(find_volumes(path).sources[0]).voxels for path in (folder / "labels").iterdir()}
    classes = {entry["value"]: entry["name"] for entry in json.loads((folder / "classes.json").read_text())}
    slices = json.loads((folder / "annotated_slices.json").read_text())
    return maps, classes, {found.names[name]: numbers for name, numbers in slices.items()}


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
    page.bench.wait_until(lambda: page.states()[name] == "Annotated" or page.message != "", 20)
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
    page.bench.wait_until(lambda: "holds the labels of 2 frames; which belong to this volume is not known" in page.message, 20)


def two_labels(first=1, second=2):
    drawn = labels(first)
    drawn[:, 14:20] = np.where(drawn[:, 14:20] > 0, second, 0)
    return drawn


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
    page.bench.wait_until(lambda: page.states().get("mine") == "Annotated", 10)
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
    page.bench.wait_until(lambda: page.states().get("mine") == "Annotated", 10)
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
    page.bench.wait_until(lambda: page.states().get("mine") == "Annotated", 10)
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


def test_a_bad_file_of_a_folder_is_told(page, folder):
    (folder / "broken.nrrd").write_bytes(b"nothing")
    add_folder(page, folder)
    assert len(page.rows()) == 3
    assert "1 file of the folder cannot be used" in page.message
    assert "broken.nrrd" in page.ui.logTextEdit.toPlainText()


def test_a_folder_without_volumes_is_told(page, tmp_path):
    (tmp_path / "empty").mkdir()
    add_folder(page, tmp_path / "empty")
    assert "There are no volumes" in page.message
    assert page.rows() == []


@pytest.mark.parametrize("name", ["mine.nrrd", "mine.nii.gz", "mine_label.mha"])
def test_a_label_file_becomes_the_annotation_of_the_chosen_case(page, scans, tmp_path, name, slicer):
    volume = scans[2]
    from PCLLib.volume_nodes import geometry_of

    drawn = labels(1, slice(0, 4))
    write_volume(tmp_path / name, drawn, geometry_of(volume))
    page.choose("scan2")
    page.bench.answer_file(tmp_path / name)
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: page.states()["scan2"] == "Annotated", 20)
    from PCLLib.segment_nodes import mask_of, segments_of
    from PCLLib.segment_roles import annotation_of

    (segment,) = segments_of(annotation_of(volume))
    assert segment.name == "block"
    assert np.array_equal(mask_of(annotation_of(volume), segment.id, volume), drawn > 0)


def test_a_label_that_is_no_class_is_told(page, scans, tmp_path):
    from PCLLib.volume_nodes import geometry_of

    write_volume(tmp_path / "mine.nrrd", labels(3), geometry_of(scans[2]))
    page.choose("scan2")
    page.bench.answer_file(tmp_path / "mine.nrrd")
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: "class 3 will not be learned: the classes are block." in page.message, 20)
    assert page.states()["scan2"] == 'Drawn, but no class is called "class 3"'


def test_a_segmentation_file_of_slicer_keeps_its_names(page, scans, tmp_path, slicer, drawn):
    node = drawn(scans[3], slice(1, 3), names=("block",))
    assert slicer.util.saveNode(node, str(tmp_path / "mine.seg.nrrd"))
    slicer.mrmlScene.RemoveNode(node)
    page.bench.wait_until(lambda: page.states()["scan3"] == "Not annotated", 10)
    page.choose("scan3")
    page.bench.answer_file(tmp_path / "mine.seg.nrrd")
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: page.states()["scan3"] == "Annotated", 20)
    page.bench.choose(page.ui.countingComboBox, "Drawn slices")
    assert page.states()["scan3"] == "Partly annotated (2 of 8 slices)"


def segmentation_file(folder):
    """A DICOM file that is named as one; what reads it is not of this extension."""
    (write_dicom(folder, block(0)[:1], _00080060="SEG") / "image001.dcm").rename(folder / "seg.dcm")
    write_dicom(folder, block(0)[:2], series="1.2.4")  # of other series in the same folder nothing is wanted
    return folder / "seg.dcm"


def test_a_clone_of_a_loaded_case_is_a_case_of_its_own(page, folder, slicer, drawn):
    add_folder(page, folder)
    page.ui.caseTable.cellDoubleClicked(1, 0)
    volume = page.panel.desk.volume
    clone = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, volume, "case1 filtered")
    clone.CreateDefaultDisplayNodes()
    page.wait_for_cases(4)
    drawn(clone, slice(2, 4))
    page.bench.wait_until(lambda: page.states()["case1 filtered"] == "Partly annotated (2 of 8 slices)", 10)
    assert page.states()["case1"] == "Not annotated"
    assert len({case.key for case in page.panel.desk.cases}) == 4
    from PCLLib.scene_volumes import node_of

    assert [node_of(page.panel.desk.case_of(one)) for one in (volume, clone)] == [volume, clone]
    slicer.mrmlScene.RemoveNode(volume)
    page.bench.wait_until(lambda: page.rows()[-2:] == [("case1", "Not annotated"), ("case2", "Not annotated")], 10)
    assert page.states()["case1 filtered"] == "Partly annotated (2 of 8 slices)", "the clone is not the file"


def test_dicom_segmentation_objects_need_an_extension_which_is_named(page, scans, tmp_path):
    page.choose("scan2")
    page.bench.answer_file(segmentation_file(tmp_path / "dicom"))
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: "Install the extension QuantitativeReporting to read DICOM SEG" in page.message, 20)
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
    page.bench.wait_until(lambda: page.states()["scan2"] == "Annotated", 20)
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
    page.bench.wait_until(lambda: f"Slicer could not read {path} as DICOM SEG" in page.message, 20)
    assert page.states()["scan2"] == "Not annotated"


def test_voxels_that_are_not_annotated_make_the_drawn_slices_count(page, scans, tmp_path):
    from PCLLib.volume_nodes import geometry_of

    partly = np.full(SHAPE, 255, np.uint8)
    partly[3:5] = labels()[3:5]
    write_volume(tmp_path / "mine.nrrd", partly, geometry_of(scans[2]))
    page.choose("scan2")
    page.bench.answer_file(tmp_path / "mine.nrrd")
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: page.states()["scan2"] == "Partly annotated (2 of 8 slices)", 20)


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
    page.bench.wait_until(lambda: said in page.message, 20)
    assert page.states()["scan2"] == "Not annotated"


def test_annotate_opens_the_segment_editor_with_the_classes(page, scans, slicer):
    page.choose("scan3")
    page.bench.click(page.ui.annotateButton)
    editor = page.panel.editor.widget
    assert not page.ui.annotateSection.collapsed
    assert editor.sourceVolumeNode() is scans[3]
    from PCLLib.segment_nodes import segments_of

    assert [segment.name for segment in segments_of(editor.segmentationNode())] == ["block"]
    (segment,) = segments_of(editor.segmentationNode())
    slicer.util.updateSegmentBinaryLabelmapFromArray(labels(1, slice(2, 4)), editor.segmentationNode(), segment.id, scans[3])
    page.bench.wait_until(lambda: page.states()["scan3"] == "Partly annotated (2 of 8 slices)", 10)


def test_cancelling_the_look_at_a_second_folder_keeps_the_first_and_adding_it_again_looks_again(page, tmp_path):
    for name in "ab":
        for seed in range(2):
            write_volume(tmp_path / name / f"{name}{seed}.nrrd", block(seed), GRID)
    add_folder(page, tmp_path / "a")
    page.bench.answer_file(tmp_path / "b")
    page.bench.click(page.ui.addFolderButton)
    page.bench.wait_until(lambda: page.doing == "LOOKING", 20)
    page.bench.click(page.ui.cancelButton)
    page.wait("IDLE")
    assert list(page.states()) == ["a0", "a1"]
    add_folder(page, tmp_path / "b")
    assert list(page.states()) == ["a0", "a1", "b0", "b1"]
    assert page.parameters.folders == [str(tmp_path / "a"), str(tmp_path / "b")]


def test_only_a_new_folder_is_looked_at_and_a_known_one_when_it_is_added_again(page, tmp_path):
    for name in "ab":
        write_volume(tmp_path / name / f"{name}0.nrrd", block(0), GRID)
    add_folder(page, tmp_path / "a")
    write_volume(tmp_path / "a" / "a1.nrrd", block(1), GRID)
    add_folder(page, tmp_path / "b")
    assert list(page.states()) == ["a0", "b0"]
    add_folder(page, tmp_path / "a")
    assert list(page.states()) == ["a0", "a1", "b0"]


def test_while_a_person_draws_nothing_is_read_and_what_was_drawn_last_is_learned_all_the_same(page, scans, slicer, tmp_path):
    from PCLLib.segment_nodes import oriented_image
    from PCLLib.segment_roles import annotation_of
    from PCLLib.volume_nodes import geometry_of

    logic = slicer.vtkSlicerSegmentationsModuleLogic
    page.small(tmp_path / "models")
    page.bench.wait_until(lambda: not page.panel._watch.waiting and "estimate" not in page.session.jobs, 60)
    node = annotation_of(scans[1])
    for end in range(6, 9):  # one stroke after another
        begin = time.monotonic()
        image = oriented_image(labels(1, slice(2, end)), geometry_of(scans[1]))
        assert logic.SetBinaryLabelmapToSegment(image, node, "block", logic.MODE_REPLACE)
        page.bench.wait_until(lambda begin=begin: time.monotonic() > begin + 0.8, 5)
        if time.monotonic() - begin > 1.8:
            pytest.skip("the machine is too busy to draw as fast as a person")
    assert page.states()["scan1"] == "Partly annotated (3 of 8 slices)"
    page.panel.finetune._pause.stop()
    page.bench.click(page.ui.finetuneButton)
    assert page.states()["scan1"] == "Partly annotated (6 of 8 slices)"
    page.wait("TRAINING")
    page.bench.click(page.ui.cancelButton)
    page.wait("IDLE")


@pytest.mark.parametrize("extent", [None, (3, 17, 6, 20, 1, 5)])
def test_a_segment_on_the_grid_of_its_volume_is_read_as_slicer_exports_it(scans, slicer, extent):
    from PCLLib.segment_nodes import labels_of, mask_of
    from PCLLib.segment_roles import annotation_of

    node = annotation_of(scans[1])
    if extent is not None:  # Slicer keeps no more of a label map than is drawn
        image = node.GetSegmentation().GetSegment("block").GetRepresentation("Binary labelmap")
        cut = slicer.vtkOrientedImageData()
        assert slicer.vtkOrientedImageDataResample.CopyImage(image, cut, extent)
        image.DeepCopy(cut)
    exported = np.asarray(slicer.util.arrayFromSegmentBinaryLabelmap(node, "block", scans[1])) > 0
    assert exported.any()
    assert np.array_equal(mask_of(node, "block", scans[1]), exported)
    found, overlapping = labels_of(node, scans[1], {"block": 5})
    assert np.array_equal(found, 5 * exported)
    assert overlapping == 0


def test_a_segment_of_another_grid_is_resampled_as_before(scans, slicer, new_volume):
    from PCLLib.segment_nodes import mask_of
    from PCLLib.segment_roles import annotation_of

    other = new_volume("finer", 5, (8, 64, 64))
    other.SetSpacing(0.5, 0.5, 4.0)
    node = annotation_of(scans[0])
    exported = np.asarray(slicer.util.arrayFromSegmentBinaryLabelmap(node, "block", other)) > 0
    assert exported.sum() > 2 * 8 * 12 * 12
    assert np.array_equal(mask_of(node, "block", other), exported)


def test_segments_that_share_a_label_map_and_overlap_others_are_told_apart(scans, slicer):
    from PCLLib.segment_nodes import labels_of, mask_of, segments_of

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "several")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(scans[2])
    for number in range(3):  # the first two lie apart, the third over the second
        mask = np.zeros(SHAPE, np.uint8)
        mask[1:4, 2 + 10 * min(number, 1) : 8 + 10 * min(number, 1) + number, 3:9] = 1
        segment = node.GetSegmentation().AddEmptySegment("", f"c{number}", [1, 0, 0])
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment, scans[2])
    node.GetSegmentation().CollapseBinaryLabelmaps(False)
    exported = {}
    for one in segments_of(node):
        exported[one.id] = np.asarray(slicer.util.arrayFromSegmentBinaryLabelmap(node, one.id, scans[2])) > 0
        assert np.array_equal(mask_of(node, one.id, scans[2]), exported[one.id])
    values = {name: number for number, name in enumerate(exported, 1)}
    found, overlapping = labels_of(node, scans[2], values)
    layers = list(exported.values())
    assert overlapping == (layers[1] & layers[2]).sum() > 0
    assert [(found == number).sum() for number in (1, 3)] == [layers[0].sum(), layers[2].sum()]


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
    page.bench.wait_until(lambda: page.states()["scan3"] == "Not annotated", 10)
    import_segmentation(page, "scan3", tmp_path / "mine.seg.nrrd")
    page.bench.wait_until(lambda: page.states()["scan3"] == "Annotated", 20)
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
    page.bench.wait_until(lambda: "far" not in page.states(), 10)
    import_segmentation(page, "scan3", tmp_path / "far.seg.nrrd")
    page.bench.wait_until(lambda: "far.seg.nrrd lies elsewhere in the patient than the volume" in page.message, 20)
    assert page.states()["scan3"] == "Not annotated"
    assert len(slicer.util.getNodesByClass("vtkMRMLSegmentationNode")) == 2
