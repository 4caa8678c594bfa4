"""What a segmentation of a volume is: somebody's annotation, a prediction, or one that was accepted.

It stands in attributes of the segmentation node, so it is saved with the scene. A segmentation without any is an annotation:
whatever a person draws in Slicer counts, wherever it was drawn.
"""

from __future__ import annotations

import hashlib
from enum import Enum
from pathlib import Path
from typing import Any

import slicer

from PCLLib.segment_nodes import mask_of, segments_of
from PCLLib.slice_choice import Counting, SliceChoice

_ROLE, _SLICES, _MODEL, _CONTENT = "PCL.Role", "PCL.Slices", "PCL.Model", "PCL.Content"


class Role(Enum):
    """What a segmentation is."""

    ANNOTATION = "annotation"
    PREDICTION = "prediction"
    REVIEWED = "reviewed"
    ASIDE = "aside"


def role_of(node: Any) -> Role:
    """The role of a segmentation node."""
    text = node.GetAttribute(_ROLE)
    return Role(text) if text in {role.value for role in Role} else Role.ANNOTATION


def set_role(node: Any, role: Role) -> None:
    """Gives a segmentation node a role."""
    node.SetAttribute(_ROLE, role.value)


def segmentations_of(volume: Any, role: Role) -> list[Any]:
    """The segmentation nodes of a volume node that have a role, the latest first."""
    nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    return [node for node in reversed(nodes) if _volume_of(node) is volume and role_of(node) is role]


def annotation_of(volume: Any) -> Any:
    """The segmentation that is learned from: the latest annotation with something in it, else an empty one, else None."""
    nodes = segmentations_of(volume, Role.ANNOTATION)
    return next((node for node in nodes if segments_of(node)), nodes[0] if nodes else None)


def prediction_of(volume: Any) -> Any:
    """The latest prediction, else the latest accepted one, else None."""
    nodes = [*segmentations_of(volume, Role.PREDICTION), *segmentations_of(volume, Role.REVIEWED)]
    return nodes[0] if nodes else None


def _volume_of(node: Any) -> Any:
    return node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole())


def choice_of(node: Any) -> SliceChoice:
    """Which slices of an annotation count; those with something drawn, until somebody says otherwise."""
    return SliceChoice.from_text(node.GetAttribute(_SLICES), Counting.DRAWN)


def set_choice(node: Any, choice: SliceChoice) -> None:
    """Says which slices of an annotation count."""
    node.SetAttribute(_SLICES, choice.text())


def mark_prediction(node: Any, volume: Any, model: Path) -> None:
    """Makes a segmentation a prediction of a model, and remembers what is in it."""
    set_role(node, Role.PREDICTION)
    node.SetAttribute(_MODEL, str(model))
    node.SetAttribute(_CONTENT, content_of(node, volume))


def model_of(node: Any) -> Path | None:
    """The model file that made a segmentation; None when no model did."""
    text = node.GetAttribute(_MODEL)
    return Path(text) if text else None


def was_edited(node: Any, volume: Any) -> bool:
    """Whether somebody has changed a prediction since it was made."""
    return bool(node.GetAttribute(_CONTENT) != content_of(node, volume))


def content_of(node: Any, volume: Any) -> str:
    """A digest of all segments: their names, and where they lie."""
    digest = hashlib.blake2b(digest_size=16)
    for segment in segments_of(node):
        digest.update(segment.name.encode())
        digest.update(mask_of(node, segment.id, volume).tobytes())
    return digest.hexdigest()
