"""The requests to the worker, as they come in while one of them is being done."""

from __future__ import annotations

import json
import os
import queue
import threading
from dataclasses import dataclass
from typing import Any

from pcl_core.cancellation import Cancellation


@dataclass(frozen=True)
class Message:
    """One line.

    Attributes:
        line: as it came.
        id: of the request; empty when it has none.
        cancellation: of this request.
    """

    line: str
    id: str
    cancellation: Cancellation


class Inbox:
    """Takes lines from a thread of its own, so that a request can be cancelled while it waits or is being done.

    Args:
        descriptor: of the stream. It is read past Python's buffer, whose lock a waiting thread would hold at the end.
        whole: is requested when the stream ends: nobody is there any more to take an answer.
    """

    def __init__(self, descriptor: int, whole: Cancellation) -> None:
        self._descriptor, self._whole = descriptor, whole
        self._messages: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        # Of requests that wait or are being done. Only the thread that reads puts one in, before anybody can name it.
        self._cancellations: dict[str, Cancellation] = {}
        threading.Thread(target=self._read, name="requests", daemon=True).start()

    def next(self) -> Message | None:
        """The next request; None when no more will come."""
        while not self._whole.requested:
            try:
                return self._messages.get(timeout=0.2)
            except queue.Empty:
                continue
        return None

    def forget(self, message: Message) -> None:
        """A request is answered."""
        self._cancellations.pop(message.id, None)

    def _read(self) -> None:
        rest = b""
        while read := os.read(self._descriptor, 65536):
            *lines, rest = (rest + read).split(b"\n")
            for line in lines:
                self._take(line.decode("utf-8", "replace").strip())
        self._whole.request()

    def _take(self, line: str) -> None:
        if not line:
            return
        data = _fields(line)
        name = str(data.get("id", ""))
        if data.get("do") == "quit":
            self._messages.put(None)
        elif data.get("do") == "cancel":
            if name in self._cancellations:
                self._cancellations[name].request()
        else:
            cancellation = self._cancellations.setdefault(name, Cancellation(self._whole))
            self._messages.put(Message(line, name, cancellation))


def _fields(line: str) -> dict[str, Any]:
    """The fields of a request that may be no good in other ways; empty when there are none."""
    try:
        data = json.loads(line)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
