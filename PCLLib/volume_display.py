"""Loads volumes of a scan report, and shows them in the slice views."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer

from PCLLib.scan_report import VolumeRow

_ATTRIBUTE = "PCL.VolumePath"


def show_volume(row: VolumeRow) -> Any:
    """Loads a volume, or takes the node that was loaded before, and shows it in all slice views.

    Returns:
        the volume node.

    Raises:
        RuntimeError: Slicer cannot load the file.
    """
    node = loaded_from(row.path)
    if node is None:
        node = load_volume(row.id, row.path, row.format)
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node


def load_volume(name: str, path: Path, file_format: str) -> Any:
    """Loads a file, or the DICOM series of a folder, into the scene. Raises RuntimeError when Slicer cannot."""
    properties = {"name": name, "singleFile": file_format != "dicom", "show": False}
    node = slicer.util.loadVolume(str(_file_of(path)), properties=properties)
    node.SetAttribute(_ATTRIBUTE, str(path))
    return node


def path_of(node: Any) -> Path | None:
    """The file or folder that a node was loaded from by this extension; None for any other node."""
    path = node.GetAttribute(_ATTRIBUTE)
    return Path(path) if path else None


def loaded_from(path: Path) -> Any:
    """The node that was loaded from a path; None when there is none."""
    nodes = slicer.util.getNodesByClass("vtkMRMLVolumeNode")
    return next((node for node in nodes if node.GetAttribute(_ATTRIBUTE) == str(path)), None)


def _file_of(path: Path) -> Path:
    """The file to load: for a DICOM series the first of its folder, from which Slicer finds the others."""
    if not path.is_dir():
        return path
    return min((one for one in path.iterdir() if one.is_file() and not one.name.startswith(".")), default=path)
