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

_CONFIDENCE = "PCL.Confidence"


@dataclass
class Click:
    """What one click did, as far as it takes to undo it.

    Attributes:
        made: new segmentations, each with its volume.
        maps: new maps of confidence.
        replaced: predictions that nobody had changed, and which were taken out of the scene, each with its volume.
        changed: what segmentations counted as before, of those that were put aside, accepted or marked.
    """

    made: list[tuple[Any, Any]] = field(default_factory=list)
    maps: list[Any] = field(default_factory=list)
    replaced: list[tuple[Any, Any]] = field(default_factory=list)
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
    stay: list[tuple[Any, Any]] = []
    for node, volume in click.made:
        if not slicer.mrmlScene.IsNodePresent(node) or not slicer.mrmlScene.IsNodePresent(volume):
            continue
        if role_of(node) is Role.PREDICTION and not was_edited(node, volume):
            slicer.mrmlScene.RemoveNode(node)
        else:
            stay.append((node, volume))
    for node in click.maps:
        if slicer.mrmlScene.IsNodePresent(node):
            slicer.mrmlScene.RemoveNode(node)
    kept = [volume for _node, volume in stay]
    for node, volume in click.replaced:
        if volume not in kept and slicer.mrmlScene.IsNodePresent(volume):
            slicer.mrmlScene.AddNode(node)
            node.CreateDefaultDisplayNodes()
            node.SetDisplayVisibility(True)
    for before in click.changed:
        if before.volume not in kept:
            before.restore()
    return [node.GetName() for node, _volume in stay]


def add_confidence(volume: Any, confidence: np.ndarray, click: Click) -> Any:
    """The confidence in percent as a volume node in colours; that of an earlier click is replaced."""
    for earlier in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode"):
        if earlier.GetAttribute(_CONFIDENCE) == volume.GetID():
            slicer.mrmlScene.RemoveNode(earlier)
    name = _("{name} confidence").format(name=volume.GetName())
    node = slicer.util.addVolumeFromArray(confidence, ijkToRAS=ijk_to_ras(geometry_of(volume)), name=name)
    node.SetAttribute(_CONFIDENCE, volume.GetID())
    node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
    display = node.GetDisplayNode()
    if display is not None:
        display.SetAutoWindowLevel(False)
        display.SetWindowLevelMinMax(0, 100)
        colours = slicer.mrmlScene.GetFirstNodeByName("ColdToHotRainbow")
        if colours is not None:
            display.SetAndObserveColorNodeID(colours.GetID())
    click.maps.append(node)
    return node
