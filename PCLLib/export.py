"""Segmentations as label files on the grid of their volume."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from slicer.i18n import tr as _

from pcl_core.volumes.axes import Axis
from pcl_core.volumes.geometry import Geometry, canonical_view
from pcl_core.volumes.volume import NOT_ANNOTATED
from pcl_core.volumes.writing import write_volume
from PCLLib.segment_classes import SegmentClass, extended, matched
from PCLLib.segment_nodes import classes_in, labels_of, segments_of
from PCLLib.segment_roles import Role, choice_of, model_of, role_of
from PCLLib.slice_choice import drawn_slices, slice_count
from PCLLib.volume_nodes import geometry_of
from PCLLib.weight_files import WeightFile, WeightFileError

# File systems allow 255 bytes; letters may take four.
_LONGEST = 60


def classes_for(node: Any, listed: Sequence[SegmentClass]) -> tuple[SegmentClass, ...]:
    """The classes by which a segmentation is exported: those of the model that made it, whatever is listed meanwhile.

    Args:
        node: segmentation node.
        listed: the class list that holds now; taken for what people drew.
    """
    model = model_of(node)
    if model is None:
        return tuple(listed) or classes_in(node)
    made_for = classes_in(node)
    if not made_for and model.is_file():  # segmented before its segments remembered their values
        with suppress(WeightFileError):
            made_for = WeightFile.read(model, "unet").classes
    return made_for or tuple(listed)


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        path: of the file.
        classes: which values are which segments.
        not_annotated: how many slices nobody has annotated; their voxels are 255.
    """

    path: Path
    classes: tuple[SegmentClass, ...]
    not_annotated: int = 0


def export_labels(node: Any, volume: Any, classes: Sequence[SegmentClass], path: Path, axis: Axis = "auto") -> Exported:
    """Writes a label map, with the values that the model has for its classes; segments that are no class get values after them.

    Slices of an annotation that do not count are 255, which means "not annotated": they are not background.

    Args:
        node: segmentation node.
        volume: volume node on whose grid it is written.
        classes: such as classes_for tells.
        path: ends in .nrrd, .nii.gz, .nii or .mha.
        axis: across which slices are counted.

    Raises:
        InputError: the file cannot be written.
    """
    known = extended(classes, segments_of(node))
    matching = matched(segments_of(node), known)
    labels, _overlapping = labels_of(node, volume, matching.values)
    geometry = geometry_of(volume)
    left_out = _not_annotated(node, labels, geometry, axis)
    canonical_view(geometry, axis).apply(labels)[left_out] = NOT_ANNOTATED  # a view: the labels themselves
    write_volume(path, labels, geometry)
    written = tuple(entry for entry in known if entry.value in matching.values.values())
    return Exported(path, written, len(left_out))


def _not_annotated(node: Any, labels: np.ndarray, geometry: Geometry, axis: Axis) -> list[int]:
    """The slices, from 0, of an annotation that do not count; none of anything else, or where nothing is drawn at all."""
    drawn = drawn_slices(labels, geometry, axis)
    if role_of(node) is not Role.ANNOTATION or not drawn:
        return []
    count = slice_count(geometry, axis)
    return sorted(set(range(count)) - set(choice_of(node).numbers(drawn, count)))


def default_name(volume_name: str) -> str:
    """A name for the label file of a volume, without what some file system refuses."""
    plain = re.sub(r'[<>:"/\\|?*\x00-\x1f]+', "_", volume_name).strip(" .")[:_LONGEST]
    return f"{plain or _('volume')}_seg.nrrd"
