"""A VTK render window drawn offscreen and shown in a widget as a picture, rendered only when it is seen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import vtk
from PySide6 import QtGui, QtWidgets
from trame_slicer.views.render_scheduler import ScheduledRenderStrategy
from vtk.util.numpy_support import vtk_to_numpy


class RenderPicture(QtWidgets.QWidget):
    """Shows what `window` renders, at the size of the widget.

    Args:
        window: an offscreen render window.
        resized: called with the new width and height before it is rendered at that size.
        turned: called with the steps of the mouse wheel.
    """

    def __init__(self, window: Any, resized: Callable[[int, int], None], turned: Callable[[int], None] | None = None) -> None:
        super().__init__()
        self._window = window
        self._resized = resized
        self._turned = turned
        self._image: QtGui.QImage | None = None
        self.setMinimumSize(80, 60)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Expanding)

    def forget(self) -> None:
        """What is shown is out of date: it is rendered again when it is next painted."""
        self._image = None
        self.update()

    def image(self) -> QtGui.QImage:
        """What is rendered now."""
        if self._image is None:
            self._window.Render()
            self._image = grab(self._window)
        return self._image

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        self._window.SetSize(self.width(), self.height())
        self._resized(self.width(), self.height())
        self.forget()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        QtGui.QPainter(self).drawImage(self.rect(), self.image())

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:
        if self._turned is not None:
            self._turned(1 if event.angleDelta().y() > 0 else -1)


class RenderWhenPainted(ScheduledRenderStrategy):
    """Slicer's displayable managers ask for a rendering with every change; the picture waits until it is painted."""

    def __init__(self) -> None:
        super().__init__()
        self.picture: RenderPicture | None = None

    def schedule_render(self) -> None:
        if self.picture is not None:
            self.picture.forget()


def grab(window: Any) -> QtGui.QImage:
    """The pixels of a render window that has rendered."""
    source = vtk.vtkWindowToImageFilter()
    source.SetInput(window)
    source.SetInputBufferTypeToRGB()
    source.ReadFrontBufferOff()
    source.ShouldRerenderOff()
    source.Update()
    output = source.GetOutput()
    width, height, _ = output.GetDimensions()
    pixels = vtk_to_numpy(output.GetPointData().GetScalars()).reshape(height, width, 3)
    upright = np.ascontiguousarray(pixels[::-1])
    return QtGui.QImage(upright.data, width, height, 3 * width, QtGui.QImage.Format.Format_RGB888).copy()


@contextmanager
def without_vtk_warnings() -> Iterator[None]:
    """VTK tries X first and says so at length where there is no screen."""
    before = vtk.vtkObject.GetGlobalWarningDisplay()
    vtk.vtkObject.GlobalWarningDisplayOff()
    try:
        yield
    finally:
        vtk.vtkObject.SetGlobalWarningDisplay(before)
