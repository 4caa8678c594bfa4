"""Shows a volume with its segmentation: in the slice views, in 3-D, and with which opacity."""

from __future__ import annotations

from typing import Any

import slicer

from PCLLib.segment_nodes import segments_of
from PCLLib.segment_roles import Role, role_of

# Attribute of segmentations that are hidden only while another volume is shown; a person has hidden the others.
_AWAY = "PCL.HiddenWithVolume"


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


def show_of(volume: Any) -> None:
    """Shows the segmentations of a volume again that were hidden with it, and hides those of other volumes.

    Two patients lie at one place of the scene: what was found in one must not lie over the image of the other.
    """
    for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        reference = _volume_of(node)
        if reference is not None and reference is not volume:
            _hide_with_volume(node)
        elif reference is volume and node.GetAttribute(_AWAY) is not None:
            node.RemoveAttribute(_AWAY)
            if role_of(node) is not Role.ASIDE:
                node.SetDisplayVisibility(True)


def show_only(volume: Any, node: Any, opacity: float) -> None:
    """Shows one segmentation of a volume, and hides the other ones of it that are results, and those of other volumes."""
    show_of(volume)
    for other in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        if other is not node and _volume_of(other) is volume and role_of(other) is not Role.ANNOTATION:
            other.SetDisplayVisibility(False)
    node.CreateDefaultDisplayNodes()
    node.SetDisplayVisibility(True)
    set_opacity(node, opacity)


def _volume_of(node: Any) -> Any:
    return node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole())


def _hide_with_volume(node: Any) -> None:
    if node.GetDisplayNode() is not None and node.GetDisplayVisibility():
        node.SetAttribute(_AWAY, "1")
        node.SetDisplayVisibility(False)


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


def has_surfaces(node: Any) -> bool:
    """Whether the surfaces of the segments were made."""
    name = slicer.vtkSegmentationConverter.GetSegmentationClosedSurfaceRepresentationName()
    return bool(node.GetSegmentation().ContainsRepresentation(name))


def is_visible(node: Any, segment_id: str) -> bool:
    """Whether a segment is shown."""
    return bool(node.GetDisplayNode().GetSegmentVisibility(segment_id))


def set_visible(node: Any, segment_id: str, visible: bool) -> None:
    """Shows or hides a segment, in slices and in 3-D."""
    node.GetDisplayNode().SetSegmentVisibility(segment_id, visible)


def show_confidence(node: Any, opacity: float = 0.4) -> None:
    """Lays a map of confidence over the volume."""
    slicer.util.setSliceViewerLayers(foreground=node, foregroundOpacity=opacity)
