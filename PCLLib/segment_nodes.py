"""Segmentation nodes as the engine's label maps on the grid of a volume, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import slicer
import vtk
from vtk.util import numpy_support

from pcl_core.volumes.geometry import Geometry
from PCLLib.segment_classes import SegmentClass, SegmentFacts
from PCLLib.volume_nodes import geometry_of, ijk_to_ras

# Tag of a segment with the label value of its class. Slicer's own label value changes when segments are edited.
_VALUE = "PCL.Value"


def segments_of(node: Any) -> tuple[SegmentFacts, ...]:
    """The segments of a segmentation node, in their order."""
    segmentation = node.GetSegmentation()
    ids = [segmentation.GetNthSegmentID(number) for number in range(segmentation.GetNumberOfSegments())]
    return tuple(_facts(name, segmentation.GetSegment(name)) for name in ids)


def _facts(segment_id: str, segment: Any) -> SegmentFacts:
    tag = vtk.mutable("")
    found = segment.GetTag(segment.GetTerminologyEntryTagName(), tag)
    red, green, blue = segment.GetColor()
    return SegmentFacts(segment_id, segment.GetName() or segment_id, (red, green, blue), str(tag) if found else "")


def classes_in(node: Any) -> tuple[SegmentClass, ...]:
    """The classes that the segments of a node were made for, with their values and under the names that they have now."""
    found: dict[int, SegmentClass] = {}
    for facts in segments_of(node):
        tag = vtk.mutable("")
        if node.GetSegmentation().GetSegment(facts.id).GetTag(_VALUE, tag) and str(tag).isdigit():
            value = int(str(tag))
            found.setdefault(value, SegmentClass(value, facts.name, facts.color, facts.terminology))  # copies keep the tag
    return tuple(found.values())


def mask_of(node: Any, segment_id: str, volume: Any) -> np.ndarray:
    """Where a segment lies, on the grid of a volume node: bool (z, y, x).

    A segment of another grid, or under another transform, is resampled to the nearest voxels by Slicer.
    """
    shape = geometry_of(volume).shape
    segmentation = node.GetSegmentation()
    bounds = [0.0] * 6
    segmentation.GetSegment(segment_id).GetBounds(bounds)
    if bounds[0] > bounds[1]:  # nothing was drawn; Slicer exports nothing then
        return np.zeros(shape, bool)
    array = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume)
    return np.zeros(shape, bool) if array is None or array.shape != shape else np.asarray(array) > 0


def labels_of(node: Any, volume: Any, values: Mapping[str, int]) -> tuple[np.ndarray, int]:
    """The label map of a segmentation on the grid of a volume node.

    Args:
        node: segmentation node.
        volume: volume node.
        values: label value by the id of the segment; other segments are left out.

    Returns:
        (z, y, x) of 8 bits, or 16 for larger values; 0 where no segment lies. And in how many voxels segments of several values
        lie: there the later segment has the last word.
    """
    labels = np.zeros(geometry_of(volume).shape, _dtype_for(max(values.values(), default=0)))
    overlapping = np.zeros(labels.shape, bool)
    for segment in segments_of(node):
        if segment.id in values:
            mask = mask_of(node, segment.id, volume)
            overlapping |= mask & (labels > 0) & (labels != values[segment.id])
            labels[mask] = values[segment.id]
    return labels, int(overlapping.sum())


def new_segmentation(name: str, volume: Any, labels: np.ndarray, classes: Sequence[SegmentClass]) -> Any:
    """A new segmentation node with a segment a class, on the grid of a volume node and beside it in the scene.

    Its source is a binary labelmap, its reference the volume, its terminology that of the classes: what DICOM SEG needs.

    Args:
        name: of the node.
        volume: volume node.
        labels: (z, y, x) on its grid.
        classes: which values are which segments; empty segments are made too.
    """
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    fill(node, volume, labels, classes)
    _beside(node, volume)
    return node


def fill(node: Any, volume: Any, labels: np.ndarray, classes: Sequence[SegmentClass]) -> None:
    """Replaces all segments of a segmentation node by a label map."""
    segmentation = node.GetSegmentation()
    image = oriented_image(labels, geometry_of(volume))
    modified = node.StartModify()
    segmentation.RemoveAllSegments()
    for entry in classes:
        segment = slicer.vtkSegment()
        segment.SetName(entry.name)
        segment.SetColor(*entry.color)
        if entry.terminology:
            segment.SetTag(segment.GetTerminologyEntryTagName(), entry.terminology)
        segment.SetLabelValue(entry.value)
        segment.SetTag(_VALUE, str(entry.value))
        segment.AddRepresentation(slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName(), image)
        segmentation.AddSegment(segment, f"Segment_{entry.value}")
    node.EndModify(modified)


def oriented_image(labels: np.ndarray, geometry: Geometry) -> Any:
    """Labels (z, y, x) as the image that segments are made of; the voxels are copied."""
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(*geometry.size)
    image.SetImageToWorldMatrix(ijk_to_ras(geometry))
    voxels = np.ascontiguousarray(labels, _dtype_for(int(labels.max(initial=0))))
    scalars = numpy_support.numpy_to_vtk(voxels.ravel(), deep=True)
    image.GetPointData().SetScalars(scalars)
    return image


def _dtype_for(largest: int) -> type[np.unsignedinteger[Any]]:
    """Bytes hold the values of most models; those of MMWHS go up to 850."""
    return np.uint8 if largest < 2**8 else np.uint16


def _beside(node: Any, volume: Any) -> None:
    """Into the study and patient of the volume, where DICOM export looks for them."""
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(volume) if hierarchy is not None else 0
    if not item:
        return
    parent, own = hierarchy.GetItemParent(item), hierarchy.GetItemByDataNode(node)
    if own:
        hierarchy.SetItemParent(own, parent)
    else:  # without the application nobody makes the items of new nodes
        hierarchy.CreateItem(parent, node)
