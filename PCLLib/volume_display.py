"""Shows a volume of a scan report in the slice views."""

from __future__ import annotations

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
    node = _loaded(row)
    if node is None:
        file = _file_of(row)
        node = slicer.util.loadVolume(
            str(file), properties={"name": row.id, "singleFile": row.format != "dicom", "show": False}
        )
        node.SetAttribute(_ATTRIBUTE, str(row.path))
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node


def _loaded(row: VolumeRow) -> Any:
    nodes = slicer.util.getNodesByClass("vtkMRMLVolumeNode")
    return next((node for node in nodes if node.GetAttribute(_ATTRIBUTE) == str(row.path)), None)


def _file_of(row: VolumeRow) -> Any:
    """The file to load: for a DICOM series the first of its folder, from which Slicer finds the others."""
    if not row.path.is_dir():
        return row.path
    return min((path for path in row.path.iterdir() if path.is_file() and not path.name.startswith(".")), default=row.path)
