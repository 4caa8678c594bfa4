"""The loop that pretraining and fine-tuning share: steps, reports, checkpoints, cancelling."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pcl_core.errors import CancelledError, InputError
from pcl_core.training.context import Context
from pcl_core.training.history import Row, read_history, write_history

# So many rows are written over a whole training, so that a curve of it has enough points.
_REPORTS = 200
# Steps may take half a minute, and an epoch an hour: what a crash or a power cut costs is at most about this many seconds.
_MOST_SECONDS = 300.0


def report_interval(total: int) -> int:
    """Steps from one report of figures to the next in a training of so many steps."""
    return max(1, total // _REPORTS)


class Trainee(Protocol):
    """What is trained, one step at a time."""

    def train_step(self, step: int) -> int:
        """Does step ``step`` (from 0) and returns how many slices it saw."""

    def figures(self, step: int) -> Row:
        """Figures over the steps since the last call, such as the mean loss; may take a moment."""

    def save(self, step: int) -> None:
        """Writes a checkpoint after ``step`` steps."""

    def keep(self, step: int) -> None:
        """Writes what is worth keeping when the run is cancelled after ``step`` steps."""


@dataclass
class Loop:
    """Runs a trainee from a step to the last one.

    Attributes:
        stage: name in the progress events.
        total: number of steps of the whole run.
        per_epoch: steps an epoch.
        per_checkpoint: steps from one checkpoint to the next.
        history_file: metrics.csv.
        kept: what a cancelled run names as kept.
        context: its reporter is told everything, its cancellation is looked at between two steps.
        least_seconds: age of the last checkpoint below which another is left out, but for that of the last step.
        clock: tells seconds.
    """

    stage: str
    total: int
    per_epoch: int
    per_checkpoint: int
    history_file: Path
    kept: Path
    context: Context
    least_seconds: float = 0.0
    clock: Callable[[], float] = time.monotonic
    rows: list[Row] = field(default_factory=list)
    _saved: float = field(default=-math.inf, init=False)
    _began: float = field(default=-math.inf, init=False)

    def run(self, trainee: Trainee, start: int) -> list[Row]:
        """Trains from step ``start`` (0, or where a checkpoint was written) to the end; returns all rows.

        Raises:
            CancelledError: after a checkpoint was written.
            InputError: the training diverged.
        """
        self.rows = read_history(self.history_file, start) if start else []
        if start and not self.rows:
            self.context.reporter.warning(f"{self.history_file} is missing or damaged; the curve begins at step {start}.")
        every = report_interval(self.total)
        seen, since = 0, self.clock()
        self._began = since
        self.context.reporter.progress(self.stage, start, self.total)
        for step in range(start, self.total):
            if self.context.cancellation.requested:
                self._cancel(trainee, step)
            seen += trainee.train_step(step)
            done = step + 1
            if done % every == 0 or done == self.total:
                figures = {**trainee.figures(done), "slices_per_second": seen / max(self.clock() - since, 1e-9)}
                self._record(done, figures)
                seen, since = 0, self.clock()
            if self.context.first and self._checkpoint_due(done):
                write_history(self.history_file, self.rows)
                trainee.save(done)
                self._saved = self.clock()
            self.context.reporter.progress(self.stage, done, self.total)
        return self.rows

    def _checkpoint_due(self, done: int) -> bool:
        if done == self.total:
            return True
        now = self.clock()
        if now - max(self._saved, self._began) >= _MOST_SECONDS:
            return True
        return done % self.per_checkpoint == 0 and now - self._saved >= self.least_seconds

    def _record(self, step: int, figures: Row) -> None:
        if not math.isfinite(figures["loss"]):
            raise InputError(f"The loss is not a number after step {step}: the training diverged.", "Lower --learning-rate.")
        epoch = -(-step // self.per_epoch)
        self.rows.append({"step": step, "epoch": epoch, **figures})
        self.context.reporter.metric(step, epoch, **figures)

    def _cancel(self, trainee: Trainee, step: int) -> None:
        if step and self.context.first:
            write_history(self.history_file, self.rows)
            trainee.save(step)
            trainee.keep(step)
        raise CancelledError(self.kept if step else None)
