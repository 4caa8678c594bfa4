"""slicer.ScriptedLoadableModule: the four classes that a module file derives from."""

import logging
import sys
import unittest
from pathlib import Path
from typing import Any

import ctk
import qt
import slicer

__all__ = [
    "ScriptedLoadableModule",
    "ScriptedLoadableModuleLogic",
    "ScriptedLoadableModuleTest",
    "ScriptedLoadableModuleWidget",
]


class ScriptedLoadableModule:
    """Describes the module: fills `parent` with its title, categories and so on."""

    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.moduleName = type(self).__name__
        parent.title = ""
        parent.categories = []
        parent.dependencies = []
        parent.contributors = []
        parent.helpText = ""
        parent.acknowledgementText = ""
        icon = Path(self.resourcePath(f"Icons/{self.moduleName}.png"))
        if icon.is_file():
            parent.icon = qt.QIcon(str(icon))

    def resourcePath(self, filename: str) -> str:
        """A file below the module's Resources folder."""
        return _resource(self.moduleName, filename)

    def getDefaultModuleDocumentationLink(self, docPage: str | None = None) -> str:
        """A sentence that leads to the module's documentation."""
        link = docPage or self.parent.defaultDocumentationLink
        return f'<p>For more information see the <a href="{link}">online documentation</a>.</p>'

    def runTest(self, msec: int = 100, **options: Any) -> None:
        """Runs the module file's own test class."""
        case = getattr(sys.modules[self.moduleName], self.moduleName + "Test")()
        case.messageDelay = msec
        case.runTest(**options)


class ScriptedLoadableModuleWidget:
    """The panel: builds its widgets into `self.layout` in setup()."""

    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Widget")
        settings_key = "Developer/DeveloperMode"
        self.developerMode = slicer.util.settingsValue(settings_key, False, converter=slicer.util.toBool)
        if parent is None:
            self.parent = slicer.qMRMLWidget()
            self.parent.setLayout(qt.QVBoxLayout())
            self.parent.setMRMLScene(slicer.mrmlScene)
        else:
            self.parent = parent
        self.layout = self.parent.layout()
        setattr(slicer.modules, self.moduleName + "Widget", self)
        slicer.app.moduleManager().connect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)
        if parent is None:
            self.setup()
            self.parent.show()

    def resourcePath(self, filename: str) -> str:
        """A file below the module's Resources folder."""
        return _resource(self.moduleName, filename)

    def setup(self) -> None:
        """In developer mode a "Reload & Test" section stands above the module's own widgets."""
        if self.developerMode:
            self.setupDeveloperSection()

    def setupDeveloperSection(self) -> None:
        """Buttons that run the module's file again."""
        section = ctk.ctkCollapsibleButton()
        section.text = "Reload && Test"
        section.collapsed = True
        self.layout.addWidget(section)
        self.reloadCollapsibleButton = section
        row = qt.QHBoxLayout(section)
        self.reloadButton = qt.QPushButton("Reload")
        self.reloadButton.connect("clicked()", self.onReload)
        self.reloadTestButton = qt.QPushButton("Reload and Test")
        self.reloadTestButton.connect("clicked()", self.onReloadAndTest)
        row.addWidget(self.reloadButton)
        row.addWidget(self.reloadTestButton)

    def cleanup(self) -> None:
        """Called when the module is unloaded or reloaded."""

    def onReload(self) -> None:
        """Runs the module's file again and makes a new panel."""
        logging.debug("Reloading scripted module: %s", self.moduleName)
        slicer.util.reloadScriptedModule(self.moduleName)

    def onReloadAndTest(self, **options: Any) -> None:
        """Reloads, then runs the module's own test."""
        with slicer.util.tryWithErrorDisplay("Reload and Test failed."):
            self.onReload()
            case = getattr(sys.modules[self.moduleName], self.moduleName + "Test")()
            case.runTest(**options)

    def _onModuleAboutToBeUnloaded(self, moduleName: str) -> None:
        if moduleName == self.moduleName:
            self.cleanup()
            slicer.app.moduleManager().disconnect("moduleAboutToBeUnloaded(QString)", self._onModuleAboutToBeUnloaded)


class ScriptedLoadableModuleLogic:
    """What the module does, without its panel."""

    def __init__(self, parent: Any = None) -> None:
        self.parent = parent
        self.moduleName = type(self).__name__.removesuffix("Logic")
        self.isSingletonParameterNode = True

    def resourcePath(self, filename: str) -> str:
        """A file below the module's Resources folder."""
        return _resource(self.moduleName, filename)

    def createParameterNode(self) -> Any:
        """A new script node of this module."""
        node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
        node.UnRegister(None)  # the scene's factory hands over a reference that Python does not count
        if self.isSingletonParameterNode:
            node.SetSingletonTag(self.moduleName)
        node.SetModuleName(self.moduleName)
        node.SetAttribute("ModuleName", self.moduleName)
        node.SetName(slicer.mrmlScene.GenerateUniqueName(self.moduleName))
        return node

    def getParameterNode(self) -> Any:
        """The module's script node; it is added to the scene when there is none."""
        existing = self.getAllParameterNodes()
        return existing[0] if existing else slicer.mrmlScene.AddNode(self.createParameterNode())

    def getAllParameterNodes(self) -> list[Any]:
        """All script nodes of this module."""
        nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
        return [node for node in nodes if node.GetAttribute("ModuleName") == self.moduleName]


class ScriptedLoadableModuleTest(unittest.TestCase):
    """The test that Slicer runs by "Reload and Test" and by --testing."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.messageDelay = 1000

    def runTest(self) -> None:
        """A module's own test class says what is tested."""

    def delayDisplay(self, message: str, requestedDelay: int | None = None, msec: int | None = None) -> None:
        """Shows a message for a moment."""
        slicer.util.delayDisplay(message, requestedDelay or msec or self.messageDelay)


def _resource(module_name: str, filename: str) -> str:
    source = Path(slicer.util.modulePath(module_name)) if hasattr(slicer.modules, module_name.lower()) else None
    if source is None:
        source = Path(str(sys.modules[module_name].__file__))
    return str(source.parent / "Resources" / filename)
