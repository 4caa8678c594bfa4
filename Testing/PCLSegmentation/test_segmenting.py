"""One click segments the shown volume; what a person drew is never lost."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from pcl_core.volumes.writing import write_volume
from Testing.PCLSegmentation.conftest import SHAPE, TERMINOLOGY, block
from Testing.PCLSegmentation.folders import GRID, add_folder
from Testing.PCLSegmentation.results import change, mask, names, scan


def test_a_click_makes_a_segmentation_with_names_colours_and_terminology(segmented, slicer):
    page, volume, node = segmented
    from PCLLib.segment_nodes import segments_of

    (segment,) = segments_of(node)
    assert (segment.name, segment.terminology) == ("block", TERMINOLOGY)
    assert segment.color == pytest.approx((0.2, 0.6, 0.9))
    truth = np.zeros(SHAPE, bool)
    truth[:, 8:20, 8:20] = True
    found = mask(node, volume)
    assert 2 * (found & truth).sum() / (found.sum() + truth.sum()) > 0.8
    assert page.states() == {"scan": "Predicted"}
    assert page.message == ""


def test_the_overlay_lies_over_its_volume_in_slices_and_in_3d(segmented, slicer):
    page, volume, node = segmented
    display = node.GetDisplayNode()
    assert display.GetVisibility()
    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    assert {one.GetBackgroundVolumeID() for one in composites} == {volume.GetID()}
    page.bench.wait_until(lambda: node.GetSegmentation().ContainsRepresentation("Closed surface"))
    assert display.GetVisibility3D()


def test_opacity_visibility_and_millilitres(segmented, slicer):
    page, volume, node = segmented
    from PCLLib.overlay import is_visible

    page.ui.opacitySliderWidget.value = 0.25
    assert node.GetDisplayNode().GetOpacity2DFill() == pytest.approx(0.25)
    assert page.parameters.opacity == pytest.approx(0.25)
    table = page.ui.classTable
    assert table.item(0, 0).text() == "block"
    millilitres = mask(node, volume).sum() * 4 / 1000
    assert table.item(0, 1).text() == f"{millilitres:.2f} ml"
    segment = node.GetSegmentation().GetNthSegmentID(0)
    import qt

    table.item(0, 0).setCheckState(qt.Qt.Unchecked)
    assert not is_visible(node, segment)
    table.item(0, 0).setCheckState(qt.Qt.Checked)
    assert is_visible(node, segment)


def test_millilitres_are_those_of_the_corrected_segmentation(segmented, slicer):
    page, volume, node = segmented
    corrected = change(slicer, node, volume)
    page.bench.wait_until(lambda: page.states() == {"scan": "Predicted, changed by hand"})
    assert page.ui.classTable.item(0, 1).text() == f"{corrected.sum() * 4 / 1000:.2f} ml"


def test_the_second_click_is_answered_by_the_same_process_and_replaces_the_first_result(segmented, slicer):
    page, volume, node = segmented
    process = page.session.worker.process_id
    again = page.segment(volume)
    assert page.session.worker.process_id == process > 0
    assert again is not node
    assert not slicer.mrmlScene.IsNodePresent(node)
    assert names(slicer) == ["scan segmentation"]


def test_one_click_is_one_step_to_undo(segmented, slicer):
    page, volume, node = segmented
    first = mask(node, volume)
    page.segment(volume)
    page.bench.click(page.ui.undoButton)
    assert page.panel.segment.result is node
    assert np.array_equal(mask(node, volume), first)
    assert not page.ui.undoButton.enabled
    assert page.states() == {"scan": "Predicted"}


def test_undoing_the_first_click_leaves_the_scene_as_it_was(segmented, slicer):
    page, _volume, _node = segmented
    page.bench.click(page.ui.undoButton)
    assert names(slicer) == []
    assert page.states() == {"scan": "Not annotated"}
    assert not page.ui.classTable.visible


def test_an_empty_result_is_said_in_words(ready, slicer, blind_model):
    ready.parameters.model = str(blind_model)
    volume = scan(slicer)
    node = ready.segment(volume)
    assert not mask(node, volume).any()
    assert "Nothing was found in scan: all of it is background." in ready.message
    assert ready.ui.classTable.item(0, 1).text() == "0.00 ml"


def test_a_volume_unlike_the_training_is_warned_about_before_the_click(ready, slicer, new_volume):
    ready.show(scan(slicer))
    assert not ready.ui.unlikeLabel.visible
    other = new_volume("other", 3, (8, 32, 32))
    other.SetSpacing(5.0, 5.0, 12.0)
    slicer.util.updateVolumeFromArray(other, slicer.util.arrayFromVolume(other) * 50 - 9000)
    ready.show(other)
    assert ready.ui.unlikeLabel.visible
    said = ready.ui.unlikeLabel.text
    assert "Its pixels are 5 mm apart, those of the training 1 mm." in said
    assert "Its slices are 160 mm wide" in said
    assert "another kind of scan?" in said
    assert ready.ui.segmentButton.enabled
    label = ready.ui.unlikeLabel._raw
    ready.bench.wait_until(lambda: label.height() >= label.heightForWidth(label.width()))  # no line is cut off


def test_what_is_no_case_cannot_be_segmented_and_the_reason_is_told(ready, slicer):
    rgb = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "rgb")
    slicer.util.updateVolumeFromArray(rgb, np.zeros((4, 8, 8, 3), np.uint8))
    rgb.CreateDefaultDisplayNodes()
    ready.bench.click(ready.ui.confidenceCheckBox)
    ready.segment(scan(slicer))
    for node, said in (
        (rgb, "rgb has several numbers a voxel"),
        (slicer.util.getNode("scan confidence"), "is a map of confidence"),
    ):
        ready.ui.volumeComboBox.setCurrentNode(node)
        assert ready.panel.desk.volume is node
        assert not ready.ui.segmentButton.enabled
        assert said in ready.ui.segmentButton.toolTip
    ready.show(scan(slicer))
    assert ready.ui.segmentButton.enabled


def test_segment_all_does_what_nobody_has_annotated(ready, slicer, new_volume, drawn):
    volumes = [new_volume(f"more{number}", number) for number in range(3)]
    drawn(volumes[0])
    ready.bench.wait_until(lambda: ready.states().get("more0") == "Annotated")
    ready.bench.click(ready.ui.segmentAllButton)
    ready.wait("IDLE")
    assert ready.states() == {"scan": "Predicted", "more0": "Annotated", "more1": "Predicted", "more2": "Predicted"}
    assert "3 volumes are segmented." in ready.message
    ready.bench.click(ready.ui.undoButton)
    assert set(ready.states().values()) == {"Not annotated", "Annotated"}


def test_segment_all_asks_about_volumes_unlike_the_training(ready, slicer, new_volume):
    other = new_volume("other", 3)
    other.SetSpacing(9.0, 9.0, 4.0)
    ready.wait_for_cases(2)
    ready.bench.answer("Leave them out")
    ready.bench.click(ready.ui.segmentAllButton)
    ready.bench.wait_until(lambda: ready.states()["scan"] == "Predicted" and ready.doing == "IDLE", 60)
    assert ready.states()["other"] == "Not annotated"
    assert "1 of 2 volumes are unlike" in ready.bench.dialogs[0].text


def test_segment_all_asks_about_files_unlike_the_training_before_it_loads_them(ready, slicer, tmp_path):
    far = replace(GRID, spacing=(9.0, 9.0, 4.0))
    write_volume(tmp_path / "scans" / "far.nrrd", block(1), far)
    write_volume(tmp_path / "scans" / "strange.nrrd", block(2) * 100 - 2000, GRID)
    write_volume(tmp_path / "scans" / "usual.nrrd", block(3), GRID)
    add_folder(ready, tmp_path / "scans")
    ready.wait_for_cases(4)
    ready.bench.answer("Leave them out")
    ready.bench.click(ready.ui.segmentAllButton)
    ready.wait("SEGMENTING")
    ready.wait("IDLE")
    asked = ready.bench.dialogs[-1].text
    assert "2 of 4 volumes are unlike" in asked
    assert "far" in asked
    assert "strange" in asked
    wanted = {"scan": "Predicted", "usual": "Predicted", "far": "Not annotated", "strange": "Not annotated"}
    assert ready.states() == wanted
    assert [node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")] == ["scan", "usual"]


@pytest.mark.parametrize("text", ["", "model.pth"])
def test_a_path_that_is_typed_over_a_model_takes_its_place(ready, text):
    ready.bench.type_text(ready.ui.modelPathLineEdit, text)
    ready.bench.wait_until(lambda: ready.parameters.model == text)
    assert ready.session.segmenting.model is None


def test_volumes_of_one_name_are_told_apart(ready, slicer, new_volume):
    ready.panel.desk.volume = None
    other = new_volume("scan", 3)
    other.SetSpacing(9.0, 9.0, 4.0)
    ready.wait_for_cases(2)
    ready.bench.answer("Leave them out")
    ready.bench.click(ready.ui.segmentAllButton)
    ready.bench.wait_until(lambda: len(names(slicer)) == 1 and ready.doing == "IDLE", 60)
    assert [state for _name, state in ready.rows()] == ["Predicted", "Not annotated"]


def test_failures_of_volumes_of_one_name_are_all_counted(ready, slicer, new_volume):
    twins = [new_volume("twin", seed) for seed in range(2)]
    ready.wait_for_cases(3)
    cases = ready.panel.desk.cases
    for twin in twins:
        slicer.mrmlScene.RemoveNode(twin)
    ready.session.segmenting.segment(cases, "cpu", False)
    ready.wait("IDLE")
    assert "1 volume is segmented. 2 could not be segmented." in ready.message


def test_a_model_that_was_missing_is_read_when_it_comes(page, model, tmp_path):
    path = tmp_path / "drive" / "model.safetensors"
    page.parameters.model = str(path)
    assert "There is no file" in page.message
    path.parent.mkdir()
    shutil.copy(model, path)
    page.bench.type_text(page.ui.modelPathLineEdit, str(path))
    page.bench.wait_until(lambda: page.session.segmenting.model is not None)
    assert page.message == ""


def test_a_file_that_is_no_model_is_told(page, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"nothing of the kind")
    page.parameters.model = str(tmp_path / "model.safetensors")
    assert "is no model of this extension" in page.message
    assert not page.ui.segmentButton.enabled
