"""The pretraining that runs, or ran last: its losses and its end."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PCLLib.events import Done, Event, Last, Measured
from PCLLib.job_group import JobGroup, Work
from PCLLib.results import Result
from PCLLib.signals import Signal

TRAIN = "train"


class Pretraining:
    """One training after another.

    Signals:
        began: a training begins; losses of an earlier part of it, as (step, loss).
        measured: step and loss.
        ended: how.

    Args:
        jobs: run the engine.
    """

    def __init__(self, jobs: JobGroup) -> None:
        self.began = Signal[[list[tuple[int, float]]]]()
        self.measured = Signal[[int, float]]()
        self.ended = Signal[[Last]]()
        self.result: Result | None = None
        self._jobs = jobs
        self._began_at = 0.0
        self._first_loss: float | None = None
        jobs.happened.connect(self._happened)

    def start(self, words: Sequence[object], earlier: list[tuple[int, float]]) -> None:
        """Trains.

        Args:
            words: of the engine's command.
            earlier: steps and losses of the run that this goes on with.
        """
        self.forget()
        self._began_at = time.monotonic()
        self._first_loss = earlier[0][1] if earlier else None
        self.began.emit(earlier)
        self._jobs.run(TRAIN, Work(words, self._ended, keeps=True))

    def cancel(self) -> None:
        """Cancels the training, which keeps its last step."""
        self._jobs.cancel(TRAIN)

    def leave(self) -> None:
        """The training is of no interest now; what runs is cancelled in the background."""
        self._jobs.leave(TRAIN)

    def forget(self) -> None:
        """The volumes are others, or none, or another training will begin."""
        self.result = None

    def _ended(self, last: Last) -> None:
        if isinstance(last, Done):
            self.result = Result.from_summary(last.summary, self._first_loss, time.monotonic() - self._began_at)
        self.ended.emit(last)

    def _happened(self, name: str, event: Event) -> None:
        if name == TRAIN and isinstance(event, Measured) and "loss" in event.values:
            loss = event.values["loss"]
            self._first_loss = loss if self._first_loss is None else self._first_loss
            self.measured.emit(event.step, loss)
