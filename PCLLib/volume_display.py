"""Loads volumes of a scan report, and shows them in the slice views."""

from __future__ import annotations

from typing import Any

import slicer
from slicer.i18n import tr as _

from pcl_core.errors import InputError
from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.reading import read_volume
from PCLLib.scan_report import VolumeRow
from PCLLib.volume_nodes import ijk_to_ras

_ATTRIBUTE = "PCL.VolumeKey"
_PATIENT = "PCL.Patient"


def show_volume(row: VolumeRow) -> Any:
    """Loads a volume, or takes the node that was loaded before, and shows it in all slice views.

    Returns:
        the volume node.

    Raises:
        RuntimeError: the file cannot be loaded.
    """
    node = loaded_from(row.key)
    if node is None:
        node = load_volume(row)
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    return node


def load_volume(row: VolumeRow) -> Any:
    """Loads a volume into the scene.

    Slicer reads files of one volume. DICOM series and frames are read as the engine reads them: Slicer would take one series or
    frame of several without saying which.

    Raises:
        RuntimeError: the file cannot be loaded.
    """
    if row.format == "dicom" or row.part is not None:
        node = _load_part(row)
    else:
        node = slicer.util.loadVolume(str(row.path), properties={"name": row.id, "singleFile": True, "show": False})
    node.SetAttribute(_ATTRIBUTE, row.key)
    node.SetAttribute(_PATIENT, row.patient or None)
    return node


def patient_in(node: Any) -> str:
    """Whose a volume is, as it was known when it was loaded; clones are of the same patient. Empty when it was not known."""
    return str(node.GetAttribute(_PATIENT) or "")


def _load_part(row: VolumeRow) -> Any:
    try:
        sources = [source for source in find_volumes(row.path).sources if source.path == row.path]
        if (row.part or 0) >= len(sources):
            raise RuntimeError(_("{path} has changed since it was looked at.").format(path=row.path))
        volume = read_volume(sources[row.part or 0])
    except InputError as error:
        raise RuntimeError(str(error)) from error
    return slicer.util.addVolumeFromArray(volume.voxels, ijkToRAS=ijk_to_ras(volume.geometry), name=row.id)


def key_of(node: Any) -> str | None:
    """The key of the volume of a chosen folder that a node was loaded from; None for other nodes, clones of it among them."""
    key: str | None = node.GetAttribute(_ATTRIBUTE)
    return key if key and loaded_from(key) is node else None


def loaded_from(key: str) -> Any:
    """The node that was loaded for the key of a volume, the first of the scene; None when there is none."""
    nodes = slicer.util.getNodesByClass("vtkMRMLVolumeNode")
    return next((node for node in nodes if node.GetAttribute(_ATTRIBUTE) == key), None)


def part_clones() -> None:
    """Takes the keys from clones, to which Slicer copies them: a clone stays a volume of its own when the first node goes."""
    for node in slicer.util.getNodesByClass("vtkMRMLVolumeNode"):
        if node.GetAttribute(_ATTRIBUTE) and key_of(node) is None:
            node.RemoveAttribute(_ATTRIBUTE)
