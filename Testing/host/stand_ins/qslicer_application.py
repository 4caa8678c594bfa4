"""slicer.app: Qt's application with what Slicer adds."""

import os
from pathlib import Path
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from Testing.host.stand_ins.qslicer_modules import qSlicerModuleManager
from Testing.host.stand_ins.stored import stored

#: The version that the bench behaves like.
VERSION = "5.12.0-2026-06-01"


class qSlicerCoreCommandOptions(QtCore.QObject):
    """How the application was started."""

    testingEnabled = stored("testingEnabled", bool, False)
    runPythonAndExit = stored("runPythonAndExit", bool, False)
    noMainWindow = stored("noMainWindow", bool, False)
    additionalModulePaths = stored("additionalModulePaths", "QStringList", list)


class qSlicerCommandOptions(qSlicerCoreCommandOptions):
    """How the application was started."""


class qSlicerCoreApplication(QtWidgets.QApplication):
    """What works without a window."""

    invokeEventRequested = QtCore.Signal(int, int, object)
    mrmlSceneChanged = QtCore.Signal(object)
    temporaryPath = stored("temporaryPath", str, "")
    slicerHome = stored("slicerHome", str, "")
    startupWorkingPath = stored("startupWorkingPath", str, "")
    extensionsInstallPath = stored("extensionsInstallPath", str, "")
    cachePath = stored("cachePath", str, "")
    revision = stored("revision", str, "bench")
    majorVersion = QtCore.Property(int, lambda self: 5)
    minorVersion = QtCore.Property(int, lambda self: 12)
    mainApplicationName = QtCore.Property(str, lambda self: "Slicer")
    os = QtCore.Property(str, lambda self: "linux")

    def __init__(self, folder: Path, platform: str | None = None) -> None:
        super().__init__(["Slicer", *(("-platform", platform) if platform else ())])
        self.setApplicationName("Slicer")
        self.setApplicationVersion(VERSION)
        self.setOrganizationName("bench")
        self._started_with = dict(os.environ)
        self._options = qSlicerCommandOptions(self)
        self._manager = qSlicerModuleManager(self)
        self._logic: Any = None
        self.temporaryPath = str(folder / "temporary")
        self.cachePath = str(folder / "cache")
        self.startupWorkingPath = str(Path.cwd())
        self.slicerHome = str(folder)
        Path(self.temporaryPath).mkdir(parents=True, exist_ok=True)

    def mrmlScene(self) -> Any:
        import slicer

        return slicer.mrmlScene

    def applicationLogic(self) -> Any:
        return self._logic

    def moduleManager(self) -> qSlicerModuleManager:
        return self._manager

    def moduleLogic(self, name: str) -> Any:
        module = self._manager.module(name)
        return module.logic() if module is not None else None

    def settings(self) -> QtCore.QSettings:
        return QtCore.QSettings()

    userSettings = revisionUserSettings = defaultSettings = settings

    def coreCommandOptions(self) -> Any:
        return self._options

    commandOptions = coreCommandOptions

    def testingEnabled(self) -> bool:
        return bool(self._options.testingEnabled)

    def environment(self) -> QtCore.QProcessEnvironment:
        return QtCore.QProcessEnvironment.systemEnvironment()

    def startupEnvironment(self) -> QtCore.QProcessEnvironment:
        """The environment that the application was started in, without what it added."""
        environment = QtCore.QProcessEnvironment()
        for name, value in self._started_with.items():
            environment.insert(name, value)
        return environment


class qSlicerApplication(qSlicerCoreApplication):
    """What needs a window."""

    startupCompleted = QtCore.Signal()
    renderPaused = QtCore.Signal(bool)

    def __init__(self, folder: Path, platform: str | None = None) -> None:
        super().__init__(folder, platform)
        self._layout_manager: Any = None
        self._io_manager: Any = None
        self._main_window: QtWidgets.QMainWindow | None = None
        self._paused = 0

    def layoutManager(self) -> Any:
        return self._layout_manager

    def setLayoutManager(self, manager: Any) -> None:
        self._layout_manager = manager

    def coreIOManager(self) -> Any:
        return self._io_manager

    ioManager = coreIOManager

    def mainWindow(self) -> Any:
        return self._main_window

    def pythonConsole(self) -> Any:
        """The bench has no Python console."""
        return

    def pauseRender(self) -> None:
        self.setRenderPaused(True)

    def resumeRender(self) -> None:
        self.setRenderPaused(False)

    def setRenderPaused(self, paused: bool) -> None:
        self._paused += 1 if paused else -1
        self.renderPaused.emit(self._paused > 0)

    def openSettingsDialog(self, panel: str = "") -> None:
        """The bench has no settings dialog."""

    def currentLogFile(self) -> str:
        return str(Path(self.temporaryPath) / "Slicer.log")


def use_settings_of(folder: Path) -> None:
    """Keeps the settings in a folder of the bench's own, never in the user's."""
    QtCore.QSettings.setDefaultFormat(QtCore.QSettings.Format.IniFormat)
    QtCore.QSettings.setPath(QtCore.QSettings.Format.IniFormat, QtCore.QSettings.Scope.UserScope, str(folder / "settings"))
    QtGui.QGuiApplication.setDesktopFileName("Slicer")
