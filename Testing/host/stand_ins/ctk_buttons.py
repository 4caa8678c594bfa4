"""CTK's buttons and collapsible boxes."""

from enum import IntFlag
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from Testing.host.stand_ins.stored import computed, parent_among, stored


class ctkCollapsibleButton(QtWidgets.QAbstractButton):
    """A header that shows and hides what lies under it. Its children are laid out below the header."""

    contentsCollapsed = QtCore.Signal(bool)
    HEADER = 28

    def __init__(self, text: Any = "", parent: QtWidgets.QWidget | None = None) -> None:
        if isinstance(text, QtWidgets.QWidget):
            text, parent = "", text
        super().__init__(parent)
        self.setText(text or "")
        self._collapsed = False
        self._hidden: list[QtWidgets.QWidget] = []
        self._busy = False
        self.setCheckable(True)
        self.setChecked(True)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Minimum, QtWidgets.QSizePolicy.Policy.Preferred)
        self.setContentsMargins(0, self.HEADER, 0, 0)
        self.toggled.connect(lambda checked: self._collapse(not checked))

    def _collapse(self, collapsed: bool) -> None:
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        if collapsed:
            self._hide_children()
        else:
            self._show_children()
        self.setMaximumHeight(self.HEADER + self.collapsedHeight if collapsed else 16777215)
        self.setChecked(not collapsed)
        self.updateGeometry()
        self.contentsCollapsed.emit(collapsed)

    def _children(self) -> list[QtWidgets.QWidget]:
        return self.findChildren(QtWidgets.QWidget, options=QtCore.Qt.FindChildOption.FindDirectChildrenOnly)

    def _hide_children(self) -> None:
        self._busy = True
        for child in self._children():
            if not child.isHidden():
                self._hidden.append(child)
                child.hide()
        self._busy = False

    def _show_children(self) -> None:
        self._busy = True
        for child in self._children():
            if child in self._hidden:
                child.show()
        self._hidden.clear()
        self._busy = False

    def showEvent(self, event: QtGui.QShowEvent) -> None:
        super().showEvent(event)
        if self._collapsed:  # children that came after it was collapsed, as those of a .ui file do
            self._hide_children()

    def childEvent(self, event: QtCore.QChildEvent) -> None:
        if event.type() == QtCore.QEvent.Type.ChildPolished and isinstance(event.child(), QtWidgets.QWidget):
            event.child().installEventFilter(self)
        super().childEvent(event)

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        """A child that is shown or hidden while it is collapsed: remembered for when it is not."""
        if self._collapsed and not self._busy and isinstance(watched, QtWidgets.QWidget):
            if event.type() == QtCore.QEvent.Type.ShowToParent:
                self._hide_children()
            elif event.type() == QtCore.QEvent.Type.HideToParent and watched in self._hidden:
                self._hidden.remove(watched)
        return super().eventFilter(watched, event)

    collapsed = computed(bool, lambda self: self._collapsed, lambda self, value: self._collapse(bool(value)))
    collapsedHeight = stored("collapsedHeight", int, 10)
    flat = stored("flat", bool, False)
    contentsFrameShape = stored("contentsFrameShape", int, 0)
    contentsFrameShadow = stored("contentsFrameShadow", int, 16)
    contentsLineWidth = stored("contentsLineWidth", int, 1)
    contentsMidLineWidth = stored("contentsMidLineWidth", int, 0)
    buttonTextAlignment = stored("buttonTextAlignment", int, 132)
    indicatorAlignment = stored("indicatorAlignment", int, 129)

    def hitButton(self, position: QtCore.QPoint) -> bool:
        return position.y() <= self.HEADER

    def sizeHint(self) -> QtCore.QSize:
        layout = self.layout()
        if layout is None or self._collapsed:
            return QtCore.QSize(120, self.HEADER)
        hint = layout.totalSizeHint()
        return QtCore.QSize(max(120, hint.width()), max(self.HEADER, hint.height()))

    def minimumSizeHint(self) -> QtCore.QSize:
        layout = self.layout()
        return QtCore.QSize(60, self.HEADER) if layout is None or self._collapsed else layout.totalMinimumSize()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        painter = QtWidgets.QStylePainter(self)
        header = QtWidgets.QStyleOptionButton()
        header.initFrom(self)
        header.rect = QtCore.QRect(0, 0, self.width(), self.HEADER)
        header.features = QtWidgets.QStyleOptionButton.ButtonFeature.None_
        painter.drawControl(QtWidgets.QStyle.ControlElement.CE_PushButtonBevel, header)
        arrow = QtWidgets.QStyleOption()
        arrow.initFrom(self)
        arrow.rect = QtCore.QRect(8, self.HEADER // 2 - 6, 12, 12)
        element = QtWidgets.QStyle.PrimitiveElement
        painter.drawPrimitive(element.PE_IndicatorArrowRight if self._collapsed else element.PE_IndicatorArrowDown, arrow)
        font = QtGui.QFont(self.font())
        font.setBold(True)
        painter.setFont(font)
        place = QtCore.QRect(28, 0, self.width() - 32, self.HEADER)
        painter.drawText(place, QtCore.Qt.AlignmentFlag.AlignVCenter | QtCore.Qt.TextFlag.TextShowMnemonic, self.text())


class ctkCollapsibleGroupBox(QtWidgets.QGroupBox):
    """A group box that its check mark collapses."""

    def __init__(self, title: Any = "", parent: QtWidgets.QWidget | None = None) -> None:
        if isinstance(title, QtWidgets.QWidget):
            title, parent = "", title
        super().__init__(title or "", parent)
        self.setCheckable(True)
        self.setChecked(True)
        self.toggled.connect(self._show_children)

    def _show_children(self, shown: bool) -> None:
        for child in self.findChildren(QtWidgets.QWidget, options=QtCore.Qt.FindChildOption.FindDirectChildrenOnly):
            child.setVisible(shown)
        self.setMaximumHeight(16777215 if shown else self.fontMetrics().height() + self.collapsedHeight)

    collapsed = computed(bool, lambda self: not self.isChecked(), lambda self, value: self.setChecked(not value))
    collapsedHeight = stored("collapsedHeight", int, 14)


class ctkDirectoryButton(QtWidgets.QWidget):
    """A button that bears a folder's path and lets choose another."""

    directoryChanged = QtCore.Signal(str)
    directorySelected = QtCore.Signal(str)

    class Option(IntFlag):
        ShowDirsOnly = 1
        DontResolveSymlinks = 2
        DontUseNativeDialog = 16
        ReadOnly = 32

    def __init__(self, directory: Any = None, parent: QtWidgets.QWidget | None = None) -> None:
        if isinstance(directory, QtWidgets.QWidget):
            directory, parent = None, directory
        super().__init__(parent)
        self._button = QtWidgets.QPushButton(self.style().standardIcon(QtWidgets.QStyle.StandardPixmap.SP_DirIcon), "", self)
        self._button.clicked.connect(self.browse)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._button)
        self._directory = QtCore.QDir(directory if isinstance(directory, str) else ".").absolutePath()
        self._show()

    def _show(self) -> None:
        self._button.setText(self.text or self._directory)
        self._button.setToolTip(self._directory)

    def _set_directory(self, directory: str) -> None:
        absolute = QtCore.QDir(directory or ".").absolutePath()
        if absolute != self._directory:
            self._directory = absolute
            self._show()
            self.directoryChanged.emit(absolute)

    directory = computed(str, lambda self: self._directory, _set_directory)
    caption = stored("caption", str, "")
    text = stored("text", str, "", lambda self: self._show())
    icon = computed(QtGui.QIcon, lambda self: self._button.icon(), lambda self, icon: self._button.setIcon(icon))
    acceptMode = stored("acceptMode", int, 0)
    elideMode = stored("elideMode", int, 3)
    options = stored("options", int, 1)

    @QtCore.Slot()
    def browse(self) -> None:
        """Opens the dialog; an accepted folder is told by directorySelected, a different one by directoryChanged too."""
        chosen = QtWidgets.QFileDialog.getExistingDirectory(self, self.caption, self._directory)
        if chosen:
            self._set_directory(chosen)
            self.directorySelected.emit(chosen)


class ctkColorPickerButton(QtWidgets.QPushButton):
    """A button that shows a colour and lets choose another."""

    colorChanged = QtCore.Signal(QtGui.QColor)
    colorNameChanged = QtCore.Signal(str)

    class ColorDialogOption(IntFlag):
        ShowAlphaChannel = 1
        NoButtons = 2
        DontUseNativeDialog = 4
        UseCTKColorDialog = 12

    def __init__(self, *arguments: Any) -> None:
        super().__init__(parent_among(arguments))
        self._color = next((a for a in arguments if isinstance(a, QtGui.QColor)), QtGui.QColor("black"))
        self._name = ""
        self.clicked.connect(self.changeColor)
        self._show()

    def _show(self) -> None:
        swatch = QtGui.QPixmap(16, 16)
        swatch.fill(self._color)
        self.setIcon(QtGui.QIcon(swatch))
        self.setText((self._name or self._color.name()) if self.displayColorName else "")

    def setColor(self, color: QtGui.QColor) -> None:
        if color != self._color:
            self._color = QtGui.QColor(color)
            self._show()
            self.colorChanged.emit(self._color)

    def _set_name(self, name: str) -> None:
        if name != self._name:
            self._name = name
            self._show()
            self.colorNameChanged.emit(name)

    color = computed(QtGui.QColor, lambda self: self._color, setColor)
    colorName = computed(str, lambda self: self._name, _set_name)
    displayColorName = stored("displayColorName", bool, True, lambda self: self._show())
    dialogOptions = stored("dialogOptions", int, 0)

    def setDisplayColorName(self, shown: bool) -> None:
        self.displayColorName = shown

    def changeColor(self) -> None:
        chosen = QtWidgets.QColorDialog.getColor(self._color, self)
        if chosen.isValid():
            self.setColor(chosen)


class ctkPushButton(QtWidgets.QPushButton):
    """A push button whose text may stand anywhere and be elided."""

    buttonTextAlignment = stored("buttonTextAlignment", int, 132)
    iconAlignment = stored("iconAlignment", int, 129)
    elideMode = stored("elideMode", int, 3)


class ctkCheckBox(QtWidgets.QCheckBox):
    """A check box that may have an icon for its mark."""

    indicatorIcon = stored("indicatorIcon", QtGui.QIcon, QtGui.QIcon)
    indicatorIconSize = stored("indicatorIconSize", QtCore.QSize, lambda: QtCore.QSize(16, 16))


class ctkMenuButton(QtWidgets.QPushButton):
    """A push button with a menu at its side."""


class ctkExpandButton(QtWidgets.QToolButton):
    """A small arrow button."""

    mirrorOnExpand = stored("mirrorOnExpand", bool, False)
    orientation = stored("orientation", int, 1)


class ctkSearchBox(QtWidgets.QLineEdit):
    """A line edit for searching."""

    showSearchIcon = stored("showSearchIcon", bool, False)
    searchIcon = stored("searchIcon", QtGui.QIcon, QtGui.QIcon)
    clearIcon = stored("clearIcon", QtGui.QIcon, QtGui.QIcon)
