"""``worker``: keeps a model warm, so that the second click is answered without starting again.

One JSON request a line on standard input; events on standard output, each with the ``request`` that it belongs to, and one
last event (``done``, ``cancelled`` or ``error``) for every request. Requests are done one after another:

* ``{"id": "1", "do": "load", "model": FILE}``
* ``{"id": "2", "do": "segment", "model": FILE, "input": FILE, "out": DIR}``, with ``tta``, ``probabilities``, ``confidence``
* ``{"id": "2", "do": "cancel"}`` cancels the request of that id, whether it waits or is being done
* ``{"do": "quit"}`` ends the worker when all before is done; the end of standard input ends it at once
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from pcl_core.cancellation import Cancellation
from pcl_core.commands.planning import report_unreadable, start
from pcl_core.commands.segment import by_class
from pcl_core.commands.worker_inbox import Inbox, Message
from pcl_core.endings import told
from pcl_core.errors import CancelledError, InputError
from pcl_core.events import Event, Reporter
from pcl_core.inference.predicting import Predictor
from pcl_core.inference.segmenting import Options, segment
from pcl_core.strict_json import build
from pcl_core.volumes.discovery import find_volumes

_HINT = 'Send one JSON object a line, such as {"id": "1", "do": "segment", "model": "...", "input": "...", "out": "..."}.'


@dataclass(frozen=True)
class Request:
    """One line of standard input.

    Attributes:
        id: stands in all events of the request.
        do: what to do.
        model: model.safetensors that finetune wrote.
        input: a volume, or a folder of them.
        out: folder for the label volumes.
        tta: as of the command segment.
        probabilities: likewise.
        confidence: likewise.
    """

    id: str
    do: Literal["load", "segment"]
    model: Path | None = None
    input: Path | None = None
    out: Path | None = None
    tta: bool = False
    probabilities: bool = False
    confidence: bool = False


def run(args: argparse.Namespace, reporter: Reporter, cancellation: Cancellation) -> None:
    """Answers requests until standard input ends, or somebody asks to stop."""
    device = start(args, reporter)
    inbox = Inbox(sys.stdin.fileno(), cancellation)
    warm = _Warm(device)
    answered = 0
    while (message := inbox.next()) is not None:
        _answer(message, warm, reporter)
        inbox.forget(message)
        answered += 1
    reporter.done(answered=answered)


def _answer(message: Message, warm: _Warm, reporter: Reporter) -> None:
    """Does one request. Whatever comes of it, the worker goes on."""
    own = Reporter(_Belonging(reporter, message.id))

    def work() -> None:
        request = _request(message.line)
        if message.cancellation.requested:
            raise CancelledError()
        begin = time.monotonic()
        summary = warm.load(request) if request.do == "load" else warm.segment(request, own, message.cancellation)
        own.done(**summary, seconds=round(time.monotonic() - begin, 3))

    told(work, own)


def _request(line: str) -> Request:
    try:
        request: Request = build(Request, json.loads(line), "The request", _HINT)
    except ValueError as error:
        raise InputError(f"The request is not JSON: {error}.", _HINT) from error
    needed = {"load": ("model",), "segment": ("model", "input", "out")}[request.do]
    lacking = [name for name in needed if getattr(request, name) is None]
    if lacking:
        raise InputError(f"The request '{request.do}' lacks '{lacking[0]}'.", _HINT)
    return request


class _Warm:
    """The model that was used last, in memory."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._model: tuple[Path, int, int] | None = None
        self._predictor: Predictor | None = None

    def load(self, request: Request) -> dict[str, Any]:
        """Reads the model, unless it is the one in memory and its file has not changed."""
        assert request.model is not None
        predictor = self._of(request.model)
        classes = [
            {"value": c.value, "name": c.name, "color": c.color, "terminology": c.terminology} for c in predictor.classes
        ]
        return {"model": str(request.model), "classes": classes}

    def segment(self, request: Request, reporter: Reporter, cancellation: Cancellation) -> dict[str, Any]:
        """Segments a volume or a folder; label volumes are told as artifacts."""
        assert request.input is not None
        assert request.out is not None
        summary = self.load(request)
        found = find_volumes(request.input)
        report_unreadable(found.unreadable, False, reporter)
        options = Options(request.tta, request.probabilities, request.confidence)
        predictor = self._of(Path(summary["model"]))
        result = segment(predictor, found.sources, request.out, reporter, cancellation, options)
        millilitres = {one.id: by_class(one, predictor.classes) for one in result.found}
        return {**summary, "labels": [str(path) for path in result.written], "millilitres": millilitres}

    def _of(self, path: Path) -> Predictor:
        try:
            about = path.stat()
        except OSError as error:
            raise InputError(f"Cannot read {path}: {error.strerror or error}.", "Choose another model.") from error
        model = (path.absolute(), about.st_mtime_ns, about.st_size)
        if self._predictor is None or self._model != model:
            self._predictor = None  # two models do not fit into every memory
            self._predictor, self._model = Predictor.load(path, self._device), model
        return self._predictor


class _Belonging:
    """Passes events on with the id of their request."""

    def __init__(self, reporter: Reporter, request: str) -> None:
        self._reporter, self._request = reporter, request

    def write(self, event: Event) -> None:
        """Takes one event."""
        fields = {name: value for name, value in event.items() if name not in ("event", "time")}
        self._reporter.emit(event["event"], **fields, request=self._request)

    def close(self) -> None:
        """Nothing is held back."""
