"""The Segment Editor inside the panel: draws annotations, corrects predictions."""

from __future__ import annotations

from typing import Any

import slicer
from slicer.i18n import tr as _

from PCLLib import overlay
from PCLLib.segment_nodes import segments_of
from PCLLib.segment_roles import Role, annotation_of, set_role
from PCLLib.segmentation_desk import Desk

_EDITOR = "PCLSegmentation.Editor"


class EditorPart:
    """Binds the section of the Segment Editor.

    Args:
        ui: the widgets by their names.
        desk: what is shown.
    """

    def __init__(self, ui: Any, desk: Desk) -> None:
        self._ui, self._desk = ui, desk
        self.widget = slicer.qMRMLSegmentEditorWidget()
        self.widget.setObjectName("PCLSegmentEditor")
        self.widget.setMaximumNumberOfUndoStates(10)
        ui.annotateSection.layout().addWidget(self.widget)
        self.widget.setMRMLScene(slicer.mrmlScene)

    def annotate(self, volume: Any) -> None:
        """Opens the annotation of a volume; a new one has the segments of the class list."""
        node = annotation_of(volume)
        if node is None:
            node = slicer.mrmlScene.AddNewNodeByClass(
                "vtkMRMLSegmentationNode", _("{name} annotation").format(name=volume.GetName())
            )
            node.CreateDefaultDisplayNodes()
            node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
            node.SetAndObserveTransformNodeID(volume.GetTransformNodeID())
            set_role(node, Role.ANNOTATION)
        if not segments_of(node):
            self._add_classes(node)
        self.edit(node, volume)

    def _add_classes(self, node: Any) -> None:
        segmentation = node.GetSegmentation()
        for entry in self._desk.classes:
            name = segmentation.AddEmptySegment("", entry.name, list(entry.color))
            if entry.terminology:
                segment = segmentation.GetSegment(name)
                segment.SetTag(segment.GetTerminologyEntryTagName(), entry.terminology)

    def edit(self, node: Any, volume: Any) -> None:
        """Opens a segmentation of a volume."""
        if self.widget.mrmlSegmentEditorNode() is None:
            self.widget.setMRMLSegmentEditorNode(self._editor_node())
        self.widget.setSegmentationNode(node)
        self.widget.setSourceVolumeNode(volume)
        overlay.show_only(volume, node, self._ui.opacitySliderWidget.value)
        self._ui.annotateSection.collapsed = False

    def stop(self) -> None:
        """The scene is closed, or the panel is left."""
        self.widget.setActiveEffect(None)
        self.widget.setSegmentationNode(None)
        self.widget.setMRMLSegmentEditorNode(None)

    def leave(self) -> None:
        """Another module is opened: the mouse draws no more."""
        self.widget.setActiveEffect(None)
        self.widget.uninstallKeyboardShortcuts()

    def enter(self) -> None:
        """The module is opened."""
        self.widget.installKeyboardShortcuts()

    def _editor_node(self) -> Any:
        found = slicer.mrmlScene.GetSingletonNode(_EDITOR, "vtkMRMLSegmentEditorNode")
        if found is not None:
            return found
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
        node.UnRegister(None)
        node.SetSingletonTag(_EDITOR)
        return slicer.mrmlScene.AddNode(node)
