"""ctkPathLineEdit: a path that is typed, chosen from a history or browsed for."""

import re
from enum import IntFlag
from typing import Any

from PySide6 import QtCore, QtWidgets

from Testing.host.stand_ins.stored import computed, parent_among, stored


class ctkPathLineEdit(QtWidgets.QWidget):
    """An editable combo box with the history, and a browse button."""

    currentPathChanged = QtCore.Signal(str)
    validInputChanged = QtCore.Signal(bool)

    class Filters(IntFlag):
        Dirs = 1
        Files = 2
        Drives = 4
        NoSymLinks = 8
        AllEntries = 7
        Readable = 16
        Writable = 32
        Executable = 64
        Hidden = 256
        System = 512
        AllDirs = 1024
        CaseSensitive = 2048
        NoDot = 8192
        NoDotDot = 16384
        NoDotAndDotDot = 24576
        NoFilter = -1

    class Option(IntFlag):
        ShowDirsOnly = 1
        DontResolveSymlinks = 2
        DontConfirmOverwrite = 4
        DontUseSheet = 8
        DontUseNativeDialog = 16
        ReadOnly = 32
        HideNameFilterDetails = 64

    def __init__(self, *arguments: Any) -> None:
        super().__init__(parent_among(arguments))
        self._valid = False
        self._box = QtWidgets.QComboBox(self)
        self._box.setEditable(True)
        self._box.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed)
        self._box.setInsertPolicy(QtWidgets.QComboBox.InsertPolicy.NoInsert)
        self._box.setMinimumContentsLength(8)
        self._box.setSizeAdjustPolicy(QtWidgets.QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._button = QtWidgets.QToolButton(self)
        self._button.setText("...")
        self._button.clicked.connect(self.browse)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._box)
        layout.addWidget(self._button)
        self._box.editTextChanged.connect(self._edited)
        self.setFocusProxy(self._box)

    def _edited(self, text: str) -> None:
        """As CTK's updateHasValidInput: only what fits the name filters is told, though it is the current path in any case."""
        valid = self._acceptable(text)
        if valid:
            self.currentPathChanged.emit(text)
        if valid != self._valid:
            self._valid = valid
            self.validInputChanged.emit(valid)

    def _acceptable(self, text: str) -> bool:
        """As CTK's validator: any text but none, or the end that a name filter asks for; whether it exists does not matter."""
        endings = [ending for names in self.nameFilters for ending in re.findall(r"\*(\.\w+)", names)]
        return any(text.endswith(ending) for ending in endings) if endings else bool(text)

    def setCurrentPath(self, path: str) -> None:
        """Sets the path as if it were typed; separators become slashes."""
        cleaned = QtCore.QDir.fromNativeSeparators(path or "")
        if cleaned != self._box.currentText():
            self._box.setEditText(cleaned)

    currentPath = computed(str, lambda self: self._box.currentText(), setCurrentPath)
    filters = stored("filters", int, 7 | 8192 | 16384)
    options = stored("options", int, 0)
    label = stored("label", str, "")
    nameFilters = stored("nameFilters", "QStringList", list)
    settingKey = stored("settingKey", str, "", lambda self: self.retrieveHistory())
    sizeAdjustPolicy = stored("sizeAdjustPolicy", int, 0)
    minimumContentsLength = stored("minimumContentsLength", int, 0)
    showBrowseButton = computed(
        bool, lambda self: not self._button.isHidden(), lambda self, shown: self._button.setVisible(shown)
    )
    showHistoryButton = stored("showHistoryButton", bool, True)

    def comboBox(self) -> QtWidgets.QComboBox:
        return self._box

    def browse(self) -> None:
        """Asks for a folder, a file to write or a file to read, as the filters say."""
        start = self.currentPath
        if self.filters & self.Filters.Dirs and not self.filters & self.Filters.Files:
            chosen = QtWidgets.QFileDialog.getExistingDirectory(self, self.label or "Select a folder", start)
        elif self.filters & self.Filters.Writable:
            chosen, _ = QtWidgets.QFileDialog.getSaveFileName(self, self.label or "Save as", start, ";;".join(self.nameFilters))
        else:
            chosen, _ = QtWidgets.QFileDialog.getOpenFileName(
                self, self.label or "Select a file", start, ";;".join(self.nameFilters)
            )
        if chosen:
            self.setCurrentPath(chosen)

    def _history_key(self) -> str:
        return f"ctkPathLineEdit/{self.settingKey}"

    def addCurrentPathToHistory(self) -> None:
        """Puts the path first in the history that `settingKey` names."""
        if not self.settingKey or not self.currentPath:
            return
        settings = QtCore.QSettings()
        before = settings.value(self._history_key()) or []
        known = [before] if isinstance(before, str) else list(before)
        settings.setValue(self._history_key(), [self.currentPath, *(path for path in known if path != self.currentPath)][:10])
        self._fill_history()

    def retrieveHistory(self) -> None:
        """Fills the list from the settings and shows the latest path."""
        self._fill_history()
        if self._box.count():
            self._box.setCurrentIndex(0)
            self.setCurrentPath(self._box.itemText(0))

    def _fill_history(self) -> None:
        before = QtCore.QSettings().value(self._history_key()) or []
        blocker = QtCore.QSignalBlocker(self._box)
        text = self._box.currentText()
        self._box.clear()
        self._box.addItems([before] if isinstance(before, str) else list(before))
        self._box.setEditText(text)
        blocker.unblock()
