"""One click segments the shown volume; what a person drew is never lost."""

from __future__ import annotations

import os
import shutil
import signal

import numpy as np
import pytest

from Testing.host.driving.processes import interpreter_of
from Testing.PCLSegmentation.conftest import SHAPE, TERMINOLOGY


def names(slicer) -> list[str]:
    return sorted(node.GetName() for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"))


def mask(node, volume) -> np.ndarray:
    from PCLLib.segment_nodes import mask_of

    return mask_of(node, node.GetSegmentation().GetNthSegmentID(0), volume)


def scan(slicer, name="scan"):
    return slicer.util.getNode(name)


def change(slicer, node, volume) -> np.ndarray:
    """Corrects a segmentation as a person would, and returns what it holds then."""
    corrected = np.zeros(SHAPE, np.uint8)
    corrected[1:4, 5:10, 5:10] = 1
    segment = node.GetSegmentation().GetNthSegmentID(0)
    slicer.util.updateSegmentBinaryLabelmapFromArray(corrected, node, segment, volume)
    return corrected > 0


@pytest.fixture
def segmented(ready, slicer):
    """The panel after a click on Segment, with its volume and the new segmentation."""
    volume = scan(slicer)
    return ready, volume, ready.segment(volume)


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
    page.bench.wait_until(lambda: node.GetSegmentation().ContainsRepresentation("Closed surface"), 20)
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
    page.bench.wait_until(lambda: page.states() == {"scan": "Predicted, changed by hand"}, 10)
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


def test_a_corrected_result_survives_another_click_and_its_undo(segmented, slicer):
    page, volume, node = segmented
    corrected = change(slicer, node, volume)
    page.bench.wait_until(lambda: page.states() == {"scan": "Predicted, changed by hand"}, 10)
    again = page.segment(volume)
    assert slicer.mrmlScene.IsNodePresent(node)
    assert np.array_equal(mask(node, volume), corrected)
    assert not node.GetDisplayNode().GetVisibility()
    change(slicer, again, volume)
    page.bench.click(page.ui.undoButton)
    assert slicer.mrmlScene.IsNodePresent(again), "what was changed since the click stays"
    assert "was changed since, so it stays" in page.message
    assert page.panel.segment.result is again
    assert np.array_equal(mask(node, volume), corrected)


def test_a_corrected_result_that_gave_way_is_named_left_alone_and_brought_back(segmented, slicer):
    page, volume, node = segmented
    change(slicer, node, volume)
    page.bench.wait_until(lambda: page.states() == {"scan": "Predicted, changed by hand"}, 10)
    again = page.segment(volume)
    assert again.GetName() != node.GetName()
    assert f'Kept, hidden: "{node.GetName()}".' in page.message
    assert page.states() == {"scan": f'Predicted\nKept, hidden: "{node.GetName()}".'}
    assert not page.ui.segmentAllButton.enabled
    page.segment(volume)  # the second result gives way for good, the corrected one does not
    assert page.ui.keptComboBox.currentText == f"{node.GetName()} (prediction, kept)"
    page.bench.click(page.ui.keptButton)
    assert page.states()["scan"].startswith("Predicted, changed by hand\n")
    assert page.panel.segment.result is node
    assert node.GetDisplayNode().GetVisibility()
    page.bench.click(page.ui.undoButton)
    assert page.states()["scan"].startswith("Predicted\n")
    assert not node.GetDisplayNode().GetVisibility()


def test_undoing_the_click_brings_the_corrected_result_back(segmented, slicer):
    page, volume, node = segmented
    change(slicer, node, volume)
    page.bench.wait_until(lambda: page.states() == {"scan": "Predicted, changed by hand"}, 10)
    page.segment(volume)
    page.bench.click(page.ui.undoButton)
    assert page.states() == {"scan": "Predicted, changed by hand"}
    assert page.panel.segment.result is node
    assert node.GetDisplayNode().GetVisibility()
    assert not page.ui.keptButton.visible


def test_an_annotation_is_not_touched(ready, slicer, drawn):
    volume = scan(slicer)
    annotation = drawn(volume, slice(2, 4))
    before = mask(annotation, volume)
    ready.bench.wait_until(lambda: ready.states() == {"scan": "Partly annotated (2 of 8 slices)"}, 10)
    node = ready.segment(volume)
    assert node is not annotation
    assert np.array_equal(mask(annotation, volume), before)
    assert ready.states() == {"scan": "Partly annotated (2 of 8 slices)"}


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
    ready.bench.wait_until(lambda: label.height() >= label.heightForWidth(label.width()), 5)  # no line is cut off


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


def test_a_map_of_confidence_comes_on_request(ready, slicer):
    volume = scan(slicer)
    ready.bench.click(ready.ui.confidenceCheckBox)
    ready.segment(volume)
    node = slicer.util.getNode("scan confidence")
    values, colours = slicer.util.arrayFromVolume(node), node.GetDisplayNode().GetColorNodeID()
    assert values.shape == SHAPE
    assert 40 < values.min() <= values.max() <= 100
    assert {c.GetForegroundVolumeID() for c in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")} == {node.GetID()}
    assert ready.states() == {"scan": "Predicted"}, "a map of confidence is no case"
    ready.segment(volume)
    assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == 2
    ready.bench.click(ready.ui.undoButton)
    (again,) = [one for one in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if one is not volume]
    assert again is node
    assert again.GetNodeReference("PCL.ConfidenceOf") is volume
    assert (again.GetDisplayNode().GetColorNodeID(), again.GetDisplayNode().GetWindowLevelMax()) == (colours, 100)
    assert np.array_equal(slicer.util.arrayFromVolume(again), values)
    ready.segment(volume)
    assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == 2, "what came back is known again"


def test_a_map_of_confidence_stays_with_its_volume_when_scenes_are_joined(ready, slicer, tmp_path, new_volume):
    ready.bench.click(ready.ui.confidenceCheckBox)
    ready.segment(scan(slicer))
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    ready.bench.close_scene()
    other = new_volume("other", 3)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"), properties={"clear": False})
    ready.wait_for_cases(2)
    there = slicer.util.getNode("scan confidence")
    assert there.GetNodeReference("PCL.ConfidenceOf") is scan(slicer)
    assert there.GetNodeReference("PCL.ConfidenceOf") is not other


def test_segment_all_does_what_nobody_has_annotated(ready, slicer, new_volume, drawn):
    volumes = [new_volume(f"more{number}", number) for number in range(3)]
    drawn(volumes[0])
    ready.bench.wait_until(lambda: ready.states().get("more0") == "Annotated", 10)
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


def test_cancelling_changes_nothing(ready, slicer, new_volume):
    for number in range(4):
        new_volume(f"more{number}", number)
    ready.wait_for_cases(5)
    ready.bench.click(ready.ui.segmentAllButton)
    ready.wait("SEGMENTING")
    ready.bench.click(ready.ui.cancelButton)
    ready.wait("IDLE")
    assert "Cancelled. 0 of 5 volumes are segmented." in ready.message
    assert names(slicer) == []
    assert ready.segment(scan(slicer)) is not None


def test_a_worker_that_was_killed_is_told_and_started_again(segmented, slicer):
    page, volume, _node = segmented
    os.kill(interpreter_of(page.session.worker.process_id), signal.SIGKILL)
    page.bench.wait_until(lambda: not page.session.worker.running, 10)
    again = page.segment(volume)
    assert page.message == ""
    assert slicer.mrmlScene.IsNodePresent(again)


def test_a_worker_that_dies_meanwhile_is_told_in_words(ready, slicer):
    ready.show(scan(slicer))
    ready.bench.click(ready.ui.segmentButton)
    ready.bench.wait_until(lambda: ready.session.worker.process_id, 10)
    os.kill(interpreter_of(ready.session.worker.process_id), signal.SIGKILL)
    ready.wait("IDLE")
    assert "ended from outside" in ready.message
    assert names(slicer) == []


def test_a_worker_that_dies_between_many_volumes_is_not_started_for_each_of_the_others(ready, slicer, new_volume):
    for number in range(4):
        new_volume(f"more{number}", number)
    ready.wait_for_cases(5)
    ready.bench.click(ready.ui.segmentAllButton)
    ready.bench.wait_until(lambda: "2 of 5" in ready.ui.progressLabel.text, 60)
    process = ready.session.worker.process_id
    os.kill(interpreter_of(process), signal.SIGKILL)
    ready.wait("IDLE")
    assert "ended from outside" in ready.message
    assert not ready.session.worker.running


def test_a_volume_that_is_removed_meanwhile_gets_no_result(ready, slicer):
    volume = scan(slicer)
    ready.show(volume)
    ready.bench.click(ready.ui.segmentButton)
    slicer.mrmlScene.RemoveNode(volume)
    ready.wait("IDLE")
    assert "changed or removed" in ready.message
    assert names(slicer) == []


def test_closing_the_scene_meanwhile_puts_nothing_into_the_new_one(ready, slicer):
    ready.show(scan(slicer))
    ready.bench.click(ready.ui.segmentButton)
    ready.bench.close_scene()
    ready.bench.wait_until(lambda: not ready.session.worker.busy, 30)
    assert names(slicer) == []
    assert ready.doing == "IDLE"


@pytest.mark.parametrize("text", ["", "model.pth"])
def test_a_path_that_is_typed_over_a_model_takes_its_place(ready, text):
    ready.bench.type_text(ready.ui.modelPathLineEdit, text)
    ready.bench.wait_until(lambda: ready.parameters.model == text, 5)
    assert ready.session.segmenting.model is None


def test_a_result_that_came_although_cancel_was_pressed_is_told(segmented, slicer):
    from PCLLib.segmentation_states import Doing

    page, volume, node = segmented
    page.show(volume)
    page.bench.click(page.ui.segmentButton)
    page.session.states.begin(Doing.CANCELLING)
    page.session.segmenting._run.stop()  # the worker has no more to cancel: it is writing
    page.wait("IDLE")
    assert not slicer.mrmlScene.IsNodePresent(node)
    assert "done before it could be cancelled" in page.message
    assert "nothing was changed" not in page.message
    page.bench.click(page.ui.undoButton)
    assert slicer.mrmlScene.IsNodePresent(node)


def test_a_worker_that_hangs_is_ended_when_it_does_not_cancel_in_time(segmented, slicer):
    page, volume, node = segmented
    page.session.worker._process._hanging.setInterval(1000)
    os.kill(interpreter_of(page.session.worker.process_id), signal.SIGSTOP)
    page.bench.click(page.ui.segmentButton)
    page.wait("SEGMENTING")
    page.bench.click(page.ui.cancelButton)
    page.wait("IDLE", seconds=10)
    assert "Cancelled; nothing was changed." in page.message
    assert slicer.mrmlScene.IsNodePresent(node)
    assert page.segment(volume) is not node


def test_a_request_that_was_cancelled_in_time_leaves_the_worker_alive(ready, slicer):
    ready.segment(scan(slicer))
    process = ready.session.worker.process_id
    ready.session.worker._process._hanging.setInterval(1500)
    ready.bench.click(ready.ui.segmentButton)
    ready.bench.click(ready.ui.cancelButton)
    ready.wait("IDLE")
    assert not ready.session.worker._process._hanging.active
    ready.segment(scan(slicer))
    assert ready.session.worker.process_id == process


def test_a_worker_that_cannot_be_started_is_told(ready, slicer, tmp_path, monkeypatch):
    from dataclasses import replace

    (tmp_path / "python").write_text("no program")
    (tmp_path / "python").chmod(0o755)
    worker = ready.session.worker
    worker.leave()
    monkeypatch.setattr(worker, "_engine", replace(worker._engine, interpreter=str(tmp_path / "python")))
    ready.show(scan(slicer))
    ready.bench.click(ready.ui.segmentButton)
    ready.wait("IDLE", seconds=20)
    assert "could not be started" in ready.message


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
    page.bench.wait_until(lambda: page.session.segmenting.model is not None, 10)
    assert page.message == ""


def test_a_file_that_is_no_model_is_told(page, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"nothing of the kind")
    page.parameters.model = str(tmp_path / "model.safetensors")
    assert "is no model of this extension" in page.message
    assert not page.ui.segmentButton.enabled


def test_a_folder_is_segmented_into_label_files_and_gone_on_with(ready, tmp_path, slicer):
    from pcl_core.volumes.writing import write_volume
    from PCLLib.volume_nodes import geometry_of
    from Testing.PCLSegmentation.conftest import block

    grid = geometry_of(scan(slicer))
    for seed in range(2):
        write_volume(tmp_path / "in" / f"case{seed}.nrrd", block(seed), grid)

    def run():
        ready.bench.answer_file(tmp_path / "in")
        ready.bench.answer_file(tmp_path / "out")
        ready.bench.click(ready.ui.segmentFolderButton)
        ready.wait("FOLDER")
        ready.wait("IDLE")

    (tmp_path / "out").mkdir()
    run()
    assert "2 volumes are segmented." in ready.message
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["case0_seg.nrrd", "case1_seg.nrrd", "segmented.jsonl"]
    write_volume(tmp_path / "in" / "case2.nrrd", block(2), grid)
    run()
    assert "1 volume is segmented, 2 were done before." in ready.message


def test_label_files_that_people_made_or_corrected_stay_when_a_folder_is_segmented(ready, tmp_path, slicer, blind_model):
    from pcl_core.volumes.writing import write_volume
    from PCLLib.volume_nodes import geometry_of
    from Testing.PCLSegmentation.conftest import block

    grid = geometry_of(scan(slicer))
    folder = tmp_path / "scans"
    for seed in range(2):
        write_volume(folder / f"case{seed}.nrrd", block(seed), grid)
    manual = np.zeros(SHAPE, np.uint8)
    manual[0, 0:2, 0:2] = 7
    write_volume(folder / "case0_seg.nrrd", manual, grid)
    before = (folder / "case0_seg.nrrd").read_bytes()

    def run():
        ready.bench.answer_file(folder)
        ready.bench.answer_file(folder)
        ready.bench.click(ready.ui.segmentFolderButton)
        ready.wait("FOLDER")
        ready.wait("IDLE")

    run()
    said = "1 label file was there before, or changed by hand, and left as it was: case0_seg.nrrd."
    assert f"1 volume is segmented. {said}" in ready.message
    assert "choose another folder for the label files" in ready.message
    assert (folder / "case0_seg.nrrd").read_bytes() == before
    write_volume(folder / "case1_seg.nrrd", manual, grid)
    ready.parameters.model = str(blind_model)
    run()
    assert "0 volumes are segmented. 2 label files were there before" in ready.message
    assert (folder / "case1_seg.nrrd").read_bytes() == before
