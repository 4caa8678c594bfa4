"""Segmentations that gave way to others: kept, hidden, and brought back; steps of a review that can be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import slicer

from PCLLib.segment_nodes import is_drawn, segments_of
from PCLLib.segment_roles import Role, annotations_of, former_role_of, role_of, segmentations_of, set_choice, set_role
from PCLLib.slice_choice import Counting, SliceChoice

_ATTRIBUTES = ("PCL.Role", "PCL.FormerRole", "PCL.Slices")


@dataclass(frozen=True)
class Standing:
    """What a segmentation counted as before a step, as far as it takes to undo that.

    Attributes:
        node: segmentation node.
        volume: volume node that it is of.
        attributes: values by name; None for those that it did not have.
        visible: whether it was shown.
    """

    node: Any
    volume: Any
    attributes: dict[str, str | None]
    visible: bool

    @classmethod
    def of(cls, node: Any, volume: Any) -> Standing:
        """As it is now."""
        visible = node.GetDisplayNode() is not None and bool(node.GetDisplayVisibility())
        return cls(node, volume, {name: node.GetAttribute(name) for name in _ATTRIBUTES}, visible)

    def restore(self) -> None:
        """Makes it so again; a node that was removed meanwhile is left alone."""
        if slicer.mrmlScene.IsNodePresent(self.node):
            for name, value in self.attributes.items():
                self.node.SetAttribute(name, value)
            self.node.SetDisplayVisibility(self.visible)


def put_aside(node: Any, volume: Any) -> Standing:
    """Keeps a segmentation, hidden: it counts no more until somebody brings it back."""
    before = Standing.of(node, volume)
    set_role(node, Role.ASIDE)
    node.SetDisplayVisibility(False)
    return before


def kept_of(volume: Any) -> list[Any]:
    """The segmentations of a volume that are kept, hidden; the latest first."""
    return segmentations_of(volume, Role.ASIDE)


def accept(node: Any, volume: Any) -> list[Standing]:
    """Makes a prediction the accepted one; an earlier accepted one is kept, hidden."""
    aside = [put_aside(earlier, volume) for earlier in segmentations_of(volume, Role.REVIEWED)]
    before = Standing.of(node, volume)
    set_role(node, Role.REVIEWED)
    return [before, *aside]


def mark_annotated(node: Any, volume: Any) -> list[Standing]:
    """Makes a prediction the annotation, of which all slices count; earlier annotations are kept, hidden."""
    aside = [put_aside(earlier, volume) for earlier in _drawn_annotations(volume)]
    before = Standing.of(node, volume)
    set_role(node, Role.ANNOTATION)
    set_choice(node, SliceChoice(Counting.ALL))
    return [before, *aside]


def bring_back(node: Any, volume: Any) -> list[Standing]:
    """Gives a kept segmentation its former role; what has that role now is kept, hidden, in its place.

    Annotations of other structures stay: they are learned from together.
    """
    role = former_role_of(node)
    if role is Role.ANNOTATION:
        names = _names(node)
        others = [one for one in _drawn_annotations(volume) if names & _names(one)]
    else:
        others = segmentations_of(volume, role)
    aside = [put_aside(one, volume) for one in others]
    before = Standing.of(node, volume)
    set_role(node, role)
    return [before, *aside]


def names_of_kept(steps: list[Standing]) -> list[str]:
    """The names of the segmentations that a step has put aside."""
    return [step.node.GetName() for step in steps if role_of(step.node) is Role.ASIDE]


def _drawn_annotations(volume: Any) -> list[Any]:
    return [node for node in annotations_of(volume) if any(is_drawn(node, one.id) for one in segments_of(node))]


def _names(node: Any) -> set[str]:
    return {" ".join(segment.name.casefold().split()) for segment in segments_of(node) if is_drawn(node, segment.id)}
