"""Looking at results: accepting, correcting, learning from what was corrected."""

from __future__ import annotations

import numpy as np

from Testing.PCLSegmentation.conftest import SHAPE


def test_before_there_is_a_result_nothing_can_be_reviewed(ready, slicer):
    ready.show(slicer.util.getNode("scan"))
    for button in (ready.ui.acceptButton, ready.ui.correctButton, ready.ui.markButton, ready.ui.exportButton):
        assert not button.enabled
    assert ready.ui.reviewLabel.text == "scan: Not annotated"


def test_an_accepted_result_is_reviewed_and_left_alone(segmented, slicer):
    page, volume, node = segmented
    page.bench.click(page.ui.acceptButton)
    assert page.states() == {"scan": "Reviewed"}
    assert not page.ui.acceptButton.enabled
    assert not page.ui.segmentAllButton.enabled
    page.segment(volume)
    assert slicer.mrmlScene.IsNodePresent(node), "an accepted result stays"


def test_a_corrected_result_becomes_an_annotation_that_is_learned_from(segmented, slicer):
    page, volume, node = segmented
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


def test_states_are_saved_with_the_scene(segmented, slicer, tmp_path):
    page, _volume, _node = segmented
    page.bench.click(page.ui.acceptButton)
    scene = tmp_path / "scene.mrb"
    assert slicer.util.saveScene(str(scene))
    page.bench.close_scene()
    assert page.rows() == []
    slicer.util.loadScene(str(scene))
    page.wait_for_cases(1)
    assert page.states() == {"scan": "Reviewed"}
    assert page.session.segmenting.model is not None


def test_accepting_is_one_step_to_undo(segmented):
    page, _volume, _node = segmented
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
