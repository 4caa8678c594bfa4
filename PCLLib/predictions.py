"""Predictions in the scene: each in a new node; what a person changed is never lost; one click is undone in one step."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from PCLLib.keeping import Standing, kept_of, put_aside
from PCLLib.segment_nodes import new_segmentation
from PCLLib.segment_roles import Role, mark_prediction, role_of, segmentations_of, was_edited
from PCLLib.segmenter import Segmented
from PCLLib.volume_nodes import geometry_of, ijk_to_ras

# The attribute says what a volume is; the reference to its volume survives when scenes are joined, which changes ids.
_CONFIDENCE, _CONFIDENCE_OF = "PCL.Confidence", "PCL.ConfidenceOf"


@dataclass
class Click:
    """What one click did, as far as it takes to undo it.

    Attributes:
        made: new segmentations, each with its volume.
        maps: new maps of confidence.
        replaced: predictions that nobody had changed, and which were taken out of the scene, each with its volume.
        replaced_maps: earlier maps of confidence, which were taken out of the scene, each with its volume.
        changed: what segmentations counted as before, of those that were put aside, accepted or marked.
    """

    made: list[tuple[Any, Any]] = field(default_factory=list)
    maps: list[Any] = field(default_factory=list)
    replaced: list[tuple[Any, Any]] = field(default_factory=list)
    replaced_maps: list[tuple[Any, Any]] = field(default_factory=list)
    changed: list[Standing] = field(default_factory=list)


def add_prediction(volume: Any, found: Segmented, model: Path, click: Click) -> Any:
    """Adds what was found as a new segmentation node, in place of an earlier prediction that nobody has changed.

    Annotations and accepted predictions stay as they are; a prediction that was changed stays too, hidden.
    """
    for earlier in segmentations_of(volume, Role.PREDICTION):
        if was_edited(earlier, volume):
            click.changed.append(put_aside(earlier, volume))
        else:
            slicer.mrmlScene.RemoveNode(earlier)
            click.replaced.append((earlier, volume))
    name = _("{name} segmentation").format(name=volume.GetName())
    if any(one.GetName() == name for one in kept_of(volume)):  # people are told of both
        name = slicer.mrmlScene.GenerateUniqueName(name)
    node = new_segmentation(name, volume, found.labels, found.classes)
    mark_prediction(node, volume, model)
    click.made.append((node, volume))
    return node


def undo(click: Click) -> list[str]:
    """Takes a click back. A result that was changed or accepted since then stays, and what gave way to it stays away.

    Returns:
        the names of the results that stay.
    """
    stay = [(node, volume) for node, volume in click.made if not _taken_out(node, volume)]
    taken = [volume for _node, volume in stay]
    for node in click.maps:
        if slicer.mrmlScene.IsNodePresent(node) and node.GetNodeReference(_CONFIDENCE_OF) not in taken:
            slicer.mrmlScene.RemoveNode(node)
    for node, volume in click.replaced:
        if volume not in taken and slicer.mrmlScene.IsNodePresent(volume):
            slicer.mrmlScene.AddNode(node)
            node.CreateDefaultDisplayNodes()
            node.SetDisplayVisibility(True)
    for node, volume in click.replaced_maps:
        if volume not in taken and slicer.mrmlScene.IsNodePresent(volume):
            _put_back(node, volume)
    for before in click.changed:
        if before.volume not in taken:
            before.restore()
    return [node.GetName() for node, _volume in stay]


def _taken_out(node: Any, volume: Any) -> bool:
    """Whether a result is gone, or goes now: nobody has changed or accepted it."""
    if not slicer.mrmlScene.IsNodePresent(node) or not slicer.mrmlScene.IsNodePresent(volume):
        return True
    if role_of(node) is not Role.PREDICTION or was_edited(node, volume):
        return False
    slicer.mrmlScene.RemoveNode(node)
    return True


def _put_back(node: Any, volume: Any) -> None:
    """A map of confidence that was taken out of the scene; Slicer forgets references of nodes that are taken out."""
    slicer.mrmlScene.AddNode(node)
    node.SetNodeReferenceID(_CONFIDENCE_OF, volume.GetID())
    _show_as_confidence(node)


def _show_as_confidence(node: Any) -> None:
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    if display is not None:
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(0, 100)
        colours = slicer.mrmlScene.GetFirstNodeByName("ColdToHotRainbow")
        if colours is not None:
            display.SetAndObserveColorNodeID(colours.GetID())


def add_confidence(volume: Any, confidence: np.ndarray, click: Click) -> Any:
    """The confidence in percent as a volume node in colours; that of an earlier click is replaced."""
    for earlier in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        if earlier.GetAttribute(_CONFIDENCE) and earlier.GetNodeReference(_CONFIDENCE_OF) is volume:
            slicer.mrmlScene.RemoveNode(earlier)
            click.replaced_maps.append((earlier, volume))
    name = _("{name} confidence").format(name=volume.GetName())
    node = slicer.util.addVolumeFromArray(confidence, ijkToRAS=ijk_to_ras(geometry_of(volume)), name=name)
    node.SetAttribute(_CONFIDENCE, "1")
    node.SetNodeReferenceID(_CONFIDENCE_OF, volume.GetID())
    node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    _show_as_confidence(node)
    click.maps.append(node)
    return node
