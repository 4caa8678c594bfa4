"""Shows a volume with its segmentation: in the slice views, in 3-D, and with which opacity."""

from __future__ import annotations

from typing import Any

import slicer

from PCLLib.segment_nodes import segments_of
from PCLLib.segment_roles import Role, role_of


def show_volume_node(volume: Any) -> None:
    """Shows a volume in all slice views, with nothing over it."""
    slicer.util.setSliceViewerLayers(background=volume, foreground=None, label=None, fit=True)


def shown_volume() -> Any:
    """The volume in the background of the first slice view that has one; None when there is none."""
    for composite in slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"):
        node = slicer.mrmlScene.GetNodeByID(composite.GetBackgroundVolumeID() or "")
        if node is not None:
            return node
    return None


def show_only(volume: Any, node: Any, opacity: float) -> None:
    """Shows one segmentation of a volume, and hides the other ones of it that are results."""
    for other in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        reference = other.GetNodeReference(other.GetReferenceImageGeometryReferenceRole())
        if other is not node and (reference is not volume or role_of(other) is not Role.ANNOTATION):
            other.SetDisplayVisibility(False)
    node.CreateDefaultDisplayNodes()
    node.SetDisplayVisibility(True)
    set_opacity(node, opacity)


def set_opacity(node: Any, opacity: float) -> None:
    """How dense segments are in the slice views, of 0 to 1."""
    display = node.GetDisplayNode()
    if display is not None:
        display.SetOpacity2DFill(opacity)
        display.SetOpacity2DOutline(min(1.0, opacity + 0.4) if opacity > 0 else 0.0)


def show_in_3d(node: Any) -> None:
    """Makes the surfaces of the segments and shows them in the 3-D views."""
    if not segments_of(node) or node.GetDisplayNode() is None:
        return
    node.CreateClosedSurfaceRepresentation()
    node.GetDisplayNode().SetVisibility3D(True)
    manager = slicer.app.layoutManager()
    if manager is not None:
        manager.resetThreeDViews()


def is_visible(node: Any, segment_id: str) -> bool:
    """Whether a segment is shown."""
    return bool(node.GetDisplayNode().GetSegmentVisibility(segment_id))


def set_visible(node: Any, segment_id: str, visible: bool) -> None:
    """Shows or hides a segment, in slices and in 3-D."""
    node.GetDisplayNode().SetSegmentVisibility(segment_id, visible)


def show_confidence(node: Any, opacity: float = 0.4) -> None:
    """Lays a map of confidence over the volume."""
    slicer.util.setSliceViewerLayers(foreground=node, foregroundOpacity=opacity)
