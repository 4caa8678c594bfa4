"""Events for people: progress bars, tables and short lines."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console as Terminal
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from pcl_core.events import Event

# Figures that are shown beside the bar while training, in this order.
_SHOWN = ("loss", "collapse")


class Console:
    """Shows progress on one stream (standard error) and results on another (standard output)."""

    def __init__(self, results: Terminal, status: Terminal) -> None:
        self._results, self._status = results, status
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}

    @classmethod
    def of_streams(cls, results: TextIO, status: TextIO) -> Console:
        """Writes results to one stream and progress to another."""
        return cls(Terminal(file=results, highlight=False), Terminal(file=status, highlight=False))

    def write(self, event: Event) -> None:
        """Shows one event; those that people do not need are passed over."""
        show = getattr(self, f"_{event['event']}", None)
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
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[figures]}"),
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
        self._status.print(
            f"Plan ({plan['preset']}): slices {slices['size']} x {slices['size']} at {slices['resolution_mm']:g} mm, "
            f"axis {slices['axis']}, {network['filters']} filters."
        )

    def _warning(self, event: Event) -> None:
        self._status.print(f"Warning: {event['message']}", style="yellow", markup=False)

    def _table(self, event: Event) -> None:
        table = Table(title=event["title"], title_justify="left")
        for number, column in enumerate(event["columns"]):
            table.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
        for row in event["rows"]:
            table.add_row(*row)
        self._results.print(table)

    def _done(self, event: Event) -> None:
        self.close()
        for name, value in event["summary"].items():
            if isinstance(value, str | int | float):
                shown = f"{value:.4g}" if isinstance(value, float) else str(value)
                self._results.print(f"{name.replace('_', ' ')}: {shown}", markup=False, soft_wrap=True)

    def _cancelled(self, event: Event) -> None:
        self.close()
        kept = f" {event['kept']} is kept; add --resume to go on." if event["kept"] else ""
        self._status.print(f"Cancelled.{kept}", style="yellow", markup=False, soft_wrap=True)

    def _error(self, event: Event) -> None:
        self.close()
        text = f"Error: {event['message']} {event['hint']}".rstrip()
        self._status.print(text, style="red", markup=False, soft_wrap=True)
