"""One click segments the shown volume; what a person drew is never lost."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest

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
    assert np.array_equal(mask(node, volume), corrected)


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


def test_a_map_of_confidence_comes_on_request(ready, slicer):
    volume = scan(slicer)
    ready.bench.click(ready.ui.confidenceCheckBox)
    ready.segment(volume)
    node = slicer.util.getNode("scan confidence")
    values = slicer.util.arrayFromVolume(node)
    assert values.shape == SHAPE
    assert 40 < values.min() <= values.max() <= 100
    assert {c.GetForegroundVolumeID() for c in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")} == {node.GetID()}
    assert ready.states() == {"scan": "Predicted"}, "a map of confidence is no case"
    ready.segment(volume)
    assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == 2
    ready.bench.click(ready.ui.undoButton)


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
    os.kill(page.session.worker.process_id, signal.SIGKILL)
    page.bench.wait_until(lambda: not page.session.worker.running, 10)
    again = page.segment(volume)
    assert page.message == ""
    assert slicer.mrmlScene.IsNodePresent(again)


def test_a_worker_that_dies_meanwhile_is_told_in_words(ready, slicer):
    ready.show(scan(slicer))
    ready.bench.click(ready.ui.segmentButton)
    ready.bench.wait_until(lambda: ready.session.worker.process_id, 10)
    os.kill(ready.session.worker.process_id, signal.SIGKILL)
    ready.wait("IDLE")
    assert "ended from outside" in ready.message
    assert names(slicer) == []


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
