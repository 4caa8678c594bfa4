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

from PCLLib.segment_nodes import is_drawn, mask_of, segments_of
from PCLLib.slice_choice import Counting, SliceChoice

_ROLE, _FORMER = "PCL.Role", "PCL.FormerRole"
_SLICES, _MODEL, _CONTENT = "PCL.Slices", "PCL.Model", "PCL.Content"


class Role(Enum):
    """What a segmentation is; one that is aside gave way to another, and is kept, hidden."""

    ANNOTATION = "annotation"
    PREDICTION = "prediction"
    REVIEWED = "reviewed"
    ASIDE = "aside"


def role_of(node: Any) -> Role:
    """The role of a segmentation node."""
    text = node.GetAttribute(_ROLE)
    return Role(text) if text in {role.value for role in Role} else Role.ANNOTATION


def set_role(node: Any, role: Role) -> None:
    """Gives a segmentation node a role; one that is put aside remembers what it was."""
    if role is Role.ASIDE and role_of(node) is not Role.ASIDE:
        node.SetAttribute(_FORMER, role_of(node).value)
    node.SetAttribute(_ROLE, role.value)


def former_role_of(node: Any) -> Role:
    """What a segmentation was before it was put aside."""
    text = node.GetAttribute(_FORMER)
    return Role(text) if text in {"annotation", "prediction", "reviewed"} else Role.ANNOTATION


def segmentations_of(volume: Any, role: Role) -> list[Any]:
    """The segmentation nodes of a volume node that have a role, the latest first."""
    nodes = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    return [node for node in reversed(nodes) if _volume_of(node) is volume and role_of(node) is role]


def annotations_of(volume: Any) -> list[Any]:
    """The segmentations that are learned from: all annotations in which something is drawn, the latest first.

    While nothing is drawn in any it is the latest that has segments, else the latest; none without an annotation.
    """
    nodes = segmentations_of(volume, Role.ANNOTATION)
    drawn = [node for node in nodes if any(is_drawn(node, segment.id) for segment in segments_of(node))]
    return drawn or [node for node in nodes if segments_of(node)][:1] or nodes[:1]


def annotation_of(volume: Any) -> Any:
    """The segmentation that is drawn in: the latest of those that are learned from, or None."""
    return next(iter(annotations_of(volume)), None)


def prediction_of(volume: Any) -> Any:
    """The latest prediction, else the latest accepted one, else None."""
    nodes = [*segmentations_of(volume, Role.PREDICTION), *segmentations_of(volume, Role.REVIEWED)]
    return nodes[0] if nodes else None


def _volume_of(node: Any) -> Any:
    return node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole())


def choice_of(*nodes: Any) -> SliceChoice:
    """Which slices of annotations count that are learned as one; those with something drawn, until somebody says otherwise."""
    said = [text for text in (node.GetAttribute(_SLICES) for node in nodes) if text]
    return SliceChoice.from_text(said[0] if said else None, Counting.DRAWN)


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
