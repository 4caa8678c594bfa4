"""Plot views and table views."""

from typing import Any

import vtk
from PySide6 import QtCore, QtWidgets

from Testing.host.stand_ins.plot_chart import draw
from Testing.host.stand_ins.qmrml_base import SceneObservations, qMRMLWidget
from Testing.host.stand_ins.render_picture import RenderPicture, without_vtk_warnings
from Testing.host.stand_ins.stored import parent_among, stored


class qMRMLPlotView(qMRMLWidget):
    """The chart that its view node shows."""

    def __init__(self, node: Any) -> None:
        super().__init__()
        self._node = node
        self._of_node, self._of_chart = SceneObservations(self), SceneObservations(self)
        with without_vtk_warnings():
            self._context = vtk.vtkContextView()
            self._context.GetRenderWindow().SetOffScreenRendering(True)
        self._context.GetRenderer().SetBackground(1.0, 1.0, 1.0)
        self._chart = vtk.vtkChartXY()
        self._context.GetScene().AddItem(self._chart)
        self._picture = RenderPicture(self._context.GetRenderWindow(), lambda width, height: None)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._picture)
        self._of_node.add(node, "ModifiedEvent", self._follow)
        self._follow()

    def _follow(self) -> None:
        self._of_chart.clear()
        chart = self._node.GetPlotChartNode()
        if chart is not None:
            self._of_chart.add(chart, "ModifiedEvent", self._draw)
            for index in range(chart.GetNumberOfPlotSeriesNodes()):
                series = chart.GetNthPlotSeriesNode(index)
                if series is not None:
                    self._of_chart.add(series, "ModifiedEvent", self._draw)
                    if series.GetTableNode() is not None:
                        self._of_chart.add(series.GetTableNode(), "ModifiedEvent", self._draw)
        self._draw()

    def _draw(self) -> None:
        draw(self._chart, self._node.GetPlotChartNode())
        self._picture.forget()

    def chart(self) -> Any:
        return self._chart

    def scene(self) -> Any:
        return self._context.GetScene()

    def renderWindow(self) -> Any:
        return self._context.GetRenderWindow()

    def fitToContent(self) -> None:
        self._chart.RecalculateBounds()
        self._picture.forget()


class qMRMLPlotWidget(qMRMLWidget):
    """A plot view with the title of what it shows."""

    def __init__(self, libraries: Any, tag: str, properties: dict[str, str]) -> None:
        super().__init__()
        self._node = libraries.scene.GetSingletonNode(tag, "vtkMRMLPlotViewNode")
        self._view = qMRMLPlotView(self._node)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.addWidget(self._view)

    def plotView(self) -> Any:
        return self._view

    viewWidget = plotView

    def mrmlPlotViewNode(self) -> Any:
        return self._node


AnyIndex = QtCore.QModelIndex | QtCore.QPersistentModelIndex
ROOT = QtCore.QModelIndex()


class TableModel(QtCore.QAbstractTableModel):
    """Shows a vtkMRMLTableNode."""

    def __init__(self, node: Any) -> None:
        super().__init__()
        self._table = node.GetTable() if node is not None else vtk.vtkTable()

    def rowCount(self, parent: AnyIndex = ROOT) -> int:
        return int(self._table.GetNumberOfRows())

    def columnCount(self, parent: AnyIndex = ROOT) -> int:
        return int(self._table.GetNumberOfColumns())

    def data(self, index: AnyIndex, role: int = 0) -> Any:
        if role != QtCore.Qt.ItemDataRole.DisplayRole:
            return None
        return self._table.GetValue(index.row(), index.column()).ToString()

    def headerData(self, section: int, orientation: QtCore.Qt.Orientation, role: int = 0) -> Any:
        if role != QtCore.Qt.ItemDataRole.DisplayRole:
            return None
        return self._table.GetColumnName(section) if orientation == QtCore.Qt.Orientation.Horizontal else str(section)


class qMRMLTableView(QtWidgets.QTableView):
    """Shows a table node."""

    mrmlSceneChanged = QtCore.Signal(object)
    firstRowLocked = stored("firstRowLocked", bool, False)
    firstColumnLocked = stored("firstColumnLocked", bool, False)
    transposed = stored("transposed", bool, False)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(parent_among(arguments))
        self._scene: Any = None
        self._node: Any = None
        self._observations = SceneObservations(self)

    def setMRMLScene(self, scene: Any) -> None:
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)

    def mrmlScene(self) -> Any:
        return self._scene

    def setMRMLTableNode(self, node: Any) -> None:
        self._observations.clear()
        self._node = node
        if node is not None:
            self._observations.add(node, "ModifiedEvent", self._follow)
        self._follow()

    def mrmlTableNode(self) -> Any:
        return self._node

    def _follow(self) -> None:
        self.setModel(TableModel(self._node))


class qMRMLTableWidget(qMRMLWidget):
    """A table view in the layout."""

    def __init__(self, libraries: Any, tag: str, properties: dict[str, str]) -> None:
        super().__init__()
        self._observations = SceneObservations(self)
        self._node = libraries.scene.GetSingletonNode(tag, "vtkMRMLTableViewNode")
        self._view = qMRMLTableView(self)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.addWidget(self._view)
        self._observations.add(self._node, "ModifiedEvent", self._follow)
        self._follow()

    def _follow(self) -> None:
        self._view.setMRMLTableNode(self._node.GetTableNode())

    def tableView(self) -> Any:
        return self._view

    viewWidget = tableView

    def mrmlTableViewNode(self) -> Any:
        return self._node
