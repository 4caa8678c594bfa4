"""What a person drew or corrected is never lost to a click on Segment."""

from __future__ import annotations

import numpy as np

from Testing.PCLSegmentation.results import change, mask, scan


def test_a_corrected_result_survives_another_click_and_its_undo(segmented, slicer):
    page, volume, node = segmented
    corrected = change(slicer, node, volume)
    page.bench.wait_until(lambda: page.states() == {"scan": "Predicted, changed by hand"})
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
    page.bench.wait_until(lambda: page.states() == {"scan": "Predicted, changed by hand"})
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
    page.bench.wait_until(lambda: page.states() == {"scan": "Predicted, changed by hand"})
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
    ready.bench.wait_until(lambda: ready.states() == {"scan": "Partly annotated (2 of 8 slices)"})
    node = ready.segment(volume)
    assert node is not annotation
    assert np.array_equal(mask(annotation, volume), before)
    assert ready.states() == {"scan": "Partly annotated (2 of 8 slices)"}
