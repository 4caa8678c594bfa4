"""Volumes of the scene, and those of folders, which are loaded when they are needed."""

from __future__ import annotations

from typing import Any

import slicer
from slicer.i18n import tr as _

from PCLLib.case_states import Case
from PCLLib.volume_display import key_of, load_volume, loaded_from, patient_in
from PCLLib.volume_nodes import NotAVolumeError, geometry_of

_LEFT_OUT = "PCL.LeftOut"


def volumes_of_scene() -> list[Any]:
    """Every volume node that can be segmented, but no label map and no map of confidence."""
    nodes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    return [node for node in nodes if _usable(node)]


def _usable(node: Any) -> bool:
    return not node.GetHideFromEditors() and not why_no_case(node)


def why_no_case(node: Any) -> str:
    """Why a volume node cannot be segmented, in words; empty when it can."""
    if node.IsA("vtkMRMLLabelMapVolumeNode"):
        return _("{name} is a label map.").format(name=node.GetName())
    if node.GetAttribute("PCL.Confidence"):
        return _("{name} is a map of confidence.").format(name=node.GetName())
    try:
        geometry_of(node)
    except NotAVolumeError as error:
        return str(error)
    return ""


def is_left_out(node: Any) -> bool:
    """Whether a volume of the scene is not to be learned from. It stands in the node: ids change when scenes are added."""
    return node.GetAttribute(_LEFT_OUT) is not None


def leave_out(node: Any, on: bool) -> None:
    """Says whether a volume of the scene is not to be learned from."""
    if on:
        node.SetAttribute(_LEFT_OUT, "1")
    else:
        node.RemoveAttribute(_LEFT_OUT)


def case_key(node: Any) -> str:
    """The key of the case that a volume node is of."""
    return key_of(node) or str(node.GetID())


def patient_of(case: Case) -> str:
    """Whose a case is: by its file, also when its folder was taken away since, else as Slicer's DICOM browser loaded it.

    Empty when nobody knows.
    """
    if case.row is not None:
        return case.row.patient
    node = loaded_from(case.key) or slicer.mrmlScene.GetNodeByID(case.key)
    return "" if node is None else patient_in(node) or _dicom_patient(node)


def _dicom_patient(node: Any) -> str:
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(node) if hierarchy is not None else 0
    if not item:
        return ""
    patient = hierarchy.GetItemAncestorAtLevel(item, slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMLevelPatient())
    return f"DICOM patient {patient}" if patient else ""


def node_of(case: Case) -> Any:
    """The volume node of a case, loaded when it is not there yet.

    Raises:
        RuntimeError: Slicer cannot load the file, or the node is gone.
    """
    node = loaded_from(case.key) or slicer.mrmlScene.GetNodeByID(case.key)
    if node is None and case.row is not None:
        node = load_volume(case.row)
    if node is None:
        raise RuntimeError(case.name)
    return node
