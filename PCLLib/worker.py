"""The engine's worker as a long-lived process: the model stays in memory, so the second click is answered at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import qt

from PCLLib.engine import Engine, EngineNotFoundError
from PCLLib.events import Cancelled, Event, Failed, Last, parse
from PCLLib.job import GRACE_S, Job
from PCLLib.signals import Signal


@dataclass(frozen=True)
class _Request:
    """Who wants to know what comes of a request."""

    ended: Callable[[Last], None]
    happened: Callable[[Event], None]


class _Process(Job):
    """One process of the worker, and its requests."""

    def __init__(self, engine: Engine, device: str, grace_s: float) -> None:
        super().__init__(engine, ["worker", "--device", device], grace_s)
        self.device = device
        self._cancelling = ""
        self._hanging = qt.QTimer()
        self._hanging.setSingleShot(True)
        self._hanging.setInterval(round(1000 * grace_s))
        self._hanging.timeout.connect(self.abandon)
        self._requests: dict[str, _Request] = {}
        self._count = 0
        self.ended.connect(self._all_ended)

    def ask(self, fields: Mapping[str, object], request: _Request) -> str:
        """Sends a request and returns its name; starts the process when it does not run, which may fail at once."""
        self._count += 1
        name = str(self._count)
        self._requests[name] = request
        if not self.running:
            self.start()
        if name in self._requests:
            self._send({"id": name, **fields})
        return name

    def cancel_request(self, name: str) -> None:
        """Asks to cancel a request; it ends as cancelled. A process that has not ended it in time is ended itself."""
        if name in self._requests:
            self._send({"id": name, "do": "cancel"})
            self._cancelling = name
            self._hanging.start()

    def _send(self, fields: Mapping[str, object]) -> None:
        self._process.write(qt.QByteArray((json.dumps(fields, default=str) + "\n").encode()))

    def _take(self, line: str) -> None:
        request = self._requests.get(_request_of(line))
        event = parse(line)
        if request is None or event is None:
            super()._take(line)
        elif isinstance(event, Last):
            name = _request_of(line)
            del self._requests[name]
            if name == self._cancelling:
                self._hanging.stop()
            request.ended(event)
        else:
            request.happened(event)

    def _all_ended(self, last: Last) -> None:
        """The process is gone, and with it what was asked of it."""
        self._hanging.stop()
        waiting, self._requests = tuple(self._requests.values()), {}
        for request in waiting:
            request.ended(last if isinstance(last, Failed | Cancelled) else Cancelled(None))


class WarmWorker:
    """Starts the worker when it is needed, keeps it, and starts it again when it went away or another device is wanted.

    Signals:
        logged: a line of the process that is no event.

    Args:
        engine: starts the process.
        grace_s: how long a request may take to be cancelled, before the process is ended.
    """

    def __init__(self, engine: Engine, grace_s: float = GRACE_S) -> None:
        self.logged = Signal[[str]]()
        self.grace_s = grace_s
        self._engine = engine
        self._process: _Process | None = None
        self._leaving: list[_Process] = []
        self._asked = ""

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.running

    @property
    def busy(self) -> bool:
        """Whether any process is left, also of those that were ended."""
        return self.running or any(process.running for process in self._leaving)

    @property
    def process_id(self) -> int:
        """Number of the process; 0 when there is none."""
        return self._process.process_id if self._process is not None else 0

    def ask(
        self,
        device: str,
        fields: Mapping[str, object],
        ended: Callable[[Last], None],
        happened: Callable[[Event], None] = lambda _event: None,
    ) -> None:
        """Sends a request of the worker, such as ``{"do": "load", "model": path}``."""
        try:
            process = self._get(device)
        except EngineNotFoundError as error:
            ended(Failed("failure", str(error), ""))
            return
        self._asked = process.ask(fields, _Request(ended, happened))

    def cancel(self) -> None:
        """Cancels the last request."""
        if self._process is not None:
            self._process.cancel_request(self._asked)

    def leave(self) -> None:
        """Ends the process in the background; its memory is wanted for something else."""
        process, self._process = self._process, None
        if process is not None and process.running:
            self._leaving = [*(one for one in self._leaving if one.running), process]
            process.abandon()

    def end_now(self) -> None:
        """Returns when no process is left."""
        self.leave()
        for process in self._leaving:
            process.end_now()

    def _get(self, device: str) -> _Process:
        if self._process is not None and self.running and self._process.device == device:
            return self._process
        self.leave()
        self._process = _Process(self._engine, device, self.grace_s)
        self._process.logged.connect(self.logged.emit)
        return self._process


def _request_of(line: str) -> str:
    try:
        data: Any = json.loads(line)
    except ValueError:
        return ""
    return str(data.get("request", "")) if isinstance(data, dict) else ""
