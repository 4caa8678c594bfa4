"""Starts the bench: Slicer's libraries, Qt's application, and the names that modules import."""

import importlib
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import slicer
from PySide6 import QtWidgets
from trame_slicer.core import SlicerApp

from Testing.host.application import modules
from Testing.host.application.segment_editor_module import SegmentEditorModule
from Testing.host.pythonqt.modules import ctk_module, make_classes, qt_module
from Testing.host.pythonqt.wrapping import wrap
from Testing.host.stand_ins.all import stand_ins
from Testing.host.stand_ins.qslicer_application import qSlicerApplication, use_settings_of
from Testing.host.stand_ins.qslicer_io import qSlicerIOManager
from Testing.host.stand_ins.qslicer_layout import qSlicerLayoutManager
from Testing.host.stand_ins.qslicer_window import qSlicerMainWindow
from Testing.host.stand_ins.ui_files import QUiLoader

_LAUNCHER = Path(__file__).with_name("launcher.py")


class Host:
    """The running bench. There is one a process, since Qt and `import slicer` are one a process: use `start`."""

    def __init__(self, folder: Path, platform: str | None = None) -> None:
        self.folder = folder
        self.launcher = folder / "bin" / "PythonSlicer"
        self.use_python(Path(sys.executable))
        use_settings_of(folder)
        self.application = qSlicerApplication(folder, platform)
        self.libraries = SlicerApp()
        self.scene = self.libraries.scene
        self.scene.AddNode(slicer.vtkMRMLInteractionNode())
        self._give_names()
        self.window = self._make_window()

    def _give_names(self) -> None:
        classes = make_classes({**stand_ins(), "QUiLoader": QUiLoader})
        sys.modules["qt"] = qt_module(classes)
        sys.modules["ctk"] = ctk_module(classes)
        names: Any = slicer
        for name, made in classes.items():
            if name.startswith(("qMRML", "qSlicer")):
                setattr(names, name, made)
        names.app = wrap(self.application)
        names.mrmlScene = self.scene
        names.modules = SimpleNamespace(sampleDataSources={})
        names.selfTests = {}
        self.application._logic = self.libraries.app_logic
        self._give_submodules()
        for module in (*modules.built_in(self.libraries), SegmentEditorModule()):
            self.add_module(module)

    def _give_submodules(self) -> None:
        from Testing.host.scripted import processes, translation
        from Testing.host.scripted.dicom import give_dicom

        give_dicom()
        slicer.util.launchConsoleProcess = processes.launchConsoleProcess
        slicer.util.executePythonModule = processes.executePythonModule
        publish("i18n", translation)
        sys.modules["SampleData"] = importlib.import_module("Testing.host.scripted.sample_data")
        publish("ScriptedLoadableModule", importlib.import_module("Testing.host.scripted.module_classes"))
        publish("parameterNodeWrapper", importlib.import_module("Testing.host.scripted.parameters"))
        packages = importlib.import_module("Testing.host.scripted.packaging")
        publish("packaging", packages)
        slicer.util.pip_install, slicer.util.pip_uninstall = packages.pip_install, packages.pip_uninstall

    def use_python(self, interpreter: Path) -> None:
        """Makes `interpreter` the one behind PythonSlicer."""
        self.launcher.parent.mkdir(exist_ok=True)
        launch = f'exec "{sys.executable}" -IS "{_LAUNCHER}" "{interpreter}" "$@"'
        self.launcher.write_text(f"#!/bin/sh\n{launch}\n", encoding="utf-8")
        self.launcher.chmod(0o755)

    def _make_window(self) -> qSlicerMainWindow:
        window = qSlicerMainWindow(self.application.moduleManager())
        self.application._main_window = window
        window.resize(1400, 900)
        self.application.setLayoutManager(qSlicerLayoutManager(self.libraries, window._views))
        self.application._io_manager = qSlicerIOManager(self.libraries, self.application)
        return window

    def add_module(self, module: Any) -> None:
        """Makes a module known as slicer.modules.<name in lower case>."""
        self.application.moduleManager()._add(module)
        setattr(slicer.modules, module.name.lower(), wrap(module))

    def load_module(self, name: str, repository: Path) -> Any:
        """Loads `repository/<name>/<name>.py` as --additional-module-paths does, and shows its panel.

        Returns:
            The module's Widget object.
        """
        module = self.application.moduleManager().module(name)
        if module is None:
            module = modules.import_scripted(repository / name / f"{name}.py", self.add_module)
            self.application.startupCompleted.emit()
        slicer.util.selectModule(name)
        return module.widgetRepresentation().self()

    def close(self) -> None:
        """Unloads the modules, as the application does when it is quit: their panels clean up."""
        manager = self.application.moduleManager()
        for name in manager.modulesNames():
            manager.moduleAboutToBeUnloaded.emit(name)
        self.window.close()

    def process_events(self) -> None:
        """Lets Qt do what is waiting."""
        QtWidgets.QApplication.processEvents()


_running: list[Host] = []


def start(folder: Path, platform: str | None = None) -> Host:
    """The bench of this process; the first call makes it, with its settings and temporary files in `folder`.

    `platform` is Qt's: "offscreen" draws without a screen, None takes the one of the desktop.
    """
    if not _running:
        _running.append(Host(folder, platform))
    return _running[0]


def publish(name: str, source: ModuleType) -> None:
    """Makes a Python module known as slicer.<name>."""
    sys.modules[f"slicer.{name}"] = source
    setattr(slicer, name, source)
