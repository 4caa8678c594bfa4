"""The main window: the module panel on the left, the views on the right."""

from typing import Any

from PySide6 import QtCore, QtWidgets

from Testing.host.stand_ins.qslicer_modules import qSlicerModuleManager

PANEL_WIDTH = 400


class qSlicerModuleSelectorToolBar(QtWidgets.QToolBar):
    """Lets choose the module that is shown."""

    moduleSelected = QtCore.Signal(str)

    def __init__(self, manager: qSlicerModuleManager, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("Modules", parent)
        self._manager = manager
        self._selected = ""
        self._box = QtWidgets.QComboBox(self)
        self._box.setMinimumContentsLength(24)
        self.addWidget(QtWidgets.QLabel("Modules: ", self))
        self.addWidget(self._box)
        self._box.activated.connect(lambda index: self.selectModule(self._box.itemData(index)))
        for name in manager.modulesNames():
            self._list(name)
        manager.moduleLoaded.connect(self._list)

    def _list(self, name: str) -> None:
        module = self._manager.module(name)
        if module.path or module.title != name:  # modules with a panel
            self._box.addItem(module.title, name)

    selectedModule = QtCore.Property(str, lambda self: self._selected)

    def selectModule(self, name: str) -> None:
        if self._manager.module(name) is None:
            raise RuntimeError(f"There is no module {name}")
        self._box.setCurrentIndex(self._box.findData(name))
        if name != self._selected:
            self._selected = name
            self.moduleSelected.emit(name)


class qSlicerModulePanel(QtWidgets.QScrollArea):
    """Shows one module's widget and calls its enter and exit."""

    def __init__(self, manager: qSlicerModuleManager, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._manager = manager
        self._shown: Any = None
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(QtCore.Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)

    def setModule(self, name: str) -> None:
        representation = self._manager.module(name).widgetRepresentation() if name else None
        if representation is self._shown:
            return
        if self._shown is not None:
            self._shown.exit()
            self.takeWidget()
            self._shown.hide()
        self._shown = representation
        if representation is not None:
            self.setWidget(representation)
            representation.show()
            representation.enter()

    def moduleManager(self) -> Any:
        return self._manager


class qSlicerMainWindow(QtWidgets.QMainWindow):
    """The application's window."""

    def __init__(self, manager: qSlicerModuleManager) -> None:
        super().__init__()
        self.setObjectName("qSlicerMainWindow")
        self.setWindowTitle("Modules on the bench")
        self._selector = qSlicerModuleSelectorToolBar(manager, self)
        self._panel = qSlicerModulePanel(manager, self)
        self.addToolBar(self._selector)
        dock = QtWidgets.QDockWidget("", self)
        dock.setObjectName("PanelDockWidget")
        dock.setTitleBarWidget(QtWidgets.QWidget(dock))
        dock.setWidget(self._panel)
        self._panel.setMinimumWidth(PANEL_WIDTH)
        self._views = QtWidgets.QWidget(self)
        self.setCentralWidget(self._views)
        self.addDockWidget(QtCore.Qt.DockWidgetArea.LeftDockWidgetArea, dock)
        self._selector.moduleSelected.connect(self._panel.setModule)
        self.statusBar()

    def moduleSelector(self) -> Any:
        return self._selector

    def pythonConsole(self) -> Any:
        """The bench has no Python console."""
        return
