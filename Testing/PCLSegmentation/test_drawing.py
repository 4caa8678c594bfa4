"""What was drawn is read off the scene: as Slicer exports it, and when nobody is held up."""

from __future__ import annotations

import time

import numpy as np
import pytest

from Testing.PCLSegmentation.conftest import SHAPE
from Testing.PCLSegmentation.folders import labels


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
        page.bench.wait_until(lambda begin=begin: time.monotonic() > begin + 0.8)
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
