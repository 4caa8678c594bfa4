"""Asking running work to stop between two steps."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Cancellation:
    """A flag that work looks at between two steps; it may be set from a signal or from another thread.

    Args:
        within: larger work that this is a part of: when that is asked to stop, so is this.
    """

    def __init__(self, within: Cancellation | None = None) -> None:
        self._event = threading.Event()
        self._within = within

    def request(self) -> None:
        """Asks to stop."""
        self._event.set()

    @property
    def requested(self) -> bool:
        """Whether somebody asked to stop."""
        return self._event.is_set() or (self._within is not None and self._within.requested)


@contextmanager
def cancelled_by_signals(cancellation: Cancellation) -> Iterator[None]:
    """SIGINT and SIGTERM ask to stop while the block runs; a second SIGINT interrupts at once, as usual."""

    def ask(number: int, _frame: FrameType | None) -> None:
        if cancellation.requested and number == signal.SIGINT:
            raise KeyboardInterrupt
        cancellation.request()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def cancelled_by_closed_input(cancellation: Cancellation, descriptor: int) -> None:
    """Asks to stop when a stream ends or says ``cancel`` in a line of its own; watched by a thread of its own.

    A program that started this one and crashes takes its end of the stream with it, and Windows has no SIGTERM: the stream
    serves both.

    Args:
        cancellation: is requested.
        descriptor: of the stream. It is read past Python's buffer, whose lock a waiting thread would hold at the end.
    """

    def watch() -> None:
        line = b""
        while not cancellation.requested:
            try:
                read = os.read(descriptor, 1024)
            except OSError:
                read = b""
            *lines, line = (line + read).split(b"\n")
            if not read or b"cancel" in (one.strip() for one in lines):
                cancellation.request()

    threading.Thread(target=watch, name="cancel-with-stdin", daemon=True).start()
