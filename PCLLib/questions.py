"""Questions that are asked in a dialog: consent, and overwriting. Nothing waits for the answer: it comes as a call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import qt
import slicer


@dataclass(frozen=True)
class Choice:
    """One answer: ``name`` for the program, ``text`` on the button."""

    name: str
    text: str


@dataclass(frozen=True)
class Question:
    """A question with its answers.

    Attributes:
        title: of the dialog.
        text: of the question.
        choices: the answers; the first is the proposed one, the last is meant when the dialog is closed.
    """

    title: str
    text: str
    choices: tuple[Choice, ...]


class Questions(Protocol):
    """Whom the logic asks."""

    def ask(self, question: Question, answered: Callable[[str], None]) -> None:
        """Asks and returns at once; ``answered`` is called with the name of the choice."""

    def choose_folder(self, title: str, chosen: Callable[[Path], None], dismissed: Callable[[], None] = lambda: None) -> None:
        """Asks for an existing folder; calls ``dismissed`` when none is chosen."""


class Dialogs:
    """Asks in dialogs of the application that block its main window but not its event loop."""

    def __init__(self) -> None:
        self._open: list[object] = []

    def ask(self, question: Question, answered: Callable[[str], None]) -> None:
        """Shows a message box."""
        box = qt.QMessageBox(slicer.util.mainWindow())
        box.setObjectName("PCLQuestion")
        box.setWindowTitle(question.title)
        box.setText(question.text)
        buttons = []
        for number, choice in enumerate(question.choices):
            last = number == len(question.choices) - 1
            buttons.append(box.addButton(choice.text, qt.QMessageBox.RejectRole if last else qt.QMessageBox.AcceptRole))
        box.setDefaultButton(buttons[0])
        box.setEscapeButton(buttons[-1])

        def finished(*_arguments: object) -> None:
            clicked = box.clickedButton()
            name = next(
                (c.name for c, b in zip(question.choices, buttons, strict=True) if b == clicked), question.choices[-1].name
            )
            self._open.remove(box)
            box.deleteLater()
            _soon(lambda: answered(name))

        box.finished.connect(finished)
        self._open.append(box)
        box.open()

    def choose_folder(self, title: str, chosen: Callable[[Path], None], dismissed: Callable[[], None] = lambda: None) -> None:
        """Shows a folder dialog."""
        dialog = qt.QFileDialog(slicer.util.mainWindow(), title)
        dialog.setObjectName("PCLFolderQuestion")
        dialog.setFileMode(qt.QFileDialog.Directory)

        def finished(result: int) -> None:
            paths = list(dialog.selectedFiles()) if result else []
            self._open.remove(dialog)
            dialog.deleteLater()
            _soon((lambda: chosen(Path(paths[0]))) if paths else dismissed)

        dialog.finished.connect(finished)
        self._open.append(dialog)
        dialog.open()


def _soon(call: Callable[[], None]) -> None:
    """What follows from an answer may take minutes: it begins when the dialog has gone."""
    qt.QTimer.singleShot(0, call)
