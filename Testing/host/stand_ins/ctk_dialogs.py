"""ctkMessageBox: a message box that can be told not to come again."""

from typing import Any

from PySide6 import QtCore, QtWidgets

from Testing.host.stand_ins.stored import computed, parent_among, stored


class ctkMessageBox(QtWidgets.QMessageBox):
    """With a settings key it remembers "Don't show this message again" and answers by itself from then on."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(parent_among(arguments))
        self._mark = QtWidgets.QCheckBox("Don't show this message again", self)
        self._mark.hide()
        self.finished.connect(self.onFinished)

    def _show_mark(self, shown: bool) -> None:
        self._mark.setVisible(shown)
        if shown:
            self.setCheckBox(self._mark)

    dontShowAgain = computed(bool, lambda self: self._mark.isChecked(), lambda self, value: self._mark.setChecked(value))
    dontShowAgainVisible = computed(bool, lambda self: self.checkBox() is not None, _show_mark)
    dontShowAgainSettingsKey = stored("dontShowAgainSettingsKey", str, "", lambda self: self._show_mark(True))
    dontShowAgainButtonRoles = stored("dontShowAgainButtonRoles", "QVariantList", list)

    def setDontShowAgain(self, value: bool) -> None:
        self._mark.setChecked(value)

    def exec(self) -> int:
        if self.dontShowAgainSettingsKey:
            before: Any = QtCore.QSettings().value(self.dontShowAgainSettingsKey, 0)
            if before:
                return int(before)
        return int(super().exec())

    def onFinished(self, result: int) -> None:
        if self.dontShowAgainSettingsKey and self.dontShowAgain:
            QtCore.QSettings().setValue(self.dontShowAgainSettingsKey, int(result))
