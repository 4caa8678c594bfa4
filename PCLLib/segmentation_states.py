"""The states of PCLSegmentation's panel. Knows no widgets.

::

    IDLE -> LOOKING, INSTALLING, TRAINING, SEGMENTING, FOLDER -> IDLE
            TRAINING, SEGMENTING, FOLDER -> CANCELLING -> IDLE

What is there (cases, model, result) decides what can be begun in IDLE. Closing the scene leads back to IDLE from everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from PCLLib.signals import Signal
from PCLLib.states import WrongStepError


class Doing(Enum):
    """What the panel does."""

    IDLE = "idle"
    LOOKING = "looking at a folder"
    INSTALLING = "installing"
    TRAINING = "training"
    SEGMENTING = "segmenting"
    FOLDER = "segmenting a folder"
    CANCELLING = "cancelling"


_LONG = frozenset({Doing.TRAINING, Doing.SEGMENTING, Doing.FOLDER, Doing.LOOKING})


class DoingMachine:
    """What is being done; ``changed`` is emitted after every step."""

    def __init__(self) -> None:
        self.changed = Signal[[Doing]]()
        self._doing = Doing.IDLE

    @property
    def doing(self) -> Doing:
        """What is being done."""
        return self._doing

    @property
    def idle(self) -> bool:
        """Whether nothing is being done."""
        return self._doing is Doing.IDLE

    @property
    def can_cancel(self) -> bool:
        """Whether there is something to cancel."""
        return self._doing in _LONG

    def begin(self, doing: Doing) -> None:
        """Begins something. Raises WrongStepError when something else is being done."""
        allowed = self._doing in _LONG if doing is Doing.CANCELLING else self._doing is Doing.IDLE
        if not allowed:
            raise WrongStepError(f"There is no step from {self._doing.value} to {doing.value}.")
        self._to(doing)

    @contextmanager
    def beginning(self, doing: Doing) -> Iterator[None]:
        """Begins something; what is raised within ends it again, since nobody else would."""
        self.begin(doing)
        begun = False
        try:
            yield
            begun = True
        finally:
            if not begun:
                self.end()

    def end(self) -> None:
        """Nothing is being done any more."""
        self._to(Doing.IDLE)

    def _to(self, doing: Doing) -> None:
        self._doing = doing
        self.changed.emit(doing)
