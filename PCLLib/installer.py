"""Asks before anything is installed, installs it, and tells how that went."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from PCLLib.dependencies import Dependencies, InstallError
from PCLLib.messages import Action, Message, Tone
from PCLLib.questions import Choice, Question, Questions
from PCLLib.signals import Signal


class Installer:
    """The way from missing packages to installed ones.

    Signals:
        began: packages are being installed.
        ended: that is over; a message when it failed, else None.
        logged: a line for the log.

    Args:
        questions: whom to ask.
        dependencies: what is needed.
    """

    def __init__(self, questions: Questions, dependencies: Dependencies) -> None:
        self.began = Signal[[]]()
        self.ended = Signal[[Message | None]]()
        self.logged = Signal[[str]]()
        self._questions = questions
        self._dependencies = dependencies
        self.look_again()

    def look_again(self) -> None:
        """Looks at what is installed as if nobody had been asked yet."""
        self._missing = self._dependencies.missing()
        self._declined = False

    @property
    def needed(self) -> bool:
        """Whether something is missing."""
        return bool(self._missing)

    @property
    def to_be_asked(self) -> bool:
        """Whether something is missing and nobody has said no to it. In Slicer's own tests nobody is there to be asked."""
        return self.needed and not self._declined and not slicer.app.testingEnabled()

    @property
    def torch_installed(self) -> bool:
        """Whether PyTorch is there in a version that will do."""
        return not self._missing.torch

    def ask(self, then: Callable[[], None], declined: Callable[[], None]) -> None:
        """Asks, and calls ``then`` when everything is installed, or ``declined``; asks nothing when it is by now."""
        self._missing = self._dependencies.missing()
        if not self._missing:
            then()
            return
        choices = (
            Choice("install", _("Install")),
            Choice("wheels", _("From a folder ...")),
            Choice("no", _("Not now")),
        )

        def refused() -> None:
            self._declined = True
            declined()

        def answered(name: str) -> None:
            if name == "install":
                self._install(None, then)
            elif name == "wheels":
                self._questions.choose_folder(_("Folder of wheels"), lambda wheels: self._install(wheels, then), refused)
            else:
                refused()

        self._questions.ask(Question(_("Python packages are needed"), self._missing.question(), choices), answered)

    def ready(self, then: Callable[[], None], declined: Callable[[], None]) -> bool:
        """Whether nothing is missing; otherwise asks, as ``ask`` does."""
        if self.needed:
            self.ask(then, declined)
            return False
        return True

    def offer(self, then: Callable[[], None]) -> Action:
        """A button that asks and installs."""
        return Action(_("Install packages ..."), lambda: self.ask(then, lambda: None))

    def _install(self, wheels: Path | None, then: Callable[[], None]) -> None:
        self.began.emit()
        try:
            self._dependencies.install(wheels)
        except InstallError as error:
            self._missing = self._dependencies.missing()
            for line in error.lines:
                self.logged.emit(line)
            text = _("The packages could not be installed. pip said:\n{lines}").format(lines="\n".join(error.lines))
            self.ended.emit(Message(text, error.hint, Tone.ERROR, (self.offer(then),)))
            return
        self._missing = self._dependencies.missing()
        self.ended.emit(None)
        then()
