"""The layout manager: builds the views that the scene's layout node describes."""

from collections.abc import Callable, Iterator
from typing import Any

import slicer
from PySide6 import QtCore, QtWidgets

from Testing.host.stand_ins.qmrml_base import SceneObservations
from Testing.host.stand_ins.qmrml_plots_and_tables import qMRMLPlotWidget, qMRMLTableWidget
from Testing.host.stand_ins.qmrml_views import qMRMLSliceWidget, qMRMLThreeDWidget
from Testing.host.stand_ins.stored import computed, stored

SLICE, THREE_D, PLOT, TABLE = "vtkMRMLSliceNode", "vtkMRMLViewNode", "vtkMRMLPlotViewNode", "vtkMRMLTableViewNode"
FACTORIES: dict[str, Callable[..., QtWidgets.QWidget]] = {
    SLICE: qMRMLSliceWidget,
    THREE_D: qMRMLThreeDWidget,
    PLOT: qMRMLPlotWidget,
    TABLE: qMRMLTableWidget,
}


class qMRMLLayoutManager(QtCore.QObject):
    """Shows one widget for each view of the layout; a view that was made stays, also while no layout shows it."""

    layoutChanged = QtCore.Signal(int)
    activePlotRendererChanged = QtCore.Signal(object)
    enabled = stored("enabled", bool, True)
    spacing = stored("spacing", int, 1)

    def __init__(self, libraries: Any, viewport: QtWidgets.QWidget) -> None:
        super().__init__(viewport)
        self._libraries = libraries
        self._viewport = viewport
        self._views: dict[tuple[str, str], QtWidgets.QWidget] = {}
        self._shown: list[tuple[str, str]] = []
        self._arrangement: object = None
        self._paused = 0
        self._box = QtWidgets.QVBoxLayout(viewport)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._root: QtWidgets.QWidget | None = None
        self._layout_logic = slicer.vtkMRMLLayoutLogic()
        self._layout_logic.SetMRMLApplicationLogic(libraries.app_logic)
        self._layout_logic.SetMRMLScene(libraries.scene)
        self._observations = SceneObservations(self)
        self._observations.add(self._layout_logic.GetLayoutNode(), "ModifiedEvent", self._follow)
        self.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)

    def _follow(self) -> None:
        node = self._layout_logic.GetLayoutNode()
        wanted = (node.GetViewArrangement(), node.GetCurrentLayoutDescription())
        if wanted == self._arrangement or node.GetLayoutRootElement() is None:
            return
        self._arrangement = wanted
        for view in self._views.values():
            view.setParent(None)
        if self._root is not None:
            self._root.deleteLater()
        self._shown = []
        self._root = self._build(node.GetLayoutRootElement())
        self._box.addWidget(self._root)
        self._tell_nodes()
        self.layoutChanged.emit(node.GetViewArrangement())

    def _tell_nodes(self) -> None:
        for (kind, tag), _ in self._views.items():
            node = self._libraries.scene.GetSingletonNode(tag, kind)
            if node is not None:
                node.SetMappedInLayout((kind, tag) in self._shown)

    def _build(self, element: Any) -> QtWidgets.QWidget:
        if element.GetName() == "view":
            return self._view(element)
        if element.GetAttribute("type") == "tab":
            tabs = QtWidgets.QTabWidget()
            for part in _parts(element):
                tabs.addTab(self._build(part), part.GetAttribute("singletontag") or "")
            return tabs
        upright = element.GetAttribute("type") == "vertical"
        orientation = QtCore.Qt.Orientation.Vertical if upright else QtCore.Qt.Orientation.Horizontal
        splitter = QtWidgets.QSplitter(orientation)
        for part in _parts(element):
            splitter.addWidget(self._build(part))
        splitter.setSizes([1000] * splitter.count())
        return splitter

    def _view(self, element: Any) -> QtWidgets.QWidget:
        key = (element.GetAttribute("class"), element.GetAttribute("singletontag"))
        properties = {
            part.GetAttribute("name"): (part.GetCharacterData() or "").strip() for part in _parts(element, "property")
        }
        if key not in self._views:
            self._views[key] = FACTORIES[key[0]](self._libraries, key[1], properties)
            if key[0] == SLICE and "orientation" in properties:
                self._libraries.scene.GetSingletonNode(key[1], SLICE).SetOrientation(properties["orientation"])
        self._shown.append(key)
        self._views[key].show()
        return self._views[key]

    def _of(self, kind: str) -> list[Any]:
        return [view for (view_kind, _), view in self._views.items() if view_kind == kind]

    def _numbered(self, kind: str, index: int) -> Any:
        views = self._of(kind)
        return views[index] if 0 <= index < len(views) else None

    def setLayout(self, layout: int) -> None:
        self._layout_logic.GetLayoutNode().SetViewArrangement(int(layout))

    layout = computed(int, lambda self: self._layout_logic.GetLayoutNode().GetViewArrangement(), setLayout)
    plotViewCount = computed(int, lambda self: len(self._of(PLOT)))
    tableViewCount = computed(int, lambda self: len(self._of(TABLE)))
    threeDViewCount = computed(int, lambda self: len(self._of(THREE_D)))

    def layoutLogic(self) -> Any:
        return self._layout_logic

    def sliceViewNames(self) -> list[str]:
        return [tag for kind, tag in self._views if kind == SLICE]

    def sliceWidget(self, name: str) -> Any:
        return self._views.get((SLICE, name))

    def threeDWidget(self, index: int) -> Any:
        return self._numbered(THREE_D, index)

    def plotWidget(self, index: int) -> Any:
        return self._numbered(PLOT, index)

    def tableWidget(self, index: int) -> Any:
        return self._numbered(TABLE, index)

    def mrmlSliceLogics(self) -> Any:
        return self._libraries.app_logic.GetSliceLogics()

    def mrmlScene(self) -> Any:
        return self._libraries.scene

    def viewport(self) -> Any:
        return self._viewport

    def resetSliceViews(self) -> None:
        for view in self._of(SLICE):
            view.fitSliceToBackground()

    def resetThreeDViews(self) -> None:
        for view in self._of(THREE_D):
            view.threeDView().resetFocalPoint()

    def setRenderPaused(self, paused: bool) -> None:
        self._paused += 1 if paused else -1

    def pauseRender(self) -> None:
        self.setRenderPaused(True)

    def resumeRender(self) -> None:
        self.setRenderPaused(False)


class qSlicerLayoutManager(qMRMLLayoutManager):
    """The application's layout manager."""

    selectModule = QtCore.Signal(str)


def _parts(element: Any, name: str | None = None) -> Iterator[Any]:
    """The nested elements; an item is looked through to the layout or view in it."""
    for index in range(element.GetNumberOfNestedElements()):
        part = element.GetNestedElement(index)
        if name is None and part.GetName() == "item":
            yield part.GetNestedElement(0)
        elif part.GetName() == name:
            yield part
