"""What all of Slicer's widgets share: they know a MRML scene."""

from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtWidgets


class SceneObservations:
    """Observers of VTK objects that can be taken back together."""

    def __init__(self) -> None:
        self._taken: list[tuple[Any, int]] = []

    def add(self, observed: Any, event: int | str, function: Callable[..., None]) -> None:
        """Calls function(caller, event) or, for events that tell a node, function(caller, event, node)."""
        self._taken.append((observed, observed.AddObserver(event, function)))

    def clear(self) -> None:
        """Ends all observations."""
        for observed, tag in self._taken:
            observed.RemoveObserver(tag)
        self._taken.clear()


class qMRMLWidget(QtWidgets.QWidget):
    """A widget with a scene."""

    mrmlSceneChanged = QtCore.Signal(object)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*[a for a in arguments if isinstance(a, QtWidgets.QWidget)][:1])
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
