"""Slice views and 3-D views: Slicer's own rendering, shown as pictures."""

from typing import Any, cast

from PySide6 import QtCore, QtGui, QtWidgets
from trame_slicer.views import SliceView, ThreeDView
from trame_slicer.views.abstract_view import AbstractView

from Testing.host.stand_ins.ctk_numbers import ctkSliderWidget
from Testing.host.stand_ins.qmrml_base import SceneObservations, qMRMLWidget
from Testing.host.stand_ins.render_picture import RenderPicture, RenderWhenPainted, without_vtk_warnings
from Testing.host.stand_ins.stored import computed, stored


class qMRMLSliderWidget(ctkSliderWidget):
    """A slider that knows the scene's units."""

    quantity = stored("quantity", str, "")
    unitAwareProperties = stored("unitAwareProperties", int, 0)

    def setMRMLScene(self, scene: Any) -> None:
        """The bench shows numbers as they are."""


class ViewPicture(qMRMLWidget):
    """The part that renders: what sliceView() and threeDView() hand out."""

    renderEnabled = stored("renderEnabled", bool, True)

    def __init__(self, view: AbstractView, picture: RenderPicture) -> None:
        super().__init__()
        self._view, self._picture = view, picture
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(picture)

    def renderWindow(self) -> Any:
        return self._view.render_window()

    def interactor(self) -> Any:
        return self._view.interactor()

    def scheduleRender(self) -> None:
        self._picture.forget()

    def forceRender(self) -> None:
        self._picture.forget()
        self._picture.image()

    def displayableManagerByClassName(self, name: str) -> Any:
        return self._view.get_displayable_manager_by_class(name)

    def pauseRender(self) -> None:
        self._view.set_render_blocked(True)

    def resumeRender(self) -> None:
        self._view.set_render_blocked(False)


class qMRMLSliceView(ViewPicture):
    """The picture of a slice."""

    def mrmlSliceNode(self) -> Any:
        return self._view.get_view_node()


class qMRMLThreeDView(ViewPicture):
    """The picture of the 3-D scene."""

    def mrmlViewNode(self) -> Any:
        return self._view.get_view_node()

    def resetFocalPoint(self) -> None:
        self._view.reset_camera()
        self._picture.forget()

    def resetCamera(self, *resets: bool) -> None:
        self.resetFocalPoint()


class qMRMLSliceControllerWidget(qMRMLWidget):
    """The bar above a slice: its label and the slider of its offset."""

    def __init__(self, logic: Any, label: str, color: str) -> None:
        super().__init__()
        self._logic = logic
        self._observations = SceneObservations(self)
        name = QtWidgets.QLabel(label, self)
        name.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        name.setFixedWidth(22)
        name.setStyleSheet(f"background: {color}; color: white; font-weight: bold")
        self._slider = qMRMLSliderWidget(self)
        self._slider.suffix = " mm"
        self._slider.setMinimumWidth(60)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(name)
        layout.addWidget(self._slider)
        self._slider.valueChanged.connect(self.setSliceOffsetValue)
        self._observations.add(logic, "ModifiedEvent", self._follow)
        self._observations.add(logic.GetSliceNode(), "ModifiedEvent", self._follow)
        self._follow()

    def _follow(self) -> None:
        from vtkmodules.vtkCommonCore import reference

        limits, step = [-1.0, -1.0], cast(Any, reference(1.0))
        if not self._logic.GetSliceOffsetRangeResolution(limits, step):
            limits, step = [-100.0, 100.0], cast(Any, reference(1.0))
        blocker = QtCore.QSignalBlocker(self._slider)
        self._slider.minimum, self._slider.maximum = limits
        self._slider.singleStep = step.get()
        self._slider.setValue(self._logic.GetSliceOffset())
        blocker.unblock()

    def setSliceOffsetValue(self, offset: float) -> None:
        self._logic.SetSliceOffset(offset)

    def sliceOffsetSlider(self) -> Any:
        return self._slider

    def sliceLogic(self) -> Any:
        return self._logic

    def mrmlSliceNode(self) -> Any:
        return self._logic.GetSliceNode()

    def mrmlSliceCompositeNode(self) -> Any:
        return self._logic.GetSliceCompositeNode()

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()

    def setSliceVisible(self, visible: bool) -> None:
        self._logic.GetSliceNode().SetSliceVisible(visible)

    def setSliceOrientation(self, orientation: str) -> None:
        self._logic.GetSliceNode().SetOrientation(orientation)


class qMRMLSliceWidget(qMRMLWidget):
    """A slice view with its bar, on Slicer's own slice logic."""

    def __init__(self, libraries: Any, tag: str, properties: dict[str, str]) -> None:
        super().__init__()
        schedule = RenderWhenPainted()
        remove_node(libraries.scene, tag, "vtkMRMLSliceNode")
        with without_vtk_warnings():
            self._slice = SliceView(libraries.scene, libraries.app_logic, tag, schedule)
        self._logic: Any = self._slice._logic
        self._picture = schedule.picture = RenderPicture(self._slice.render_window(), self._logic.ResizeSliceNode, self._turn)
        self._view = qMRMLSliceView(self._slice, self._picture)
        label, color = properties.get("viewlabel", tag[:1]), properties.get("viewcolor", "#8080a0")
        self._slice.get_view_node().SetLayoutLabel(label)
        self._controller = qMRMLSliceControllerWidget(self._logic, label, color)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(0)
        layout.addWidget(self._controller)
        layout.addWidget(self._view, 1)

    def _turn(self, steps: int) -> None:
        slider = self._controller.sliceOffsetSlider()
        self._logic.SetSliceOffset(min(max(slider.value + steps * slider.singleStep, slider.minimum), slider.maximum))

    def sliceLogic(self) -> Any:
        return self._logic

    def sliceView(self) -> Any:
        return self._view

    viewWidget = sliceView

    def sliceController(self) -> Any:
        return self._controller

    controllerWidget = sliceController

    def mrmlSliceNode(self) -> Any:
        return self._logic.GetSliceNode()

    def mrmlSliceCompositeNode(self) -> Any:
        return self._logic.GetSliceCompositeNode()

    def fitSliceToBackground(self) -> None:
        self._logic.FitSliceToBackground()

    def setSliceOrientation(self, orientation: str) -> None:
        self._logic.GetSliceNode().SetOrientation(orientation)

    sliceOrientation = computed(str, lambda self: self._logic.GetSliceNode().GetOrientation(), setSliceOrientation)
    sliceViewName = computed(str, lambda self: self._logic.GetSliceNode().GetLayoutName())
    sliceViewLabel = computed(str, lambda self: self._logic.GetSliceNode().GetLayoutLabel())
    sliceViewColor = computed(QtGui.QColor, lambda self: QtGui.QColor.fromRgbF(*self._logic.GetSliceNode().GetLayoutColor()))


class qMRMLThreeDWidget(qMRMLWidget):
    """A 3-D view."""

    def __init__(self, libraries: Any, tag: str, properties: dict[str, str]) -> None:
        super().__init__()
        schedule = RenderWhenPainted()
        remove_node(libraries.scene, tag, "vtkMRMLViewNode")
        with without_vtk_warnings():
            self._three_d = ThreeDView(libraries.scene, libraries.app_logic, tag, schedule)
        self._picture = schedule.picture = RenderPicture(self._three_d.render_window(), lambda width, height: None)
        self._view = qMRMLThreeDView(self._three_d, self._picture)
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.addWidget(self._view)

    def threeDView(self) -> Any:
        return self._view

    viewWidget = threeDView

    def mrmlViewNode(self) -> Any:
        return self._three_d.get_view_node()


def remove_node(scene: Any, tag: str, kind: str) -> None:
    """Removes the view node that the layout made: trame-slicer's view makes its own and would not find this one."""
    node = scene.GetSingletonNode(tag, kind)
    if node is not None:
        scene.RemoveNode(node)
