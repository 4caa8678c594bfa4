"""How an encoder goes from PCLPretrain to PCLSegmentation.

The path of the encoder is the attribute ``PCL.Encoder`` of a parameter node in the scene, so it is saved with the scene.
PCLSegmentation looks for it when it is entered::

    encoder = handover.offered_encoder(slicer.mrmlScene)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

ATTRIBUTE = "PCL.Encoder"
_NODE_CLASS = "vtkMRMLScriptedModuleNode"


def offer_encoder(node: Any, encoder: Path) -> None:
    """Writes the path of an encoder into the attribute of a parameter node."""
    node.SetAttribute(ATTRIBUTE, str(encoder))


def offered_encoder(scene: Any) -> Path | None:
    """The encoder that was offered last in a scene, when its file is still there."""
    nodes = [scene.GetNthNodeByClass(number, _NODE_CLASS) for number in range(scene.GetNumberOfNodesByClass(_NODE_CLASS))]
    for node in reversed(nodes):
        path = node.GetAttribute(ATTRIBUTE)
        if path and Path(path).is_file():
            return Path(path)
    return None
