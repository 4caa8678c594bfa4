"""Segmentations as label files on the grid of their volume."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pcl_core.volumes.writing import write_volume
from PCLLib.segment_classes import SegmentClass, extended, matched
from PCLLib.segment_nodes import classes_in, labels_of, segments_of
from PCLLib.segment_roles import model_of
from PCLLib.volume_nodes import geometry_of
from PCLLib.weight_files import WeightFile, WeightFileError


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


def export_labels(node: Any, volume: Any, classes: Sequence[SegmentClass], path: Path) -> tuple[SegmentClass, ...]:
    """Writes a label map, with the values that the model has for its classes; segments that are no class get values after them.

    Args:
        node: segmentation node.
        volume: volume node on whose grid it is written.
        classes: such as classes_for tells.
        path: ends in .nrrd, .nii.gz, .nii or .mha.

    Returns:
        which values are which segments.

    Raises:
        InputError: the file cannot be written.
    """
    known = extended(classes, segments_of(node))
    matching = matched(segments_of(node), known)
    labels, _overlapping = labels_of(node, volume, matching.values)
    write_volume(path, labels, geometry_of(volume))
    return tuple(entry for entry in known if entry.value in matching.values.values())
