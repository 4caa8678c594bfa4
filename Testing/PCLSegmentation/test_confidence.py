"""The map of confidence comes on request, and stays with its volume."""

from __future__ import annotations

import numpy as np

from Testing.PCLSegmentation.conftest import SHAPE
from Testing.PCLSegmentation.results import scan


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
