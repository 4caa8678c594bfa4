"""CTK's combo boxes, and the range widget."""

from enum import IntFlag
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from Testing.host.stand_ins.stored import computed, parent_among, stored


class ctkComboBox(QtWidgets.QComboBox):
    """A combo box that shows a default text while nothing is chosen."""

    returnRelease = QtCore.Signal()

    class ScrollEffect(IntFlag):
        NeverScroll = 1
        AlwaysScroll = 2
        ScrollWithFocus = 4
        ScrollWithNoVScrollBar = 8

    defaultText = stored("defaultText", str, "", lambda self: self.setPlaceholderText(self.defaultText))
    defaultIcon = stored("defaultIcon", QtGui.QIcon, QtGui.QIcon)
    forceDefault = stored("forceDefault", bool, False)
    elideMode = stored("elideMode", int, 3)
    scrollWheelEffect = stored("scrollWheelEffect", int, 2)

    def setCurrentUserDataAsString(self, text: str) -> None:
        found = self.findData(text)
        if found >= 0:
            self.setCurrentIndex(found)

    currentUserDataAsString = computed(str, lambda self: str(self.currentData() or ""), setCurrentUserDataAsString)


class ctkCheckableComboBox(QtWidgets.QComboBox):
    """A combo box whose entries are checked one by one."""

    checkedIndexesChanged = QtCore.Signal()
    returnRelease = QtCore.Signal()

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._items = QtGui.QStandardItemModel(self)
        self.setModel(self._items)
        self._follow(self._items)
        self.view().viewport().installEventFilter(self)

    def _follow(self, model: Any) -> None:
        model.dataChanged.connect(self._changed)
        model.rowsInserted.connect(lambda parent, first, last: self._make_checkable(first, last))

    def _make_checkable(self, first: int, last: int) -> None:
        for row in range(first, last + 1):
            item = self._items.item(row)
            item.setCheckable(True)

    def _changed(self, first: Any, last: Any, roles: list[int]) -> None:
        if not roles or int(QtCore.Qt.ItemDataRole.CheckStateRole) in [int(role) for role in roles]:
            self.checkedIndexesChanged.emit()
            self.update()

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        if event.type() == QtCore.QEvent.Type.MouseButtonRelease and isinstance(event, QtGui.QMouseEvent):
            index = self.view().indexAt(event.position().toPoint())
            if index.isValid():
                item = self._items.item(index.row())
                checked = QtCore.Qt.CheckState.Checked
                item.setCheckState(QtCore.Qt.CheckState.Unchecked if item.checkState() == checked else checked)
                return True
        return super().eventFilter(watched, event)

    def checkableModel(self) -> Any:
        return self.model()

    def checkedIndexes(self) -> list[QtCore.QModelIndex]:
        rows = range(self.count())
        checked = QtCore.Qt.CheckState.Checked
        return [self.model().index(row, 0) for row in rows if self._items.item(row).checkState() == checked]

    def checkState(self, index: QtCore.QModelIndex) -> QtCore.Qt.CheckState:
        return self._items.itemFromIndex(index).checkState()

    def setCheckState(self, index: QtCore.QModelIndex, state: QtCore.Qt.CheckState) -> None:
        self._items.itemFromIndex(index).setCheckState(QtCore.Qt.CheckState(state))

    def allChecked(self) -> bool:
        return len(self.checkedIndexes()) == self.count()

    def noneChecked(self) -> bool:
        return not self.checkedIndexes()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionComboBox()
        self.initStyleOption(option)
        option.currentText = ", ".join(index.data() for index in self.checkedIndexes()) or "None"
        painter.drawComplexControl(QtWidgets.QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QtWidgets.QStyle.ControlElement.CE_ComboBoxLabel, option)


class ctkRangeWidget(QtWidgets.QWidget):
    """Two spin boxes that hold a lower and an upper value (the real one has a slider with two handles between them)."""

    valuesChanged = QtCore.Signal(float, float)
    minimumValueChanged = QtCore.Signal(float)
    maximumValueChanged = QtCore.Signal(float)
    minimumValueIsChanging = QtCore.Signal(float)
    maximumValueIsChanging = QtCore.Signal(float)
    rangeChanged = QtCore.Signal(float, float)

    def __init__(self, *arguments: Any) -> None:
        super().__init__(parent_among(arguments))
        self._low = QtWidgets.QDoubleSpinBox(self)
        self._high = QtWidgets.QDoubleSpinBox(self)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for box in (self._low, self._high):
            box.setRange(0.0, 99.0)
            layout.addWidget(box)
        self._high.setValue(99.0)
        self._low.valueChanged.connect(self._low_changed)
        self._high.valueChanged.connect(self._high_changed)

    def _low_changed(self, value: float) -> None:
        self._high.setMinimum(value)
        self.minimumValueChanged.emit(value)
        self.valuesChanged.emit(value, self._high.value())

    def _high_changed(self, value: float) -> None:
        self._low.setMaximum(value)
        self.maximumValueChanged.emit(value)
        self.valuesChanged.emit(self._low.value(), value)

    def setRange(self, low: float, high: float) -> None:
        self._low.setMinimum(low)
        self._high.setMaximum(high)
        self.rangeChanged.emit(low, high)

    def setValues(self, low: float, high: float) -> None:
        self._high.setMinimum(self._low.minimum())
        self._low.setMaximum(self._high.maximum())
        self._high.setValue(max(low, high))
        self._low.setValue(min(low, high))

    def setMinimumValue(self, value: float) -> None:
        self._low.setValue(value)

    def setMaximumValue(self, value: float) -> None:
        self._high.setValue(value)

    def setDecimals(self, decimals: int) -> None:
        self._low.setDecimals(decimals)
        self._high.setDecimals(decimals)

    def reset(self) -> None:
        self.setValues(self._low.minimum(), self._high.maximum())

    def _each(self, name: str, value: Any) -> None:
        getattr(self._low, name)(value)
        getattr(self._high, name)(value)

    minimumValue = computed(float, lambda self: self._low.value(), setMinimumValue)
    maximumValue = computed(float, lambda self: self._high.value(), setMaximumValue)
    minimum = computed(float, lambda self: self._low.minimum(), lambda self, low: self.setRange(low, self._high.maximum()))
    maximum = computed(float, lambda self: self._high.maximum(), lambda self, high: self.setRange(self._low.minimum(), high))
    decimals = computed(int, lambda self: self._low.decimals(), setDecimals)
    singleStep = computed(float, lambda self: self._low.singleStep(), lambda self, step: self._each("setSingleStep", step))
    prefix = computed(str, lambda self: self._low.prefix(), lambda self, text: self._each("setPrefix", text))
    suffix = computed(str, lambda self: self._low.suffix(), lambda self, text: self._each("setSuffix", text))
    tickInterval = stored("tickInterval", float, 0.0)
    tracking = stored("tracking", bool, True)
    symmetricMoves = stored("symmetricMoves", bool, False)
    autoSpinBoxWidth = stored("autoSpinBoxWidth", bool, True)
    spinBoxAlignment = stored("spinBoxAlignment", int, 132)
    spinBoxTextAlignment = stored("spinBoxTextAlignment", int, 2)
    customSpinBoxesLimitsMin = stored("customSpinBoxesLimitsMin", float, 0.0)
    customSpinBoxesLimitsMax = stored("customSpinBoxesLimitsMax", float, 0.0)


class ctkFittedTextBrowser(QtWidgets.QTextBrowser):
    """A text that is as high as its lines."""

    collapsed = stored("collapsed", bool, False)
    disableMouseScroll = stored("disableMouseScroll", bool, False)
    showDetailsText = stored("showDetailsText", str, "Show details")
    hideDetailsText = stored("hideDetailsText", str, "Hide details")

    def setCollapsibleText(self, text: str) -> None:
        self.setHtml(text)

    def sizeHint(self) -> QtCore.QSize:
        document = self.document().clone(self)
        document.setTextWidth(self.viewport().width() or 300)
        return QtCore.QSize(300, int(document.size().height()) + 2 * self.frameWidth())
