"""Slicer's own module Segment Editor, as far as other modules look into it: its panel's `editor` and its parameter node."""

from types import SimpleNamespace
from typing import Any

import slicer

from Testing.host.stand_ins.qmrml_segment_editor import qMRMLSegmentEditorWidget
from Testing.host.stand_ins.qslicer_modules import (
    qSlicerAbstractModuleWidget,
    qSlicerLoadableModule,
    qSlicerScriptedLoadableModuleWidget,
)


class SegmentEditorPanel(qSlicerScriptedLoadableModuleWidget):
    """The panel; `self()` has the editor widget as `editor`, as Slicer's scripted module has."""

    def __init__(self, module: qSlicerLoadableModule) -> None:
        from Testing.host.pythonqt.wrapping import wrap

        qSlicerAbstractModuleWidget.__init__(self, module)  # there is no Python file to make a widget from
        editor = qMRMLSegmentEditorWidget(self)
        layout = self.layout()
        if layout is not None:
            layout.addWidget(editor)
        self._editor = editor
        self._widget = SimpleNamespace(editor=wrap(editor), moduleName="SegmentEditor")

    def enter(self) -> None:
        qSlicerAbstractModuleWidget.enter(self)
        if self._editor.mrmlScene() is None:
            self._editor.setMRMLScene(slicer.mrmlScene)
        if self._editor.mrmlSegmentEditorNode() is None or self._editor.mrmlSegmentEditorNode().GetScene() is None:
            self._editor.setMRMLSegmentEditorNode(self.parameter_node())

    def exit(self) -> None:
        qSlicerAbstractModuleWidget.exit(self)

    @staticmethod
    def parameter_node() -> Any:
        """The singleton node that the module keeps its choices in."""
        found = slicer.mrmlScene.GetSingletonNode("SegmentEditor", "vtkMRMLSegmentEditorNode")
        if found is not None:
            return found
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLSegmentEditorNode")
        node.UnRegister(None)  # the scene's factory hands over a reference that Python does not count
        node.SetSingletonTag("SegmentEditor")
        return slicer.mrmlScene.AddNode(node)


class SegmentEditorModule(qSlicerLoadableModule):
    """slicer.modules.segmenteditor."""

    def __init__(self) -> None:
        super().__init__("SegmentEditor")
        self.title = "Segment Editor"

    def createNewWidgetRepresentation(self) -> Any:
        return SegmentEditorPanel(self)
