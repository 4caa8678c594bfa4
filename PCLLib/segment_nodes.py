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
    stored = _stored(node, segment_id, volume)
    if stored is not None:
        place, within = stored
        mask = np.zeros(shape, bool)
        mask[place] = within
        return mask
    segmentation = node.GetSegmentation()
    bounds = [0.0] * 6
    segmentation.GetSegment(segment_id).GetBounds(bounds)
    if bounds[0] > bounds[1]:  # nothing was drawn; Slicer exports nothing then
        return np.zeros(shape, bool)
    array = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume)
    return np.zeros(shape, bool) if array is None or array.shape != shape else np.asarray(array) > 0


def is_drawn(node: Any, segment_id: str) -> bool:
    """Whether anything lies in a segment, wherever it lies. Fast: nothing is exported or resampled."""
    segmentation, source = node.GetSegmentation(), node.GetSegmentation().GetSourceRepresentationName()
    segment = segmentation.GetSegment(segment_id)
    data = segment.GetRepresentation(source)
    if data is None or data.GetNumberOfPoints() == 0:
        return False
    if source != slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName():
        return True
    scalars = data.GetPointData().GetScalars()
    if scalars is None:
        return False
    # Kept by VTK until the image changes. The array's own range is not to be had: Slicer draws without telling the array.
    value, (low, high) = segment.GetLabelValue(), data.GetScalarRange()
    if not low < value < high:
        return value in (low, high)
    return bool((numpy_support.vtk_to_numpy(scalars) == value).any())  # segments share a label map


_Place = tuple[slice, slice, slice]
_ALL: _Place = (slice(None), slice(None), slice(None))


def _stored(node: Any, segment_id: str, volume: Any) -> tuple[_Place, np.ndarray] | None:
    """A segment as it is stored, when it lies on the grid of the volume: much faster than Slicer's export.

    Returns:
        where in the volume's voxels (z, y, x) its label map lies, and its mask there; None when it has to be resampled.
    """
    segmentation = node.GetSegmentation()
    labelmap = slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName()
    segment = segmentation.GetSegment(segment_id)
    image = segment.GetRepresentation(labelmap) if segmentation.GetSourceRepresentationName() == labelmap else None
    if image is None or image.GetPointData().GetScalars() is None:
        return None
    if node.GetTransformNodeID() != volume.GetTransformNodeID() or not _same_grid(image, volume):
        return None
    extent, size = image.GetExtent(), volume.GetImageData().GetDimensions()
    x, y, z = ((max(extent[2 * k], 0), min(extent[2 * k + 1] + 1, size[k])) for k in range(3))
    if x[0] >= x[1] or y[0] >= y[1] or z[0] >= z[1]:
        return None
    voxels = numpy_support.vtk_to_numpy(image.GetPointData().GetScalars()).reshape(image.GetDimensions()[::-1])
    within = tuple(slice(span[0] - extent[k], span[1] - extent[k]) for k, span in ((4, z), (2, y), (0, x)))
    return _tight((slice(*z), slice(*y), slice(*x)), voxels[within] == segment.GetLabelValue())


def _tight(place: _Place, mask: np.ndarray) -> tuple[_Place, np.ndarray]:
    """A mask without the slices and rows before and after what is in it: most segments fill a small part of a volume."""
    tight = list(place)
    for axis, others in ((0, (1, 2)), (1, (0, 2))):
        lies = np.flatnonzero(mask.any(others))
        first, end = (int(lies[0]), int(lies[-1]) + 1) if len(lies) else (0, 0)
        mask = mask[first:end] if axis == 0 else mask[:, first:end]
        tight[axis] = slice(place[axis].start + first, place[axis].start + end)
    return (tight[0], tight[1], tight[2]), mask


def _same_grid(image: Any, volume: Any) -> bool:
    """Whether the voxels of a label map are voxels of a volume, maybe fewer or more of them."""
    of_image, of_volume = vtk.vtkMatrix4x4(), vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(of_image)
    volume.GetIJKToRASMatrix(of_volume)
    first, second = slicer.util.arrayFromVTKMatrix(of_image), slicer.util.arrayFromVTKMatrix(of_volume)
    # Within a hundredth of a voxel anywhere in it.
    far = np.append(np.asarray(volume.GetImageData().GetDimensions(), float), 1.0)
    return bool((np.abs(first - second) @ far < 0.01 * min(volume.GetSpacing())).all())


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
            place, mask = _stored(node, segment.id, volume) or (_ALL, mask_of(node, segment.id, volume))
            overlapping[place] |= mask & (labels[place] > 0) & (labels[place] != values[segment.id])
            np.copyto(labels[place], values[segment.id], where=mask)
    return labels, int(np.count_nonzero(overlapping))


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
