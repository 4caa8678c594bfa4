from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from pcl_core.cancellation import Cancellation, cancelled_by_closed_input, cancelled_by_signals
from pcl_core.errors import CancelledError


def test_nothing_is_requested_at_first() -> None:
    assert not Cancellation().requested


def test_a_request_is_seen_from_another_thread() -> None:
    cancellation = Cancellation()
    thread = threading.Thread(target=cancellation.request)
    thread.start()
    thread.join()
    assert cancellation.requested


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_to_stop_and_does_not_interrupt(number: signal.Signals) -> None:
    cancellation = Cancellation()
    with cancelled_by_signals(cancellation):
        os.kill(os.getpid(), number)
        reached = True
    assert reached
    assert cancellation.requested


def test_a_second_interrupt_interrupts_at_once() -> None:
    cancellation = Cancellation()
    with cancelled_by_signals(cancellation):
        signal.raise_signal(signal.SIGINT)
        assert cancellation.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_a_second_termination_still_only_asks() -> None:
    cancellation = Cancellation()
    with cancelled_by_signals(cancellation):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
    assert cancellation.requested


def test_the_handlers_from_before_come_back_whatever_happens() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    inside = []

    def fail() -> None:
        with cancelled_by_signals(Cancellation()):
            inside.append(signal.getsignal(signal.SIGINT))
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert inside[0] is not before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_the_error_names_what_is_kept() -> None:
    assert "out/state" in str(CancelledError(Path("out/state")))
    assert str(CancelledError()) == "Cancelled."
    assert CancelledError.exit_code == 3


@pytest.fixture
def pipe():
    """Both ends of a pipe; the writing end is closed by the test or here."""
    read, write = os.pipe()
    stream = os.fdopen(write, "wb", buffering=0)
    yield read, stream
    stream.close()
    os.close(read)


def requested_within(cancellation: Cancellation, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not cancellation.requested and time.monotonic() < deadline:
        time.sleep(0.01)
    return cancellation.requested


def test_an_input_that_is_closed_asks_to_stop(pipe) -> None:
    read, stream = pipe
    cancellation = Cancellation()
    cancelled_by_closed_input(cancellation, read)
    assert not requested_within(cancellation, 0.1)
    stream.close()
    assert requested_within(cancellation, 5)


@pytest.mark.parametrize("pieces", [(b"cancel\n",), (b"can", b"cel\r\n"), (b"go on\ncancel\n",)], ids=repr)
def test_the_line_cancel_asks_to_stop(pieces, pipe) -> None:
    read, stream = pipe
    cancellation = Cancellation()
    cancelled_by_closed_input(cancellation, read)
    for piece in pieces:
        stream.write(piece)
        time.sleep(0.02)
    assert requested_within(cancellation, 5)


def test_other_lines_do_not_ask_to_stop(pipe) -> None:
    read, stream = pipe
    cancellation = Cancellation()
    cancelled_by_closed_input(cancellation, read)
    stream.write(b"cancelled\nhow far is it?\n")
    assert not requested_within(cancellation, 0.2)
