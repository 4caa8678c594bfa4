"""The segment editor: real nodes, a real undo history, and buttons for effects that do not draw.

On the bench nobody paints with the mouse: a test writes voxels with slicer.util.updateSegmentBinaryLabelmapFromArray instead.
"""

from typing import Any

import slicer
from PySide6 import QtCore, QtGui, QtWidgets

from Testing.host.pythonqt.wrapping import unwrap
from Testing.host.stand_ins.ctk_buttons import ctkMenuButton
from Testing.host.stand_ins.qmrml_base import qMRMLWidget
from Testing.host.stand_ins.qmrml_nodes import qMRMLNodeComboBox
from Testing.host.stand_ins.qmrml_segments import qMRMLSegmentsTableView, segment_ids
from Testing.host.stand_ins.stored import computed, parent_among, stored

EFFECTS: tuple[str, ...] = (
    "Threshold",
    "Paint",
    "Draw",
    "Erase",
    "Level tracing",
    "Grow from seeds",
    "Fill between slices",
    "Margin",
)
EFFECTS += ("Hollow", "Smoothing", "Scissors", "Islands", "Logical operators", "Mask volume")


class qSlicerSegmentEditorAbstractEffect(QtCore.QObject):
    """An effect: on the bench it keeps its parameters and does nothing."""

    name = stored("name", str, "")
    title = stored("title", str, "")
    perSegment = stored("perSegment", bool, True)
    requireSegments = stored("requireSegments", bool, True)

    def __init__(self, name: str, editor: "qMRMLSegmentEditorWidget") -> None:
        super().__init__(editor)
        self.name = self.title = name
        self._editor = editor

    def active(self) -> bool:
        return self._editor.activeEffect() is self

    def parameterSetNode(self) -> Any:
        return self._editor.mrmlSegmentEditorNode()

    def setParameter(self, name: str, value: Any) -> None:
        self.parameterSetNode().SetAttribute(f"{self.name}.{name}", str(value))

    def setCommonParameter(self, name: str, value: Any) -> None:
        self.parameterSetNode().SetAttribute(name, str(value))

    def parameter(self, name: str) -> str:
        node = self.parameterSetNode()
        return str(node.GetAttribute(f"{self.name}.{name}") or node.GetAttribute(name) or "")

    def integerParameter(self, name: str) -> int:
        return int(self.parameter(name) or 0)

    def doubleParameter(self, name: str) -> float:
        return float(self.parameter(name) or 0.0)

    def saveStateForUndo(self) -> None:
        self._editor.saveStateForUndo()


class qMRMLSegmentEditorWidget(qMRMLWidget):
    """Chooses a segmentation and its source volume, lists, adds and removes segments, undoes and redoes."""

    segmentationNodeChanged = QtCore.Signal(object)
    sourceVolumeNodeChanged = QtCore.Signal(object)
    masterVolumeNodeChanged = QtCore.Signal(object)
    currentSegmentIDChanged = QtCore.Signal(str)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._editor_node: Any = None
        self._effect: qSlicerSegmentEditorAbstractEffect | None = None
        self._shortcuts: list[QtGui.QShortcut] = []
        self._effects = {name: qSlicerSegmentEditorAbstractEffect(name, self) for name in EFFECTS}
        self._history = slicer.vtkSegmentationHistory()
        self._segmentations = self._selector("vtkMRMLSegmentationNode")
        self._volumes = self._selector("vtkMRMLScalarVolumeNode")
        self._volumes.addEnabled = self._volumes.removeEnabled = False
        self._table = qMRMLSegmentsTableView(self)
        self._add, self._remove = QtWidgets.QPushButton("Add"), QtWidgets.QPushButton("Remove")
        self._undo, self._redo = QtWidgets.QPushButton("Undo"), QtWidgets.QPushButton("Redo")
        self._lay_out()
        self._segmentations.currentNodeChanged.connect(self.setSegmentationNode)
        self._volumes.currentNodeChanged.connect(self.setSourceVolumeNode)
        self._table.selectionChanged.connect(lambda *_: self._segment_selected())
        self._add.clicked.connect(self._add_segment)
        self._remove.clicked.connect(self._remove_segment)
        self._undo.clicked.connect(self.undo)
        self._redo.clicked.connect(self.redo)

    @staticmethod
    def _selector(kind: str) -> qMRMLNodeComboBox:
        box = qMRMLNodeComboBox()
        box.nodeTypes = [kind]
        box.noneEnabled = True
        return box

    def _lay_out(self) -> None:
        form = QtWidgets.QFormLayout()
        form.addRow("Segmentation:", self._segmentations)
        form.addRow("Source volume:", self._volumes)
        row = QtWidgets.QHBoxLayout()
        for button in (self._add, self._remove, self._undo, self._redo):
            row.addWidget(button)
        effects = QtWidgets.QGridLayout()
        self._buttons: dict[str, QtWidgets.QToolButton] = {}
        for index, name in enumerate(EFFECTS):
            self._buttons[name] = self._effect_button(name)
            effects.addWidget(self._buttons[name], index // 3, index % 3)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(form)
        layout.addLayout(row)
        layout.addWidget(self._table)
        layout.addLayout(effects)

    def _effect_button(self, name: str) -> QtWidgets.QToolButton:
        button = QtWidgets.QToolButton(self)
        button.setText(name)
        button.setCheckable(True)
        button.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
        button.clicked.connect(lambda checked: self.setActiveEffectByName(name if checked else ""))
        return button

    def _scene_set(self) -> None:
        self._segmentations.setMRMLScene(self._scene)
        self._volumes.setMRMLScene(self._scene)

    # Nodes

    def setMRMLSegmentEditorNode(self, node: Any) -> None:
        self._editor_node = node
        self.updateWidgetFromMRML()

    def mrmlSegmentEditorNode(self) -> Any:
        return self._editor_node

    def updateWidgetFromMRML(self) -> None:
        if self._editor_node is None:
            return
        self.setSegmentationNode(self._editor_node.GetSegmentationNode())
        self.setSourceVolumeNode(self._editor_node.GetSourceVolumeNode())

    def setSegmentationNode(self, node: Any) -> None:
        if node is self.segmentationNode() and self._segmentations.currentNode() is node:
            return
        if self._editor_node is not None:
            self._editor_node.SetAndObserveSegmentationNode(node)
        self._segmentations.setCurrentNode(node)
        self._table.setSegmentationNode(node)
        self._history.RemoveAllStates()
        self._history.SetSegmentation(node.GetSegmentation() if node is not None else None)
        ids = segment_ids(node)
        self.setCurrentSegmentID(ids[0] if ids else "")
        self.segmentationNodeChanged.emit(node)

    def segmentationNode(self) -> Any:
        return self._table.segmentationNode()

    def setSegmentationNodeID(self, node_id: str) -> None:
        self.setSegmentationNode(self._scene.GetNodeByID(node_id) if node_id else None)

    def segmentationNodeID(self) -> str:
        return str(self.segmentationNode().GetID()) if self.segmentationNode() is not None else ""

    def setSourceVolumeNode(self, node: Any) -> None:
        if self._editor_node is not None:
            self._editor_node.SetAndObserveSourceVolumeNode(node)
        self._volumes.setCurrentNode(node)
        if node is not None and self.segmentationNode() is not None:
            self.segmentationNode().SetReferenceImageGeometryParameterFromVolumeNode(node)
        self.sourceVolumeNodeChanged.emit(node)
        self.masterVolumeNodeChanged.emit(node)

    def sourceVolumeNode(self) -> Any:
        return self._volumes.currentNode()

    def setSourceVolumeNodeID(self, node_id: str) -> None:
        self.setSourceVolumeNode(self._scene.GetNodeByID(node_id) if node_id else None)

    def sourceVolumeNodeID(self) -> str:
        return str(self._volumes.currentNodeID)

    # Segments

    def setCurrentSegmentID(self, segment_id: str) -> None:
        self._table.setSelectedSegmentIDs([segment_id] if segment_id else [])

    def currentSegmentID(self) -> str:
        chosen = self._table.selectedSegmentIDs()
        return chosen[0] if chosen else ""

    def _segment_selected(self) -> None:
        if self._editor_node is not None:
            self._editor_node.SetSelectedSegmentID(self.currentSegmentID())
        self.currentSegmentIDChanged.emit(self.currentSegmentID())

    def _add_segment(self) -> None:
        if self.segmentationNode() is not None:
            self.saveStateForUndo()
            self.setCurrentSegmentID(self.segmentationNode().GetSegmentation().AddEmptySegment())

    def _remove_segment(self) -> None:
        if self.currentSegmentID():
            self.saveStateForUndo()
            self.segmentationNode().GetSegmentation().RemoveSegment(self.currentSegmentID())

    def selectSegmentAtOffset(self, offset: int) -> None:
        ids = self._table.displayedSegmentIDs()
        if self.currentSegmentID() in ids:
            place = ids.index(self.currentSegmentID()) + offset
            self.setCurrentSegmentID(ids[min(max(place, 0), len(ids) - 1)])

    def selectNextSegment(self) -> None:
        self.selectSegmentAtOffset(1)

    def selectPreviousSegment(self) -> None:
        self.selectSegmentAtOffset(-1)

    # Undo

    def saveStateForUndo(self) -> None:
        if self.segmentationNode() is not None and self.undoEnabled:
            self._history.SaveState()

    def undo(self) -> None:
        self._history.RestorePreviousState()

    def redo(self) -> None:
        self._history.RestoreNextState()

    # Effects

    def availableEffectNames(self) -> list[str]:
        return list(self._effects)

    effectNameOrder = availableEffectNames

    def setEffectNameOrder(self, names: list[str]) -> None:
        for name, button in self._buttons.items():
            button.setVisible(name in names or self.unorderedEffectsVisible)

    def effectCount(self) -> int:
        return len(self._effects)

    def effectByName(self, name: str) -> Any:
        return self._effects.get(name)

    def effectByIndex(self, index: int) -> Any:
        return list(self._effects.values())[index]

    def activeEffect(self) -> Any:
        return self._effect

    def setActiveEffect(self, effect: Any) -> None:
        self.setActiveEffectByName(effect.name if effect is not None else "")

    def setActiveEffectByName(self, name: str) -> None:
        self._effect = self._effects.get(name)
        for known, button in self._buttons.items():
            button.setChecked(known == name)
        if self._editor_node is not None:
            self._editor_node.SetActiveEffectName(name or "")

    def installKeyboardShortcuts(self, parent: QtWidgets.QWidget | None = None) -> None:
        """The keys 1, 2 ... 9, 0 of the main window switch the first ten effects; Slicer has more such keys."""
        self.uninstallKeyboardShortcuts()
        window = parent or unwrap(slicer.util.mainWindow())
        for key, name in zip("1234567890", self._effects, strict=False):
            shortcut = QtGui.QShortcut(QtGui.QKeySequence(key), window)
            shortcut.activated.connect(lambda name=name: self._toggle_effect(name))
            self._shortcuts.append(shortcut)

    def uninstallKeyboardShortcuts(self) -> None:
        for shortcut in self._shortcuts:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts.clear()

    def _toggle_effect(self, name: str) -> None:
        self.setActiveEffectByName("" if self._effect is self._effects[name] else name)

    def updateEffectList(self) -> None:
        """The effects of the bench are always the same."""

    setupViewObservations = removeViewObservations = updateEffectList

    def setSegmentationNodeSelectorVisible(self, shown: bool) -> None:
        self._segmentations.setVisible(shown)

    def setSourceVolumeNodeSelectorVisible(self, shown: bool) -> None:
        self._volumes.setVisible(shown)

    def setAddRemoveSegmentButtonsVisible(self, shown: bool) -> None:
        self._add.setVisible(shown)
        self._remove.setVisible(shown)

    def setSwitchToSegmentationsButtonVisible(self, shown: bool) -> None:
        self.switchToSegmentationsButtonVisible = shown

    def setMaximumNumberOfUndoStates(self, number: int) -> None:
        self._history.SetMaximumNumberOfStates(number)

    maximumNumberOfUndoStates = computed(
        int, lambda self: self._history.GetMaximumNumberOfStates(), setMaximumNumberOfUndoStates
    )
    segmentationNodeSelectorVisible = computed(
        bool, lambda self: not self._segmentations.isHidden(), setSegmentationNodeSelectorVisible
    )
    sourceVolumeNodeSelectorVisible = computed(
        bool, lambda self: not self._volumes.isHidden(), setSourceVolumeNodeSelectorVisible
    )
    addRemoveSegmentButtonsVisible = computed(
        bool,
        lambda self: not self._add.isHidden(),
        lambda self, shown: self.setAddRemoveSegmentButtonsVisible(shown),
    )
    undoEnabled = stored("undoEnabled", bool, True)
    readOnly = stored("readOnly", bool, False)
    autoShowSourceVolumeNode = stored("autoShowSourceVolumeNode", bool, True)
    maskingSectionVisible = stored("maskingSectionVisible", bool, True)
    show3DButtonVisible = stored("show3DButtonVisible", bool, True)
    specifyGeometryButtonVisible = stored("specifyGeometryButtonVisible", bool, True)
    switchToSegmentationsButtonVisible = stored("switchToSegmentationsButtonVisible", bool, True)
    jumpToSelectedSegmentEnabled = stored("jumpToSelectedSegmentEnabled", bool, True)
    unorderedEffectsVisible = stored("unorderedEffectsVisible", bool, True)
    effectColumnCount = stored("effectColumnCount", int, 2)
    effectButtonStyle = stored("effectButtonStyle", int, 2)
    defaultTerminologyEntry = stored("defaultTerminologyEntry", str, "")
    defaultTerminologyEntrySettingsKey = stored("defaultTerminologyEntrySettingsKey", str, "")


class qMRMLSegmentationShow3DButton(ctkMenuButton):
    """Makes the closed surface and shows it in 3-D."""

    locked = stored("locked", bool, False)

    def __init__(self, *arguments: Any) -> None:
        super().__init__("Show 3D", parent_among(arguments))
        self._node: Any = None
        self.setCheckable(True)
        self.toggled.connect(self._show)

    def setSegmentationNode(self, node: Any) -> None:
        self._node = node
        self.setEnabled(node is not None)

    def segmentationNode(self) -> Any:
        return self._node

    def setLocked(self, locked: bool) -> None:
        self.locked = locked

    def _show(self, shown: bool) -> None:
        if self._node is None:
            return
        if shown:
            self._node.CreateClosedSurfaceRepresentation()
        self._node.GetDisplayNode().SetVisibility3D(shown)
