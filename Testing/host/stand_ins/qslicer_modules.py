"""Modules, their widget representations and their manager, as the application holds them."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from Testing.host.pythonqt.wrapping import wrap
from Testing.host.stand_ins.qmrml_base import qSlicerWidget
from Testing.host.stand_ins.stored import stored


class qSlicerAbstractCoreModule(QtCore.QObject):
    """What every module tells of itself."""

    name = stored("name", str, "")
    title = stored("title", str, "")
    path = stored("path", str, "")
    categories = stored("categories", "QStringList", list)
    contributors = stored("contributors", "QStringList", list)
    dependencies = stored("dependencies", "QStringList", list)
    associatedNodeTypes = stored("associatedNodeTypes", "QStringList", list)
    helpText = stored("helpText", str, "")
    acknowledgementText = stored("acknowledgementText", str, "")
    defaultDocumentationLink = stored("defaultDocumentationLink", str, "")
    slicerWikiUrl = stored("slicerWikiUrl", str, "")
    hidden = stored("hidden", bool, False)
    index = stored("index", int, -1)
    isBuiltIn = stored("isBuiltIn", bool, False)
    isInstalled = stored("isInstalled", bool, False)
    widgetRepresentationCreationEnabled = stored("widgetRepresentationCreationEnabled", bool, True)


class qSlicerAbstractModule(qSlicerAbstractCoreModule):
    """A module with an icon and a logic."""

    icon = stored("icon", QtGui.QIcon, QtGui.QIcon)
    logo = stored("logo", QtGui.QImage, QtGui.QImage)

    def __init__(self, name: str, logic: Any = None) -> None:
        super().__init__()
        self.name = self.title = name
        self._logic = logic
        self._representation: QtWidgets.QWidget | None = None
        self._action = QtGui.QAction(name, self)

    def logic(self) -> Any:
        return self._logic

    def mrmlScene(self) -> Any:
        import slicer

        return slicer.mrmlScene

    def setMRMLScene(self, scene: Any) -> None:
        """The bench has one scene."""

    def action(self) -> QtGui.QAction:
        return self._action

    def widgetRepresentation(self) -> Any:
        if self._representation is None:
            self._representation = self.createNewWidgetRepresentation()
        return self._representation

    def createNewWidgetRepresentation(self) -> Any:
        """Only scripted modules have a panel on the bench."""
        return


class qSlicerLoadableModule(qSlicerAbstractModule):
    """A C++ module: on the bench it is its real logic without a panel."""


class qSlicerScriptedLoadableModule(qSlicerLoadableModule):
    """A Python module, imported from its file."""

    extensions = stored("extensions", "QVariantMap", dict)

    def __init__(self, path: Path, source: ModuleType) -> None:
        import slicer

        super().__init__(path.stem, slicer.vtkSlicerScriptedLoadableModuleLogic())
        self.path = str(path)
        self._source = source
        self._instance: Any = None

    def createNewWidgetRepresentation(self) -> Any:
        return qSlicerScriptedLoadableModuleWidget(self)

    def _forget_representation(self) -> None:
        self._representation = None


class qSlicerAbstractModuleWidget(qSlicerWidget):
    """A module's panel."""

    def __init__(self, module: qSlicerAbstractModule) -> None:
        super().__init__()
        self._module = module
        self._entered = False
        QtWidgets.QVBoxLayout(self)

    isEntered = QtCore.Property(bool, lambda self: self._entered)

    def module(self) -> Any:
        return self._module

    def enter(self) -> None:
        self._entered = True

    def exit(self) -> None:
        self._entered = False

    def setEditedNode(self, node: Any, role: str = "", context: str = "") -> bool:
        return False

    def nodeEditable(self, node: Any) -> float:
        return 0.0


class qSlicerScriptedLoadableModuleWidget(qSlicerAbstractModuleWidget):
    """The panel of a scripted module: makes the module's Widget class and calls its setup, enter, exit."""

    def __init__(self, module: qSlicerScriptedLoadableModule) -> None:
        super().__init__(module)
        self._source = module._source
        import slicer

        self.setMRMLScene(slicer.mrmlScene)
        self._widget: Any = None
        self._make()

    moduleName = QtCore.Property(str, lambda self: self._module.name)

    def _make(self) -> None:
        name = self._module.name
        source = sys.modules.get(name, self._source)
        self._widget = getattr(source, name + "Widget")(wrap(self))
        self._widget.setup()

    def self(self) -> Any:
        return self._widget

    def reload(self) -> None:
        """Makes the module's Widget class anew after its file was run again."""
        self._make()

    def enter(self) -> None:
        super().enter()
        self._call("enter")

    def exit(self) -> None:
        super().exit()
        self._call("exit")

    def setEditedNode(self, node: Any, role: str = "", context: str = "") -> bool:
        return bool(self._call("setEditedNode", node, role, context))

    def nodeEditable(self, node: Any) -> float:
        return float(self._call("nodeEditable", node) or 0.0)

    def _call(self, name: str, *arguments: Any) -> Any:
        method: Callable[..., Any] | None = getattr(self._widget, name, None)
        return method(*arguments) if method is not None else None


class qSlicerModuleFactoryManager(QtCore.QObject):
    """Knows which modules are loaded."""

    moduleLoaded = QtCore.Signal(str)

    def __init__(self, manager: "qSlicerModuleManager") -> None:
        super().__init__(manager)
        self._manager = manager

    def loadedModuleNames(self) -> list[str]:
        return list(self._manager._modules)

    instantiatedModuleNames = registeredModuleNames = loadedModuleNames

    def isLoaded(self, name: str) -> bool:
        return name in self._manager._modules

    isInstantiated = isRegistered = isLoaded

    def loadedModule(self, name: str) -> Any:
        return self._manager._modules.get(name)

    moduleInstance = loadedModule


class qSlicerModuleManager(QtCore.QObject):
    """All modules by name."""

    moduleLoaded = QtCore.Signal(str)
    moduleAboutToBeUnloaded = QtCore.Signal(str)

    def __init__(self, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        self._modules: dict[str, qSlicerAbstractModule] = {}
        self._factory = qSlicerModuleFactoryManager(self)

    def _add(self, module: qSlicerAbstractModule) -> None:
        self._modules[module.name] = module
        self.moduleLoaded.emit(module.name)

    def module(self, name: str) -> Any:
        return self._modules.get(name)

    def modulesNames(self) -> list[str]:
        return list(self._modules)

    def factoryManager(self) -> Any:
        return self._factory
