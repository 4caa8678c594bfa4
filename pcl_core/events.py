"""The one way in which work reports itself: events, as JSON lines for programs and as progress bars for people.

The events and their fields are a contract with scripts and with the Slicer modules: one JSON object a line, always with
``event`` and ``time`` (seconds since 1970); ``started``, ``plan``, ``progress``, ``metric``, ``warning``, ``artifact``, and
as the last one ``done``, ``cancelled`` or ``error``. This file imports nothing heavy: Slicer's own process may use it.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TextIO

Event = dict[str, Any]


class Sink(Protocol):
    """Where events go."""

    def write(self, event: Event) -> None:
        """Takes one event."""

    def close(self) -> None:
        """No event follows."""


def plain(value: Any) -> Any:
    """Turns paths, tuples, NumPy values and non-finite numbers into what JSON can hold (a NaN becomes None)."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # scalars and arrays
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


@dataclass
class JsonLines:
    """Writes each event as one JSON line at once; tables are for people and are left out.

    Attributes:
        stream: where to.
        reader_left: is called once when nobody reads the stream any more; what follows is not written.
    """

    stream: TextIO
    reader_left: Callable[[], None] | None = None
    _left: bool = field(default=False, init=False)

    def write(self, event: Event) -> None:
        """Writes one line."""
        if event["event"] == "table" or self._left:
            return
        # In ASCII, so that a name of any script passes a stream of any encoding.
        line = json.dumps(plain(event), allow_nan=False) + "\n"
        try:
            self.stream.write(line)
            self.stream.flush()
        except BrokenPipeError:
            self._left = True
            if self.reader_left is not None:
                self.reader_left()

    def close(self) -> None:
        """Nothing is held back."""
        if not self._left:
            self.stream.flush()


@dataclass
class Collected:
    """Keeps the events in a list, for tests and for use as a library."""

    events: list[Event] = field(default_factory=list)

    def write(self, event: Event) -> None:
        """Keeps one event."""
        self.events.append(event)

    def close(self) -> None:
        """Nothing to do."""

    def named(self, name: str) -> list[Event]:
        """The events called ``name``, in order."""
        return [event for event in self.events if event["event"] == name]


@dataclass
class _Stage:
    """When a stage began, with how many units done, and when it was last reported."""

    begin: float
    first: int
    last: float


class Reporter:
    """Tells a sink what happens. One reporter accompanies one command from its start to its end."""

    def __init__(self, sink: Sink | None = None, clock: Callable[[], float] = time.time) -> None:
        self._sink = sink or Collected()
        self._clock = clock
        self._stages: dict[str, _Stage] = {}

    def emit(self, event: str, **fields: Any) -> None:
        """Sends one event."""
        self._sink.write({"event": event, "time": round(self._clock(), 3), **fields})

    def started(self, command: str, version: str, device: str) -> None:
        """The command begins; the number of this process serves a program that has started it through another one."""
        self.emit("started", command=command, version=version, device=device, process=os.getpid())

    def plan(self, plan: Mapping[str, Any]) -> None:
        """What was decided from the data."""
        self.emit("plan", plan=dict(plan))

    def progress(self, stage: str, done: int, total: int) -> None:
        """``done`` of ``total`` units of ``stage`` are finished; the time left follows from the stage's own speed.

        At most five events a second are sent for a stage, and always its last one.
        """
        now = self._clock()
        seen = self._stages.setdefault(stage, _Stage(begin=now, first=done, last=-math.inf))
        if done < total and now - seen.last < 0.2:
            return
        seen.last = now
        speed = (done - seen.first) / (now - seen.begin) if now > seen.begin else 0.0
        eta = (total - done) / speed if speed > 0 else None
        self.emit("progress", stage=stage, done=done, total=total, eta_s=None if eta is None else round(eta, 1))
        if done >= total:
            self._stages.pop(stage, None)

    def metric(self, step: int, epoch: int, **values: float) -> None:
        """Figures of the training after ``step`` steps."""
        self.emit("metric", step=step, epoch=epoch, **values)

    def warning(self, message: str, path: Path | str | None = None) -> None:
        """Something that the person should know and that did not stop the work."""
        self.emit("warning", message=message, **({} if path is None else {"path": str(path)}))

    def artifact(self, kind: str, path: Path) -> None:
        """A file was written."""
        self.emit("artifact", kind=kind, path=str(path))

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table for people; programs find the same facts in the summary or the JSON file."""
        self.emit("table", title=title, columns=list(columns), rows=[list(row) for row in rows])

    def done(self, **summary: Any) -> None:
        """The command ended well."""
        self.emit("done", summary=summary)

    def cancelled(self, kept: Path | None) -> None:
        """The command was cancelled; ``kept`` can be resumed."""
        self.emit("cancelled", kept=None if kept is None else str(kept))

    def error(self, kind: str, message: str, hint: str, smaller: Mapping[str, int] | None = None) -> None:
        """The command failed; ``smaller`` are options with which it may not run out of memory again."""
        self.emit("error", kind=kind, message=message, hint=hint, **({"smaller": dict(smaller)} if smaller else {}))

    def close(self) -> None:
        """No event follows."""
        self._sink.close()
