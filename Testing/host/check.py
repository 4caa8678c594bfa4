"""Tells whether the bench's libraries load and draw on this machine: Qt offscreen, VTK through EGL."""

import sys

import vtk
from PySide6 import QtGui, QtWidgets


def main() -> int:
    """Draws one picture with each; 1 when one of them stays empty."""
    application = QtWidgets.QApplication(["check", "-platform", "offscreen"])
    families = QtGui.QFontDatabase.families()
    window = vtk.vtkRenderWindow()
    window.SetOffScreenRendering(True)
    window.SetSize(32, 32)
    renderer = vtk.vtkRenderer()
    renderer.SetBackground(1.0, 0.0, 0.0)
    window.AddRenderer(renderer)
    vtk.vtkObject.GlobalWarningDisplayOff()  # VTK tries X first and says so
    window.Render()
    source = vtk.vtkWindowToImageFilter()
    source.SetInput(window)
    source.ReadFrontBufferOff()
    source.Update()
    red = tuple(source.GetOutput().GetScalarComponentAsDouble(16, 16, 0, channel) for channel in range(3)) == (255.0, 0.0, 0.0)
    if not families:
        sys.stderr.write("Qt finds no fonts.\n")
    if not red:
        sys.stderr.write("VTK cannot render offscreen.\n")
    application.quit()
    return 0 if families and red else 1


if __name__ == "__main__":
    sys.exit(main())
