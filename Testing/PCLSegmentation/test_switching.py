"""From one volume to another: each with what was found and drawn in it, and nothing of the others."""

from __future__ import annotations

import pytest

from Testing.PCLSegmentation.results import scan


def shown(*nodes) -> list[bool]:
    return [bool(node.GetDisplayVisibility()) for node in nodes]


@pytest.fixture
def two(ready, slicer, new_volume):
    """Two volumes with a result each; the second is shown."""
    first, second = scan(slicer), new_volume("other", 3)
    ready.wait_for_cases(2)
    return ready, first, second, ready.segment(first), ready.segment(second)


def test_a_volume_is_shown_with_its_own_result_and_without_those_of_others(two):
    page, first, second, of_first, of_second = two
    assert shown(of_first, of_second) == [False, True]
    page.show(first)
    assert shown(of_first, of_second) == [True, False]
    row = [name for name, _state in page.rows()].index("other")
    page.ui.caseTable.cellDoubleClicked(row, 0)
    assert page.panel.desk.volume is second
    assert shown(of_first, of_second) == [False, True]


def test_after_segment_all_each_volume_shows_its_overlay_in_slices_and_in_3d(ready, slicer, new_volume):
    from PCLLib.segment_roles import prediction_of

    volumes = [scan(slicer), new_volume("other", 3)]
    ready.wait_for_cases(2)
    ready.bench.click(ready.ui.segmentAllButton)
    ready.wait("SEGMENTING")
    ready.wait("IDLE")
    for volume in volumes:
        ready.show(volume)
        results = [prediction_of(one) for one in volumes]
        assert shown(*results) == [one is volume for one in volumes]
        node = prediction_of(volume)
        ready.bench.wait_until(lambda node=node: node.GetDisplayNode().GetVisibility3D())


def test_what_was_drawn_comes_back_with_its_volume_and_what_a_person_hid_stays_hidden(two, slicer, drawn):
    page, first, second, of_first, _of_second = two
    page.show(first)
    annotation = drawn(first)
    of_first.SetDisplayVisibility(False)
    page.show(second)
    assert shown(annotation, of_first) == [False, False]
    page.show(first)
    assert shown(annotation, of_first) == [True, False]


def test_each_of_the_sample_hearts_is_shown_with_its_own_annotation(page):
    from PCLLib.sample_data import add_hearts
    from PCLLib.segment_roles import annotation_of

    hearts = add_hearts(3, 2)
    page.wait_for_cases(3)
    drawn = [annotation_of(heart) for heart in hearts[:2]]
    assert shown(*drawn) == [True, False]
    page.show(hearts[1])
    assert shown(*drawn) == [False, True]


def test_undo_hides_what_is_of_another_volume(two):
    page, first, second, of_first, _of_second = two
    page.show(first)
    page.bench.click(page.ui.undoButton)  # the last click was that on the second volume
    assert page.panel.segment.result is of_first
    assert shown(of_first) == [True]
    page.show(second)
    assert shown(of_first) == [False]


@pytest.mark.parametrize("way", ["meanwhile in another module", "in the slice view"])
def test_segment_works_on_the_volume_that_a_person_has_shown(two, slicer, way):
    page, first, _second, of_first, of_second = two
    if way.startswith("meanwhile"):
        page.widget.exit()
    slicer.util.setSliceViewerLayers(background=first)
    if way.startswith("meanwhile"):
        page.widget.enter()
    page.bench.wait_until(lambda: page.panel.desk.volume is first)
    assert page.ui.volumeComboBox.currentNode() is first
    assert shown(of_first, of_second) == [True, False]
