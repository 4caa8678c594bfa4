"""What is written as label files: on which grid, which of several segmentations, which values, under which name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (its own usual name)

from Testing.PCLSegmentation.conftest import SHAPE, TERMINOLOGY
from Testing.PCLSegmentation.results import change


@pytest.fixture
def exported(tmp_path) -> Callable[..., np.ndarray]:
    """Clicks Export and returns the voxels that are written."""

    def export(page, name="exported.nrrd"):
        page.bench.answer_file(tmp_path / name)
        page.bench.click(page.ui.exportButton)
        page.bench.wait_until((tmp_path / name).is_file)
        return sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / name)))

    return export


@pytest.mark.parametrize("name", ["mine.nrrd", "mine.nii.gz"])
def test_a_result_is_exported_as_a_label_file_on_the_grid_of_its_volume(segmented, tmp_path, slicer, name):
    page, volume, node = segmented
    page.bench.answer_file(tmp_path / name)
    page.bench.click(page.ui.exportButton)
    page.bench.wait_until((tmp_path / name).is_file)
    assert f"Written: {tmp_path / name}" in page.message
    from PCLLib.segment_nodes import mask_of
    from PCLLib.volume_nodes import geometry_of

    image = sitk.ReadImage(str(tmp_path / name))
    segment = node.GetSegmentation().GetNthSegmentID(0)
    assert np.array_equal(sitk.GetArrayFromImage(image) > 0, mask_of(node, segment, volume))
    grid = geometry_of(volume)
    assert np.allclose(image.GetOrigin(), grid.origin)
    assert np.allclose(image.GetDirection(), grid.direction)
    assert np.allclose(image.GetSpacing(), grid.spacing)


def test_an_export_that_cannot_be_written_is_told(segmented, tmp_path):
    page, _volume, _node = segmented
    page.bench.answer_file(tmp_path / "mine.png")
    page.bench.click(page.ui.exportButton)
    page.bench.wait_until(lambda: "its name does not end in" in page.message)


def test_a_result_is_ready_for_dicom_segmentation_objects(segmented, slicer):
    _page, volume, node = segmented
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is volume
    assert node.GetSegmentation().GetSourceRepresentationName() == "Binary labelmap"
    import vtk

    tag = vtk.mutable("")
    segment = node.GetSegmentation().GetNthSegment(0)
    assert segment.GetTag(segment.GetTerminologyEntryTagName(), tag)
    assert str(tag) == TERMINOLOGY


def test_what_was_accepted_is_exported_although_a_newer_prediction_is_there(segmented, slicer, exported):
    page, volume, node = segmented
    corrected = change(slicer, node, volume)
    page.bench.wait_until(lambda: page.states() == {"scan": "Predicted, changed by hand"})
    page.bench.click(page.ui.acceptButton)
    page.segment(volume)
    assert page.states()["scan"].startswith("Reviewed\nA newer prediction is there")
    assert np.array_equal(exported(page) > 0, corrected > 0)
    assert f'It is the accepted segmentation "{node.GetName()}".' in page.message


def test_a_whole_annotation_is_exported_although_a_prediction_is_there(ready, slicer, drawn, exported):
    volume = slicer.util.getNode("scan")
    drawn(volume, names=("tumour",))
    ready.bench.wait_until(lambda: ready.states() == {"scan": "Annotated"})
    ready.segment(volume)
    assert "A prediction is there, too" in ready.states()["scan"]
    assert np.count_nonzero(exported(ready)) == SHAPE[0] * 12 * 12
    assert 'It is the annotation "scan drawn".' in ready.message


def test_a_prediction_is_exported_before_the_few_slices_that_were_drawn(ready, slicer, drawn, exported):
    volume = slicer.util.getNode("scan")
    drawn(volume, slice(0, 1))
    ready.bench.wait_until(lambda: ready.states()["scan"].startswith("Partly"))
    node = ready.segment(volume)
    assert exported(ready)[3:].any()
    assert f'It is the prediction "{node.GetName()}", which nobody has accepted.' in ready.message


def test_structures_drawn_in_two_segmentations_are_exported_together(page, slicer, new_volume, drawn, exported):
    volume = new_volume("one", 1)
    drawn(volume, slice(0, 4), names=("LV",))
    drawn(volume, slice(4, 8), names=("RV",)).SetName("right")
    page.bench.wait_until(lambda: page.rows() and page.states()["one"].startswith("Annotated"))
    page.show(volume)
    written = exported(page)
    assert [set(np.unique(part)) for part in (written[:4], written[4:])] == [{0, 1}, {0, 2}]
    assert 'It is the annotation "right" and "one drawn".' in page.message
    assert len(slicer.util.getNodesByClass("vtkMRMLSegmentationNode")) == 2


@pytest.mark.parametrize("renamed", [False, True], ids=["as it was", "renamed"])
def test_exported_values_are_those_of_the_model_that_segmented(ready, slicer, new_volume, drawn, exported, renamed):
    drawn(new_volume("first annotated", 1), names=("tumour", "block"))
    ready.bench.wait_until(lambda: ready.states().get("first annotated") == "Annotated")
    node = ready.segment(slicer.util.getNode("scan"))
    assert [entry.name for entry in ready.panel.desk.classes] == ["tumour", "block"], "the list has other values"
    if renamed:
        node.GetSegmentation().GetNthSegment(0).SetName("heart")
    assert set(np.unique(exported(ready))) == {0, 1}
    assert f"In it 1 is {'heart' if renamed else 'block'}." in ready.message


def test_a_segmentation_of_an_earlier_version_is_exported_by_its_model(ready, slicer, new_volume, drawn, exported):
    drawn(new_volume("first annotated", 1), names=("tumour", "block"))
    ready.bench.wait_until(lambda: ready.states().get("first annotated") == "Annotated")
    node = ready.segment(slicer.util.getNode("scan"))
    node.GetSegmentation().GetNthSegment(0).RemoveTag("PCL.Value")
    assert set(np.unique(exported(ready))) == {0, 1}


def test_values_of_segments_are_kept_when_they_are_edited_and_saved(segmented, slicer, tmp_path):
    page, volume, node = segmented
    from PCLLib.segment_nodes import classes_in

    corrected = np.zeros(SHAPE, np.uint8)
    corrected[2:5] = 1
    node.GetSegmentation().AddEmptySegment("", "more")
    slicer.util.updateSegmentBinaryLabelmapFromArray(corrected, node, "Segment_1", volume)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    page.bench.close_scene()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    (again,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    assert [(entry.value, entry.name) for entry in classes_in(again)] == [(1, "block")]


def test_segments_of_one_name_are_exported_and_learned_as_one_class(page, scans, slicer, exported):
    from PCLLib.case_book import labels_and_slices
    from PCLLib.segment_classes import SegmentClass

    volume = scans[2]
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "two")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    drawn = np.zeros((2, *SHAPE), np.uint8)
    drawn[0, :, 4:10, 4:10] = drawn[1, :, 8:16, 4:10] = 1
    for mask, name in zip(drawn, ("block", "Block "), strict=True):
        segment = node.GetSegmentation().AddEmptySegment("", name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment, volume)
    page.bench.wait_until(lambda: page.states()["scan2"] == "Annotated")
    page.show(volume)
    assert np.array_equal(exported(page), drawn.max(axis=0))
    assert "In it 1 is block." in page.message
    labels, _slices = labels_and_slices(volume, [SegmentClass(1, "block", (1, 0, 0))], "auto")
    assert np.array_equal(labels, drawn.max(axis=0))
    row = [name for name, _state in page.rows()].index("scan2")
    assert "overlap" not in page.ui.caseTable.item(row, 1).toolTip()


def test_slices_that_do_not_count_are_exported_as_not_annotated_and_come_back_so(page, scans, exported, tmp_path):
    page.show(scans[1])
    voxels = exported(page)
    assert (voxels[:2] == 255).all()
    assert (voxels[5:] == 255).all()
    assert set(np.unique(voxels[2:5])) == {0, 1}
    assert "In it 1 is block, 255 is not annotated (5 slices)." in page.message
    page.choose("scan2")
    page.bench.answer_file(tmp_path / "exported.nrrd")
    page.bench.click(page.ui.importButton)
    page.bench.wait_until(lambda: page.states()["scan2"] == "Partly annotated (3 of 8 slices)")
    page.show(scans[0])
    assert set(np.unique(exported(page, "whole.nrrd"))) == {0, 1}, "all slices of it are drawn"


def test_not_annotated_goes_with_label_values_above_it(scans, slicer, tmp_path):
    from PCLLib.export import export_labels
    from PCLLib.segment_classes import SegmentClass
    from PCLLib.segment_roles import annotation_of

    export_labels(annotation_of(scans[1]), scans[1], [SegmentClass(420, "block", (1, 0, 0))], tmp_path / "large.nrrd")
    voxels = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "large.nrrd")))
    assert set(np.unique(voxels[2:5])) == {0, 420}
    assert (voxels[5:] == 255).all()


@pytest.mark.parametrize(
    ("name", "proposed"),
    [
        ("ärzte/1, T1", "ärzte_1, T1_seg.nrrd"),
        ('a\\b:c*d?"e<f>|', "a_b_c_d_e_f__seg.nrrd"),
        ("..", "volume_seg.nrrd"),
        ("心" * 200, "心" * 60 + "_seg.nrrd"),
    ],
)
def test_the_proposed_name_is_one_that_every_file_system_takes(name, proposed, bench):
    from PCLLib.export import default_name

    assert default_name(name) == proposed


def test_export_proposes_a_file_in_the_folder_that_is_open(page, scans, tmp_path):
    scans[0].SetName("brain/1, T1")
    page.show(scans[0])
    seen = []

    def look(dialog):
        seen.append((dialog.selectedFiles()[0], dialog.defaultSuffix))
        dialog.reject()

    page.bench.answer(look)
    page.bench.click(page.ui.exportButton)
    page.bench.wait_until(lambda: seen)
    (path, suffix) = seen[0]
    assert path.endswith("/brain_1, T1_seg.nrrd")
    assert suffix == "nrrd"
