"""Events for people: progress bars, tables and short lines."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TextIO

from rich.console import Console as Terminal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from pcl_core.events import Event

# Figures that are shown beside the bar while training, in this order.
_SHOWN = ("loss", "collapse")


class Console:
    """Shows progress on one stream (standard error) and results on another (standard output)."""

    def __init__(self, results: Terminal, status: Terminal) -> None:
        self._results, self._status = results, status
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._show: dict[str, Callable[[Event], None]] = {
            "progress": self._progress,
            "metric": self._metric,
            "plan": self._plan,
            "warning": self._warning,
            "table": self._table,
            "done": self._done,
            "cancelled": self._cancelled,
            "error": self._error,
        }

    @classmethod
    def of_streams(cls, results: TextIO, status: TextIO) -> Console:
        """Writes results to one stream and progress to another; a character that a stream cannot hold is shown as its code."""
        for stream in (results, status):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return cls(Terminal(file=results, highlight=False), Terminal(file=status, highlight=False))

    def write(self, event: Event) -> None:
        """Shows one event; those that people do not need are passed over."""
        show = self._show.get(event["event"])
        if show is not None:
            show(event)

    def close(self) -> None:
        """Takes the progress bars down."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
            self._tasks = {}

    def _progress(self, event: Event) -> None:
        if self._bar is None:
            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[figures]}", markup=False),
                console=self._status,
            )
            self._bar.start()
        stage = event["stage"]
        if stage not in self._tasks:
            self._tasks[stage] = self._bar.add_task(stage, total=event["total"], figures="")
        self._bar.update(self._tasks[stage], completed=event["done"], total=event["total"])
        if event["done"] >= event["total"]:
            self._bar.refresh()
            del self._tasks[stage]
            if not self._tasks:
                self.close()

    def _metric(self, event: Event) -> None:
        if self._bar is None or not self._tasks:
            return
        dice = [f"Dice {name.removeprefix('dice_')} {value:.2f}" for name, value in event.items() if name.startswith("dice_")]
        figures = [f"{name} {event[name]:.3f}" for name in _SHOWN if name in event]
        self._bar.update(list(self._tasks.values())[-1], figures=" ".join(figures + dice))

    def _plan(self, event: Event) -> None:
        plan = event["plan"]
        slices, network = plan["slices"], plan["network"]
        self._say(
            f"Plan ({plan['preset']}): slices {slices['size']} x {slices['size']} at {slices['resolution_mm']:g} mm, "
            f"axis {slices['axis']}, {network['filters']} filters."
        )

    def _warning(self, event: Event) -> None:
        self._say(f"Warning: {event['message']}", "yellow")

    def _table(self, event: Event) -> None:
        # Texts, since strings would be searched for markup: file names may hold brackets.
        table = Table(title=Text(event["title"]), title_justify="left")
        for number, column in enumerate(event["columns"]):
            table.add_column(Text(column), justify="left" if number == 0 else "right", overflow="fold")
        for row in event["rows"]:
            table.add_row(*(Text(cell) for cell in row))
        self._results.print(table)

    def _done(self, event: Event) -> None:
        self.close()
        for name, value in event["summary"].items():
            if isinstance(value, str | int | float):
                shown = f"{value:.4g}" if isinstance(value, float) else str(value)
                self._results.print(Text(f"{name.replace('_', ' ')}: {shown}"), soft_wrap=True)

    def _cancelled(self, event: Event) -> None:
        self.close()
        kept = f" {event['kept']} is kept; a training goes on from there with --resume." if event["kept"] else ""
        self._say(f"Cancelled.{kept}", "yellow")

    def _error(self, event: Event) -> None:
        self.close()
        self._say(f"Error: {event['message']} {event['hint']}".rstrip(), "red")

    def _say(self, text: str, style: str = "") -> None:
        """One line, not broken, so that a path in it can be copied."""
        self._status.print(Text(text, style), soft_wrap=True)
