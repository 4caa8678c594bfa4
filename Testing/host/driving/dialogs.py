"""Answers dialogs while a test runs, with real clicks, so that nothing blocks.

    bench.answer("Yes")                     the next dialog: click the button with this text
    bench.answer_file(path)                 the next file dialog: type this path and accept
    bench.answer(lambda dialog: ...)        the next dialog: do this with it (a PySide6 dialog), then it must be closed

A dialog that nobody announced is dismissed, and the test fails at its end with the dialog's text.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PySide6 import QtCore, QtWidgets
from PySide6.QtTest import QTest

from Testing.host.driving.seen_dialog import SeenDialog

Answer = Callable[[QtWidgets.QDialog], None]


@dataclass
class DialogAnswers(QtCore.QObject):
    """Looks for modal dialogs every few milliseconds and gives them the answers that wait."""

    waiting: deque[Answer] = field(default_factory=deque)
    seen: list[SeenDialog] = field(default_factory=list)
    unexpected: list[SeenDialog] = field(default_factory=list)

    def __post_init__(self) -> None:
        QtCore.QObject.__init__(self)
        self._busy = False
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(20)

    def stop(self) -> None:
        """Leaves dialogs alone from now on."""
        self._timer.stop()

    def _look(self) -> None:
        dialog = QtWidgets.QApplication.activeModalWidget()
        if self._busy or not isinstance(dialog, QtWidgets.QDialog) or isinstance(dialog, QtWidgets.QProgressDialog):
            return
        self._busy = True
        said = describe(dialog)
        self.seen.append(said)
        if self.waiting:
            self.waiting.popleft()(dialog)
        else:
            self.unexpected.append(said)
            dialog.reject()
        self._busy = False


def describe(dialog: QtWidgets.QDialog) -> SeenDialog:
    """Title, texts and buttons of a dialog."""
    buttons = tuple(plain(button.text()) for button in dialog.findChildren(QtWidgets.QPushButton))
    if isinstance(dialog, QtWidgets.QMessageBox):
        text = "\n".join(part for part in (dialog.text(), dialog.informativeText()) if part)
        return SeenDialog(dialog.windowTitle().strip(), text, dialog.detailedText(), buttons)
    labels = "\n".join(label.text() for label in dialog.findChildren(QtWidgets.QLabel) if label.text())
    return SeenDialog(dialog.windowTitle(), labels, "", buttons)


def plain(text: str) -> str:
    """A button's text without the mark of its shortcut."""
    return text.replace("&", "")


def press(text: str) -> Answer:
    """Clicks the button with this text."""

    def answer(dialog: QtWidgets.QDialog) -> None:
        found = [b for b in dialog.findChildren(QtWidgets.QPushButton) if plain(b.text()) == text]
        if not found:
            dialog.reject()
            raise AssertionError(f"The dialog '{describe(dialog).text}' has no button '{text}' but {describe(dialog).buttons}")
        QTest.mouseClick(found[0], QtCore.Qt.MouseButton.LeftButton)

    return answer


def choose_path(path: Path) -> Answer:
    """Types a path into a file dialog and accepts it."""

    def answer(dialog: QtWidgets.QDialog) -> None:
        if not isinstance(dialog, QtWidgets.QFileDialog):
            dialog.reject()
            raise AssertionError(f"A file dialog was expected, not '{describe(dialog).text}'")
        line: Any = dialog.findChild(QtWidgets.QLineEdit)
        dialog.setDirectory(str(path.parent))
        line.setText(str(path))
        dialog.accept()

    return answer
