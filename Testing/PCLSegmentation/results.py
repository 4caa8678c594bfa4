"""What segmenting leaves in the scene."""

from __future__ import annotations

import numpy as np

from Testing.PCLSegmentation.conftest import SHAPE


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
