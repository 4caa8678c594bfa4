"""Looking at results: accepting, correcting, learning from what was corrected, exporting."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (its own usual name)

from Testing.PCLSegmentation.conftest import SHAPE, TERMINOLOGY


@pytest.fixture
def predicted(ready, slicer):
    """The panel after a click on Segment, with its volume and the segmentation."""
    volume = slicer.util.getNode("scan")
    return ready, volume, ready.segment(volume)


def test_before_there_is_a_result_nothing_can_be_reviewed(ready, slicer):
    ready.show(slicer.util.getNode("scan"))
    for button in (ready.ui.acceptButton, ready.ui.correctButton, ready.ui.markButton, ready.ui.exportButton):
        assert not button.enabled
    assert ready.ui.reviewLabel.text == "scan: Not annotated"


def test_an_accepted_result_is_reviewed_and_left_alone(predicted, slicer):
    page, volume, node = predicted
    page.bench.click(page.ui.acceptButton)
    assert page.states() == {"scan": "Reviewed"}
    assert not page.ui.acceptButton.enabled
    assert not page.ui.segmentAllButton.enabled
    page.segment(volume)
    assert slicer.mrmlScene.IsNodePresent(node), "an accepted result stays"


def test_a_corrected_result_becomes_an_annotation_that_is_learned_from(predicted, slicer):
    page, volume, node = predicted
    page.bench.click(page.ui.correctButton)
    editor = page.panel.editor.widget
    assert editor.segmentationNode() is node
    assert editor.sourceVolumeNode() is volume
    corrected = np.zeros(SHAPE, np.uint8)
    corrected[2:5, 8:20, 8:20] = 1
    editor.saveStateForUndo()
    segment = node.GetSegmentation().GetNthSegmentID(0)
    slicer.util.updateSegmentBinaryLabelmapFromArray(corrected, node, segment, volume)
    page.bench.wait_until(lambda: page.states() == {"scan": "Predicted, changed by hand"})
    page.bench.click(page.ui.markButton)
    assert page.states() == {"scan": "Annotated"}
    assert page.checked("scan")
    assert [case.name for case in page.panel.desk.to_learn_from] == ["scan"]
    assert page.ui.finetuneButton.enabled
    page.segment(volume)
    from PCLLib.segment_nodes import mask_of

    assert np.array_equal(mask_of(node, segment, volume), corrected > 0)


def test_an_earlier_annotation_is_kept_when_a_corrected_result_takes_its_place(ready, slicer, drawn):
    volume = slicer.util.getNode("scan")
    earlier = drawn(volume, slice(0, 2))
    ready.bench.wait_until(lambda: ready.states() == {"scan": "Partly annotated (2 of 8 slices)"})
    node = ready.segment(volume)
    ready.bench.click(ready.ui.markButton)
    assert slicer.mrmlScene.IsNodePresent(earlier)
    assert ready.states() == {"scan": 'Annotated\nKept, hidden: "scan drawn".'}
    from PCLLib.segment_roles import annotation_of

    assert annotation_of(volume) is node


@pytest.mark.parametrize("name", ["mine.nrrd", "mine.nii.gz"])
def test_a_result_is_exported_as_a_label_file_on_the_grid_of_its_volume(predicted, tmp_path, slicer, name):
    page, volume, node = predicted
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


def test_an_export_that_cannot_be_written_is_told(predicted, tmp_path):
    page, _volume, _node = predicted
    page.bench.answer_file(tmp_path / "mine.png")
    page.bench.click(page.ui.exportButton)
    page.bench.wait_until(lambda: "its name does not end in" in page.message)


def test_a_result_is_ready_for_dicom_segmentation_objects(predicted, slicer):
    _page, volume, node = predicted
    assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is volume
    assert node.GetSegmentation().GetSourceRepresentationName() == "Binary labelmap"
    import vtk

    tag = vtk.mutable("")
    segment = node.GetSegmentation().GetNthSegment(0)
    assert segment.GetTag(segment.GetTerminologyEntryTagName(), tag)
    assert str(tag) == TERMINOLOGY


def test_states_are_saved_with_the_scene(predicted, slicer, tmp_path):
    page, _volume, _node = predicted
    page.bench.click(page.ui.acceptButton)
    scene = tmp_path / "scene.mrb"
    assert slicer.util.saveScene(str(scene))
    page.bench.close_scene()
    assert page.rows() == []
    slicer.util.loadScene(str(scene))
    page.wait_for_cases(1)
    assert page.states() == {"scan": "Reviewed"}
    assert page.session.segmenting.model is not None


def correct(slicer, node, volume) -> np.ndarray:
    """Corrects a segmentation as a person would, and returns what it holds then."""
    corrected = np.zeros(SHAPE, np.uint8)
    corrected[1:2, 5:7, 5:7] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(corrected, node, node.GetSegmentation().GetNthSegmentID(0), volume)
    return corrected


def export(page, path) -> np.ndarray:
    """Clicks Export and returns what was written."""
    page.bench.answer_file(path)
    page.bench.click(page.ui.exportButton)
    page.bench.wait_until(path.is_file)
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path)))


def test_what_was_accepted_is_exported_although_a_newer_prediction_is_there(predicted, slicer, tmp_path):
    page, volume, node = predicted
    corrected = correct(slicer, node, volume)
    page.bench.wait_until(lambda: page.states() == {"scan": "Predicted, changed by hand"})
    page.bench.click(page.ui.acceptButton)
    page.segment(volume)
    assert page.states()["scan"].startswith("Reviewed\nA newer prediction is there")
    assert np.array_equal(export(page, tmp_path / "mine.nrrd") > 0, corrected > 0)
    assert f'It is the accepted segmentation "{node.GetName()}".' in page.message


def test_a_whole_annotation_is_exported_although_a_prediction_is_there(ready, slicer, drawn, tmp_path):
    volume = slicer.util.getNode("scan")
    drawn(volume, names=("tumour",))
    ready.bench.wait_until(lambda: ready.states() == {"scan": "Annotated"})
    ready.segment(volume)
    assert "A prediction is there, too" in ready.states()["scan"]
    assert np.count_nonzero(export(ready, tmp_path / "mine.nrrd")) == SHAPE[0] * 12 * 12
    assert 'It is the annotation "scan drawn".' in ready.message


def test_a_prediction_is_exported_before_the_few_slices_that_were_drawn(ready, slicer, drawn, tmp_path):
    volume = slicer.util.getNode("scan")
    drawn(volume, slice(0, 1))
    ready.bench.wait_until(lambda: ready.states()["scan"].startswith("Partly"))
    node = ready.segment(volume)
    assert export(ready, tmp_path / "mine.nrrd")[3:].any()
    assert f'It is the prediction "{node.GetName()}", which nobody has accepted.' in ready.message


def test_structures_drawn_in_two_segmentations_are_exported_together(page, slicer, new_volume, drawn, tmp_path):
    volume = new_volume("one", 1)
    drawn(volume, slice(0, 4), names=("LV",))
    drawn(volume, slice(4, 8), names=("RV",)).SetName("right")
    page.bench.wait_until(lambda: page.rows() and page.states()["one"].startswith("Annotated"))
    page.show(volume)
    written = export(page, tmp_path / "mine.nrrd")
    assert [set(np.unique(part)) for part in (written[:4], written[4:])] == [{0, 1}, {0, 2}]
    assert 'It is the annotation "right" and "one drawn".' in page.message
    assert len(slicer.util.getNodesByClass("vtkMRMLSegmentationNode")) == 2


def test_accepting_is_one_step_to_undo(predicted):
    page, _volume, _node = predicted
    page.bench.click(page.ui.acceptButton)
    page.bench.click(page.ui.undoButton)
    assert page.states() == {"scan": "Predicted"}
    assert page.ui.acceptButton.enabled


def test_marking_says_what_it_puts_aside_and_is_one_step_to_undo(ready, slicer, drawn):
    volume = slicer.util.getNode("scan")
    mine = drawn(volume, slice(2, 4))
    ready.bench.wait_until(lambda: ready.states()["scan"].startswith("Partly"))
    node = ready.segment(volume)
    ready.bench.click(ready.ui.markButton)
    assert 'Kept, hidden: "scan drawn".' in ready.message
    assert ready.states()["scan"].startswith("Annotated")
    ready.bench.click(ready.ui.undoButton)
    assert ready.states() == {"scan": "Partly annotated (2 of 8 slices)"}
    assert mine.GetDisplayNode().GetVisibility()
    assert ready.panel.segment.result is node


def test_an_annotation_that_gave_way_takes_its_place_again(ready, slicer, drawn):
    volume = slicer.util.getNode("scan")
    mine = drawn(volume, slice(2, 4))
    ready.bench.wait_until(lambda: ready.states()["scan"].startswith("Partly"))
    node = ready.segment(volume)
    ready.bench.click(ready.ui.markButton)
    ready.bench.click(ready.ui.keptButton)
    assert ready.states()["scan"].startswith("Partly annotated (2 of 8 slices)")
    from PCLLib.segment_roles import annotations_of

    assert annotations_of(volume) == [mine]
    assert ready.ui.keptComboBox.currentText == f"{node.GetName()} (annotation, kept)"


def test_one_of_several_annotations_is_put_aside(page, slicer, new_volume, drawn):
    volume = new_volume("one", 1)
    drawn(volume, slice(0, 4), names=("LV",))
    other = drawn(volume, names=("helper",))
    page.bench.wait_until(lambda: page.rows() and page.states()["one"].startswith("Annotated"))
    page.show(volume)
    assert page.ui.keptButton.text == "Put aside"
    page.bench.click(page.ui.keptButton)
    from PCLLib.segment_roles import Role, role_of

    assert role_of(other) is Role.ASIDE
    assert page.states()["one"].startswith("Partly annotated (4 of 8 slices)")
    assert page.ui.keptButton.text == "Bring back"
    page.bench.click(page.ui.keptButton)
    assert "learned as one" in page.states()["one"]


@pytest.fixture
def exported(tmp_path):
    """Clicks Export and returns the voxels that are written."""

    def export(page, name="exported.nrrd"):
        page.bench.answer_file(tmp_path / name)
        page.bench.click(page.ui.exportButton)
        page.bench.wait_until((tmp_path / name).is_file)
        return sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / name)))

    return export


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


def test_values_of_segments_are_kept_when_they_are_edited_and_saved(predicted, slicer, tmp_path):
    page, volume, node = predicted
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
