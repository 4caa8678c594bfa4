"""Things that several tests put into the scene."""

import numpy as np


def heart_array():
    """A bright cylinder in a gradient, (32, 64, 64), z first."""
    _, y, x = np.mgrid[:32, :64, :64]
    return (500 * (((x - 32) ** 2 + (y - 32) ** 2) < 400) + 4 * x).astype(np.int16)


def add_heart(slicer, name="CT"):
    """A volume with it, shown in the slice views."""
    volume = slicer.util.addVolumeFromArray(heart_array(), name=name)
    volume.CreateDefaultDisplayNodes()
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    return volume


def add_segmentation(slicer, volume, color=(0.0, 0.9, 0.2)):
    """A segmentation node with one segment, "heart", whose voxels are the cylinder's."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Hearts")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segment = node.GetSegmentation().AddEmptySegment("heart", "heart", color)
    voxels = (heart_array() > 400).astype(np.uint8)
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, node, segment, volume)
    return node
