"""Segments in a table, and a selector of one segment."""

from collections.abc import Iterator
from typing import Any

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets

from Testing.host.stand_ins.qmrml_base import SceneObservations, qMRMLWidget
from Testing.host.stand_ins.qmrml_nodes import qMRMLNodeComboBox
from Testing.host.stand_ins.stored import computed, stored

VISIBLE, COLOR, NAME, STATUS = range(4)
ID = QtCore.Qt.ItemDataRole.UserRole + 1
STATUS_NAMES = ("Not started", "In progress", "Completed", "Flagged")


def segment_ids(node: Any) -> list[str]:
    """The ids of a segmentation node's segments, in their order."""
    if node is None or node.GetSegmentation() is None:
        return []
    ids = vtk.vtkStringArray()
    node.GetSegmentation().GetSegmentIDs(ids)
    return [ids.GetValue(index) for index in range(ids.GetNumberOfValues())]


class qMRMLSegmentsTableView(qMRMLWidget):
    """One row a segment: eye, colour, name, status. It follows the segmentation; names and eyes can be edited."""

    selectionChanged = QtCore.Signal(object, object)
    segmentAboutToBeModified = QtCore.Signal(str)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._node: Any = None
        self._observations = SceneObservations(self)
        self._table = QtWidgets.QTableWidget(0, 4, self)
        self._table.setHorizontalHeaderLabels(["", "", "Name", "Status"])
        self._table.verticalHeader().hide()
        self._table.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        header = self._table.horizontalHeader()
        header.setSectionResizeMode(NAME, QtWidgets.QHeaderView.ResizeMode.Stretch)
        for column, width in ((VISIBLE, 30), (COLOR, 30), (STATUS, 90)):
            self._table.setColumnWidth(column, width)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._table)
        self._table.itemChanged.connect(self._edited)
        self._table.selectionModel().selectionChanged.connect(self.selectionChanged.emit)

    def setSegmentationNode(self, node: Any) -> None:
        self._observations.clear()
        self._node = node
        if node is not None:
            segmentation = node.GetSegmentation()
            for event in (segmentation.SegmentAdded, segmentation.SegmentRemoved, segmentation.SegmentModified):
                self._observations.add(segmentation, event, self._list)
            self._observations.add(node, node.DisplayModifiedEvent, self._list)
        self._list()

    def segmentationNode(self) -> Any:
        return self._node

    def _ids(self) -> list[str]:
        hidden = set(self.hideSegmentIDs)
        return [
            one for one in segment_ids(self._node) if one not in hidden and self.textFilter.lower() in self._name(one).lower()
        ]

    def _name(self, segment_id: str) -> str:
        return str(self._node.GetSegmentation().GetSegment(segment_id).GetName())

    def _list(self) -> None:
        ids, chosen = self._ids(), self.selectedSegmentIDs()
        blockers = [QtCore.QSignalBlocker(self._table), QtCore.QSignalBlocker(self._table.selectionModel())]
        self._table.setRowCount(len(ids))
        for row, segment_id in enumerate(ids):
            for column, item in enumerate(self._items(segment_id)):
                item.setData(ID, segment_id)
                self._table.setItem(row, column, item)
        self.setSelectedSegmentIDs(chosen)
        for blocker in blockers:
            blocker.unblock()
        if self.selectedSegmentIDs() != chosen:
            nothing = QtCore.QItemSelection()
            self.selectionChanged.emit(self._table.selectionModel().selection(), nothing)

    def _items(self, segment_id: str) -> Iterator[QtWidgets.QTableWidgetItem]:
        segment = self._node.GetSegmentation().GetSegment(segment_id)
        display = self._node.GetDisplayNode()
        states = QtCore.Qt.CheckState
        eye, color = QtWidgets.QTableWidgetItem(), QtWidgets.QTableWidgetItem()
        eye.setCheckState(states.Checked if display is None or display.GetSegmentVisibility(segment_id) else states.Unchecked)
        color.setBackground(QtGui.QColor.fromRgbF(*segment.GetColor()))
        color.setFlags(QtCore.Qt.ItemFlag.ItemIsEnabled | QtCore.Qt.ItemFlag.ItemIsSelectable)
        name = QtWidgets.QTableWidgetItem(segment.GetName())
        if self.readOnly:
            name.setFlags(QtCore.Qt.ItemFlag.ItemIsEnabled | QtCore.Qt.ItemFlag.ItemIsSelectable)
        status = slicer.vtkSlicerSegmentationsModuleLogic.GetSegmentStatus(segment)
        told = QtWidgets.QTableWidgetItem(STATUS_NAMES[status] if 0 <= status < len(STATUS_NAMES) else "")
        told.setFlags(QtCore.Qt.ItemFlag.ItemIsEnabled | QtCore.Qt.ItemFlag.ItemIsSelectable)
        yield from (eye, color, name, told)

    def _edited(self, item: QtWidgets.QTableWidgetItem) -> None:
        segment_id = item.data(ID)
        if item.column() == NAME:
            self.segmentAboutToBeModified.emit(segment_id)
            self._node.GetSegmentation().GetSegment(segment_id).SetName(item.text())
        elif item.column() == VISIBLE and self._node.GetDisplayNode() is not None:
            shown = item.checkState() == QtCore.Qt.CheckState.Checked
            self._node.GetDisplayNode().SetSegmentVisibility(segment_id, shown)

    def selectedSegmentIDs(self) -> list[str]:
        rows = sorted({index.row() for index in self._table.selectionModel().selectedRows()})
        return [self.segmentIDForRow(row) for row in rows]

    def setSelectedSegmentIDs(self, ids: list[str]) -> None:
        self._table.clearSelection()
        model = self._table.selectionModel()
        flags = QtCore.QItemSelectionModel.SelectionFlag
        for segment_id in ids:
            row = self.rowForSegmentID(segment_id)
            if row >= 0:
                model.select(self._table.model().index(row, 0), flags.Select | flags.Rows)

    def clearSelection(self) -> None:
        self._table.clearSelection()

    def segmentIDForRow(self, row: int) -> str:
        item = self._table.item(row, NAME)
        return str(item.data(ID)) if item is not None else ""

    def rowForSegmentID(self, segment_id: str) -> int:
        rows = range(self._table.rowCount())
        return next((row for row in rows if self.segmentIDForRow(row) == segment_id), -1)

    def displayedSegmentIDs(self) -> list[str]:
        return [self.segmentIDForRow(row) for row in range(self._table.rowCount())]

    def setHideSegments(self, ids: list[str]) -> None:
        self.hideSegmentIDs = list(ids)

    def hideSegments(self) -> list[str]:
        return list(self.hideSegmentIDs)

    def tableWidget(self) -> Any:
        return self._table

    def setSelectionMode(self, mode: int) -> None:
        self._table.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode(mode))

    def _column(self, column: int, shown: bool) -> None:
        self._table.setColumnHidden(column, not shown)

    def setVisibilityColumnVisible(self, shown: bool) -> None:
        self._column(VISIBLE, shown)

    def setColorColumnVisible(self, shown: bool) -> None:
        self._column(COLOR, shown)

    def setStatusColumnVisible(self, shown: bool) -> None:
        self._column(STATUS, shown)

    def setOpacityColumnVisible(self, shown: bool) -> None:
        self.opacityColumnVisible = shown

    def setHeaderVisible(self, shown: bool) -> None:
        self._table.horizontalHeader().setVisible(shown)

    def setReadOnly(self, read_only: bool) -> None:
        self.readOnly = read_only

    def setTextFilter(self, text: str) -> None:
        self.textFilter = text

    segmentCount = computed(int, lambda self: self._table.rowCount())
    selectionMode = computed(int, lambda self: self._table.selectionMode().value, setSelectionMode)
    visibilityColumnVisible = computed(bool, lambda self: not self._table.isColumnHidden(VISIBLE), setVisibilityColumnVisible)
    colorColumnVisible = computed(bool, lambda self: not self._table.isColumnHidden(COLOR), setColorColumnVisible)
    statusColumnVisible = computed(bool, lambda self: not self._table.isColumnHidden(STATUS), setStatusColumnVisible)
    headerVisible = computed(bool, lambda self: not self._table.horizontalHeader().isHidden(), setHeaderVisible)
    opacityColumnVisible = stored("opacityColumnVisible", bool, False)
    layerColumnVisible = stored("layerColumnVisible", bool, False)
    filterBarVisible = stored("filterBarVisible", bool, False)
    jumpToSelectedSegmentEnabled = stored("jumpToSelectedSegmentEnabled", bool, False)
    readOnly = stored("readOnly", bool, False, lambda self: self._list())
    textFilter = stored("textFilter", str, "", lambda self: self._list())
    hideSegmentIDs = stored("hideSegmentIDs", "QStringList", list, lambda self: self._list())


class qMRMLSegmentSelectorWidget(qMRMLWidget):
    """Chooses a segmentation (or label map) node and one of its segments."""

    currentNodeChanged = QtCore.Signal(object)
    currentSegmentChanged = QtCore.Signal(str)
    segmentSelectionChanged = QtCore.Signal(list)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._observations = SceneObservations(self)
        self._nodes = qMRMLNodeComboBox(self)
        self._nodes.nodeTypes = ["vtkMRMLSegmentationNode"]
        self._nodes.noneEnabled = True
        self._nodes.addEnabled = self._nodes.removeEnabled = False
        self._segments = QtWidgets.QComboBox(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._nodes)
        layout.addWidget(self._segments)
        self._nodes.currentNodeChanged.connect(self._node_changed)
        self._segments.currentIndexChanged.connect(lambda index: self.currentSegmentChanged.emit(self.currentSegmentID()))

    def _scene_set(self) -> None:
        self._nodes.setMRMLScene(self._scene)

    def _node_changed(self, node: Any) -> None:
        self._observations.clear()
        if node is not None:
            segmentation = node.GetSegmentation()
            for event in (segmentation.SegmentAdded, segmentation.SegmentRemoved, segmentation.SegmentModified):
                self._observations.add(segmentation, event, self._list)
        self._list()
        self.currentNodeChanged.emit(node)

    def _list(self) -> None:
        before, node = self.currentSegmentID(), self.currentNode()
        blocker = QtCore.QSignalBlocker(self._segments)
        self._segments.clear()
        if self.noneEnabled:
            self._segments.addItem("None", "")
        for segment_id in segment_ids(node):
            self._segments.addItem(node.GetSegmentation().GetSegment(segment_id).GetName(), segment_id)
        self._segments.setCurrentIndex(max(0, self._segments.findData(before)))
        blocker.unblock()
        if self.currentSegmentID() != before:
            self.currentSegmentChanged.emit(self.currentSegmentID())

    def currentNode(self) -> Any:
        return self._nodes.currentNode()

    def currentNodeID(self) -> str:
        return str(self._nodes.currentNodeID)

    def setCurrentNode(self, node: Any) -> None:
        self._nodes.setCurrentNode(node)

    def setCurrentNodeID(self, node_id: str) -> None:
        self._nodes.setCurrentNodeID(node_id)

    def currentSegmentID(self) -> str:
        return self._segments.currentData() or ""

    def setCurrentSegmentID(self, segment_id: str) -> None:
        self._segments.setCurrentIndex(self._segments.findData(segment_id))

    def segmentIDs(self) -> list[str]:
        return segment_ids(self.currentNode())

    def selectedSegmentIDs(self) -> list[str]:
        return [self.currentSegmentID()] if self.currentSegmentID() else []

    noneEnabled = stored("noneEnabled", bool, False, lambda self: self._list())
    editEnabled = stored("editEnabled", bool, False)
    multiSelection = stored("multiSelection", bool, False)
    horizontalLayout = stored("horizontalLayout", bool, True)
    selectNodeUponCreation = stored("selectNodeUponCreation", bool, True)
    segmentationNodeSelectorVisible = computed(
        bool, lambda self: not self._nodes.isHidden(), lambda self, shown: self._nodes.setVisible(shown)
    )
