"""Asking running work to stop between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Cancellation:
    """A flag that work looks at between two steps; it may be set from a signal or from another thread."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def request(self) -> None:
        """Asks to stop."""
        self._event.set()

    @property
    def requested(self) -> bool:
        """Whether somebody asked to stop."""
        return self._event.is_set()


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
