"""What all of Slicer's widgets share: they know a MRML scene."""

import inspect
import weakref
from collections.abc import Callable
from typing import Any

import shiboken6
import vtk
from PySide6 import QtCore, QtWidgets

from Testing.host.stand_ins.stored import parent_among


class SceneObservations:
    """Observers of VTK objects that end with the widget that owns them, or together by clear()."""

    def __init__(self, owner: QtCore.QObject) -> None:
        self._owner = weakref.ref(owner)
        self._taken: list[tuple[Any, int]] = []

    def add(self, observed: Any, event: int | str, function: Callable[..., None]) -> None:
        """Calls the owner's method `function`: with the node for events that tell one, without arguments otherwise."""
        weak = weakref.WeakMethod(function)
        tells_node = len(inspect.signature(function).parameters) == 1

        def called(caller: Any, event: str, node: Any = None) -> None:
            method = weak()
            if method is None or not shiboken6.isValid(self._owner()):
                self.clear()
            elif tells_node:
                method(caller if node is None else node)
            else:
                method()

        handler: Any = vtk.calldata_type(vtk.VTK_OBJECT)(called) if tells_node and observed.IsA("vtkMRMLScene") else called
        self._taken.append((observed, observed.AddObserver(event, handler)))

    def clear(self) -> None:
        """Ends all observations."""
        for observed, tag in self._taken:
            observed.RemoveObserver(tag)
        self._taken.clear()


class qMRMLWidget(QtWidgets.QWidget):
    """A widget with a scene."""

    mrmlSceneChanged = QtCore.Signal(object)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(parent_among(arguments))
        self._scene: Any = None

    def setMRMLScene(self, scene: Any) -> None:
        if scene is not self._scene:
            self._scene = scene
            self._scene_set()
            self.mrmlSceneChanged.emit(scene)

    def _scene_set(self) -> None:
        """What a derived widget does with a new scene."""

    def mrmlScene(self) -> Any:
        return self._scene


class qSlicerWidget(qMRMLWidget):
    """A widget with a scene."""
