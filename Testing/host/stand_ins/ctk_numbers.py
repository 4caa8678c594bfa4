"""CTK's sliders and spin boxes for real numbers."""

from enum import IntEnum
from typing import Any

from PySide6 import QtCore, QtWidgets

from Testing.host.stand_ins.stored import computed, parent_among, stored

STEPS = 1000


class ctkDoubleSlider(QtWidgets.QWidget):
    """A slider over real numbers."""

    valueChanged = QtCore.Signal(float)
    sliderMoved = QtCore.Signal(float)
    rangeChanged = QtCore.Signal(float, float)
    sliderPressed = QtCore.Signal()
    sliderReleased = QtCore.Signal()

    def __init__(self, *arguments: Any) -> None:
        super().__init__(parent_among(arguments))
        self._low, self._high, self._value, self._step = 0.0, 99.0, 0.0, 1.0
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal, self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider)
        self._slider.valueChanged.connect(self._moved)
        self._slider.sliderPressed.connect(self.sliderPressed)
        self._slider.sliderReleased.connect(self.sliderReleased)
        self._place()

    def _moved(self, position: int) -> None:
        value = min(self._high, self._low + position * self._step)
        self.sliderMoved.emit(value)
        self._change(value)

    def _change(self, value: float) -> None:
        value = min(max(value, self._low), self._high)
        if value != self._value:
            self._value = value
            self._place()
            self.valueChanged.emit(value)

    def _place(self) -> None:
        blocker = QtCore.QSignalBlocker(self._slider)
        self._slider.setRange(0, max(1, round((self._high - self._low) / self._step)))
        self._slider.setValue(round((self._value - self._low) / self._step))
        blocker.unblock()

    def _bounds(self, low: float, high: float) -> None:
        if (low, high) != (self._low, self._high):
            self._low, self._high = low, max(low, high)
            self._place()
            self.rangeChanged.emit(self._low, self._high)
            self._change(self._value)

    def _set_step(self, step: float) -> None:
        if step > 0:
            self._step = step
            self._place()

    def setValue(self, value: float) -> None:
        self._change(value)

    def setOrientation(self, orientation: QtCore.Qt.Orientation) -> None:
        self._slider.setOrientation(orientation)

    value = computed(float, lambda self: self._value, setValue)
    minimum = computed(float, lambda self: self._low, lambda self, low: self._bounds(low, max(low, self._high)))
    maximum = computed(float, lambda self: self._high, lambda self, high: self._bounds(min(high, self._low), high))
    singleStep = computed(float, lambda self: self._step, _set_step)
    sliderPosition = computed(float, lambda self: self._value, setValue)
    pageStep = stored("pageStep", float, 10.0)
    tickInterval = stored("tickInterval", float, 0.0)
    tickPosition = stored("tickPosition", int, 0)
    tracking = stored("tracking", bool, True)
    handleToolTip = stored("handleToolTip", str, "")
    invertedAppearance = stored("invertedAppearance", bool, False)
    invertedControls = stored("invertedControls", bool, False)
    orientation = computed(int, lambda self: self._slider.orientation().value)


class ctkDoubleSpinBox(QtWidgets.QWidget):
    """A spin box for real numbers."""

    valueChanged = QtCore.Signal(float)
    decimalsChanged = QtCore.Signal(int)
    editingFinished = QtCore.Signal()

    class SetMode(IntEnum):
        SetAlways = 0
        SetIfDifferent = 1

    def __init__(self, *arguments: Any) -> None:
        super().__init__(parent_among(arguments))
        self._box = QtWidgets.QDoubleSpinBox(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._box.valueChanged.connect(self.valueChanged)
        self._box.editingFinished.connect(self.editingFinished)
        self.setFocusProxy(self._box)

    def setValue(self, value: float) -> None:
        self._box.setValue(value)

    setValueIfDifferent = setValueAlways = setValue

    def setDecimals(self, decimals: int) -> None:
        if decimals != self._box.decimals():
            self._box.setDecimals(decimals)
            self.decimalsChanged.emit(decimals)

    def setReadOnly(self, read_only: bool) -> None:
        self._box.setReadOnly(read_only)

    def stepUp(self) -> None:
        self._box.stepUp()

    def stepDown(self) -> None:
        self._box.stepDown()

    value = computed(float, lambda self: self._box.value(), setValue)
    minimum = computed(float, lambda self: self._box.minimum(), lambda self, low: self._box.setMinimum(low))
    maximum = computed(float, lambda self: self._box.maximum(), lambda self, high: self._box.setMaximum(high))
    singleStep = computed(float, lambda self: self._box.singleStep(), lambda self, step: self._box.setSingleStep(step))
    decimals = computed(int, lambda self: self._box.decimals(), setDecimals)
    prefix = computed(str, lambda self: self._box.prefix(), lambda self, text: self._box.setPrefix(text))
    suffix = computed(str, lambda self: self._box.suffix(), lambda self, text: self._box.setSuffix(text))
    readOnly = computed(bool, lambda self: self._box.isReadOnly(), setReadOnly)
    frame = computed(bool, lambda self: self._box.hasFrame(), lambda self, shown: self._box.setFrame(shown))
    cleanText = computed(str, lambda self: self._box.cleanText())
    alignment = stored("alignment", int, 1)
    decimalsOption = stored("decimalsOption", int, 0)
    invertedControls = stored("invertedControls", bool, False)
    setMode = stored("setMode", int, 1)
    sizeHintPolicy = stored("sizeHintPolicy", int, 0)


class ctkSliderWidget(QtWidgets.QWidget):
    """A slider with a spin box beside it. Its limits are properties only: there is no setMinimum in Slicer."""

    valueChanged = QtCore.Signal(float)
    valueIsChanging = QtCore.Signal(float)
    decimalsChanged = QtCore.Signal(int)

    class SynchronizeSiblings(IntEnum):
        NoSynchronize = 0
        SynchronizeWidth = 1
        SynchronizeDecimals = 2

    def __init__(self, *arguments: Any) -> None:
        super().__init__(parent_among(arguments))
        self._slider = ctkDoubleSlider(self)
        self._box = QtWidgets.QDoubleSpinBox(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider, 1)
        layout.addWidget(self._box)
        self._box.setRange(0.0, 99.0)
        self._slider.valueChanged.connect(self._follow_slider)
        self._slider.sliderMoved.connect(self.valueIsChanging)
        self._box.valueChanged.connect(self._slider.setValue)
        self._box.valueChanged.connect(self.valueChanged)

    def _follow_slider(self, value: float) -> None:
        if value != self._box.value():  # setting the same value would spoil what is being typed
            self._box.setValue(value)

    def _bound(self, low: float, high: float) -> None:
        self._slider._bounds(low, high)
        self._box.setRange(low, high)

    def _set_step(self, step: float) -> None:
        self._slider.singleStep = step
        self._box.setSingleStep(step)

    def setValue(self, value: float) -> None:
        self._box.setValue(value)

    def setDecimals(self, decimals: int) -> None:
        if decimals != self._box.decimals():
            self._box.setDecimals(decimals)
            self.decimalsChanged.emit(decimals)

    def setSpinBoxVisible(self, shown: bool) -> None:
        self._box.setVisible(shown)

    def reset(self) -> None:
        self.setValue(min(max(0.0, self._box.minimum()), self._box.maximum()))

    value = computed(float, lambda self: self._box.value(), setValue)
    minimum = computed(
        float, lambda self: self._box.minimum(), lambda self, low: self._bound(low, max(low, self._box.maximum()))
    )
    maximum = computed(
        float, lambda self: self._box.maximum(), lambda self, high: self._bound(min(high, self._box.minimum()), high)
    )
    singleStep = computed(float, lambda self: self._box.singleStep(), _set_step)
    decimals = computed(int, lambda self: self._box.decimals(), setDecimals)
    prefix = computed(str, lambda self: self._box.prefix(), lambda self, text: self._box.setPrefix(text))
    suffix = computed(str, lambda self: self._box.suffix(), lambda self, text: self._box.setSuffix(text))
    spinBoxVisible = computed(bool, lambda self: not self._box.isHidden(), setSpinBoxVisible)
    pageStep = stored("pageStep", float, 10.0)
    tickInterval = stored("tickInterval", float, 0.0)
    tickPosition = stored("tickPosition", int, 0)
    tracking = stored("tracking", bool, True)
    popupSlider = stored("popupSlider", bool, False)
    spinBoxAlignment = stored("spinBoxAlignment", int, 2)
    synchronizeSiblings = stored("synchronizeSiblings", int, 3)
    invertedAppearance = stored("invertedAppearance", bool, False)
    invertedControls = stored("invertedControls", bool, False)
