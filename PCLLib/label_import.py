"""Label files and masks that exist already become annotations in the scene."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from pcl_core.errors import InputError
from pcl_core.volumes.cases import find_labels
from pcl_core.volumes.class_names import class_names
from pcl_core.volumes.geometry import Geometry, canonical_view
from pcl_core.volumes.reading import SAME_GRID, read_labels
from pcl_core.volumes.volume import NOT_ANNOTATED, VolumeSource
from PCLLib.case_states import Case
from PCLLib.dicom_segmentations import can_read, load_dicom_segmentation
from PCLLib.label_classes import classes_of_values, gathered, names_of_segments
from PCLLib.scan_report import VolumeRow
from PCLLib.segment_classes import SegmentClass
from PCLLib.segment_nodes import new_segmentation, oriented_image, segments_of
from PCLLib.segment_roles import Role, set_choice, set_role
from PCLLib.slice_choice import Counting, SliceChoice
from PCLLib.volume_nodes import geometry_of

# Attribute of a segmentation whose label map had voxels that are not annotated.
PARTIAL = "PCL.Partial"


class ImportLabelsError(Exception):
    """Labels that cannot be taken over; the message says why in words."""


def import_labels(path: Path, volume: Any, classes: Sequence[SegmentClass], row: VolumeRow | None = None) -> Any:
    """Reads labels of a volume into a new annotation; all slices count.

    Args:
        path: a label map (NRRD, NIfTI, MetaImage), a segmentation (.seg.nrrd), or a DICOM SEG file.
        volume: volume node that they belong to.
        classes: names and colours of label values that are known already.
        row: what is known of the volume's file: which frame of a label file of several is meant.

    Returns:
        the segmentation node.

    Raises:
        ImportLabelsError: it cannot be read, is empty, lies elsewhere, or holds several frames of which none is the volume's.
    """
    if _is_segmentation(path):
        node = _with_slicer(path, volume)
    elif path.name.lower().endswith(".dcm") or path.suffix == "":
        node = _from_dicom(path, volume)
    else:
        node = _from_label_map(path, volume, classes, row)
    set_role(node, Role.ANNOTATION)
    if node.GetAttribute(PARTIAL) is None:
        set_choice(node, SliceChoice(Counting.ALL))
    return node


def _is_segmentation(path: Path) -> bool:
    """Whether Slicer wrote it: it has the names of its segments."""
    return path.name.lower().endswith((".seg.nrrd", ".seg.nhdr"))


def _with_slicer(path: Path, volume: Any) -> Any:
    try:
        node = slicer.util.loadSegmentation(str(path))
    except RuntimeError as error:
        raise ImportLabelsError(_("Slicer could not read {path}.").format(path=path)) from error
    return _belonging(node, volume, path)


def _from_dicom(path: Path, volume: Any) -> Any:
    """DICOM SEG, which Slicer reads when the extension QuantitativeReporting is installed."""
    if not can_read():
        raise ImportLabelsError(
            _("{path} looks like DICOM. Install the extension QuantitativeReporting to read DICOM SEG.").format(path=path)
        )
    new = load_dicom_segmentation(path)
    if new is None:
        raise ImportLabelsError(_("Slicer could not read {path} as DICOM SEG.").format(path=path))
    if not new:
        raise ImportLabelsError(_("{path} holds no segments.").format(path=path))
    return _belonging(new[0], volume, path)


def _belonging(node: Any, volume: Any, path: Path) -> Any:
    """A loaded segmentation as one of the volume."""
    if not segments_of(node):
        slicer.mrmlScene.RemoveNode(node)
        raise ImportLabelsError(_("{path} holds no segments.").format(path=path))
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    _require_inside(node, volume, path)
    return node


def _require_inside(node: Any, volume: Any, path: Path) -> None:
    """Refuses segments that lie wholly elsewhere, and takes them out of the scene."""
    inside = [0.0] * 6
    volume.GetRASBounds(inside)
    lies = [0.0] * 6
    node.GetRASBounds(lies)
    nothing = lies[0] > lies[1]
    if not nothing and any(lies[2 * k] > inside[2 * k + 1] or lies[2 * k + 1] < inside[2 * k] for k in range(3)):
        slicer.mrmlScene.RemoveNode(node)
        raise ImportLabelsError(_("{path} lies elsewhere in the patient than the volume.").format(path=path))


def _source_of(path: Path, row: VolumeRow | None) -> VolumeSource:
    """The label map of a file, or the frame of it that belongs to a volume."""
    sources = find_labels(path, "folder").sources
    if len(sources) == 1:
        return sources[0]
    count = len(sources)
    if row is not None and path == row.labels and row.labels_frame is not None and row.labels_frame < count:
        return sources[row.labels_frame]
    if row is None or row.frame is None:
        raise ImportLabelsError(
            _("{path} holds the labels of {n} frames; which belong to this volume is not known.").format(path=path, n=count)
        )
    if row.parts != count:
        raise ImportLabelsError(
            _("{path} holds the labels of {n} frames, but {image} has {m}.").format(
                path=path, n=count, image=row.path, m=row.parts
            )
        )
    return sources[row.frame]


@dataclass(frozen=True)
class _LabelMap:
    """The voxels (z, y, x) of a label file, which values occur, and what it calls them."""

    source: VolumeSource
    labels: np.ndarray
    values: tuple[int, ...]
    names: Mapping[int, str]

    @classmethod
    def read(cls, path: Path, row: VolumeRow | None) -> _LabelMap:
        try:
            source = _source_of(path, row)
            labels = _from_mask(read_labels(source), source.geometry)
            names = names_of_segments(path) if _is_segmentation(path) else class_names(path.parent)
        except InputError as error:
            raise ImportLabelsError(str(error)) from error
        values = tuple(int(value) for value in np.unique(labels) if value not in (0, NOT_ANNOTATED))
        if not values:
            raise ImportLabelsError(_("{path} is empty: all of it is background.").format(path=path))
        return cls(source, labels, values, names)


def _from_mask(labels: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Masks as most programs write them, white on black, as labels of one class: in them 255 is what was drawn.

    What is not annotated is whole slices; 255 in parts of slices, with nothing else, is a mask.
    """
    white = labels == NOT_ANNOTATED
    if not white.any() or np.count_nonzero(labels) > np.count_nonzero(white):
        return labels
    slices = canonical_view(geometry, "auto").apply(white)
    whole = (slices.all((1, 2)) == slices.any((1, 2))).all()
    return labels if whole else white.astype(np.uint8)


def classes_of_file(path: Path, row: VolumeRow | None, classes: Sequence[SegmentClass]) -> tuple[SegmentClass, ...]:
    """What a label file holds, without taking it over: a class for each of its values, called as import_labels does.

    Raises:
        ImportLabelsError: it cannot be read, or is empty.
    """
    found = _LabelMap.read(path, row)
    return classes_of_values(found.values, found.names, classes)


def classes_of_cases(cases: Iterable[Case]) -> tuple[SegmentClass, ...]:
    """The classes of label files that nobody has opened yet, by their names and values. Raises ImportLabelsError."""
    files = [(case.labels, case.row) for case in cases if case.labels is not None]
    return gathered(entry for path, row in files for entry in classes_of_file(path, row, ()))


def _from_label_map(path: Path, volume: Any, classes: Sequence[SegmentClass], row: VolumeRow | None) -> Any:
    read = _LabelMap.read(path, row)
    source, labels = read.source, read.labels
    found = classes_of_values(read.values, read.names, classes)
    name = _("{name} annotation").format(name=volume.GetName())
    drawn = np.where(labels == NOT_ANNOTATED, 0, labels)
    if not source.geometry.differs_from(geometry_of(volume), SAME_GRID):
        node = new_segmentation(name, volume, drawn, found)
    else:
        node = _resampled(name, volume, drawn, source, found, path)
    if (labels == NOT_ANNOTATED).any():  # segments cannot say so: the slices with something drawn count
        node.SetAttribute(PARTIAL, "1")
    return node


def _resampled(name: str, volume: Any, labels: np.ndarray, source: Any, found: Sequence[SegmentClass], path: Path) -> Any:
    """Labels of another grid, taken where they lie in the patient."""
    node = new_segmentation(name, volume, np.zeros(geometry_of(volume).shape, np.uint8), [])
    segmentation = node.GetSegmentation()
    image = oriented_image(labels, source.geometry)
    for entry in found:
        segment = slicer.vtkSegment()
        segment.SetName(entry.name)
        segment.SetColor(*entry.color)
        segment.SetLabelValue(entry.value)
        segment.AddRepresentation(slicer.vtkSegmentationConverter.GetSegmentationBinaryLabelmapRepresentationName(), image)
        segmentation.AddSegment(segment, f"Segment_{entry.value}")
    _require_inside(node, volume, path)
    return node
