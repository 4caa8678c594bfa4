"""Volumes of the scene, and those of folders, which are loaded when they are needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer

from PCLLib.case_states import Case
from PCLLib.volume_display import load_volume, loaded_from, path_of
from PCLLib.volume_nodes import NotAVolumeError, geometry_of


def volumes_of_scene() -> list[Any]:
    """Every volume node that can be segmented, but no label map and no map of confidence."""
    nodes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return [node for node in nodes if _usable(node)]


def _usable(node: Any) -> bool:
    if node.IsA("vtkMRMLLabelMapVolumeNode") or node.GetHideFromEditors() or node.GetAttribute("PCL.Confidence"):
        return False
    try:
        geometry_of(node)
    except NotAVolumeError:
        return False
    return True


def node_of(case: Case) -> Any:
    """The volume node of a case, loaded when it is not there yet.

    Raises:
        RuntimeError: Slicer cannot load the file, or the node is gone.
    """
    node = slicer.mrmlScene.GetNodeByID(case.key) if case.path is None else loaded_from(case.path)
    if node is None and case.path is not None:
        node = load_volume(case.name, case.path, case.format)
    if node is None:
        raise RuntimeError(case.name)
    return node


def file_of(node: Any) -> Path | None:
    """The file of a chosen folder that a volume node was loaded from."""
    return path_of(node)
