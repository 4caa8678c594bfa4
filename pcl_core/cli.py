"""The command line: ``python -m pcl_core COMMAND``, also installed as ``pclseg``.

Commands are imported when they are called, so that ``--help`` and ``scan`` start without PyTorch.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from pcl_core.arguments import make_parser
from pcl_core.cancellation import Cancellation, cancelled_by_closed_input, cancelled_by_signals
from pcl_core.endings import told
from pcl_core.errors import CancelledError, InputError, MissingPackageError
from pcl_core.events import Event, JsonLines, Reporter, Sink
from pcl_core.processes import OnlyErrors


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        0 done, 2 the input or the call is wrong, 3 cancelled, 4 out of memory, 1 anything else.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    cancellation = Cancellation()
    for_programs = "--events" in words or words[:1] == ["worker"]
    reporter = Reporter(_of_this_process(_lines(cancellation) if for_programs else _Console()))
    try:
        with cancelled_by_signals(cancellation):
            return told(lambda: _run(words, reporter, cancellation), reporter)
    finally:
        reporter.close()


def _of_this_process(sink: Sink) -> Sink:
    """Of the processes that torchrun started, the first one reports."""
    return OnlyErrors(sink) if os.environ.get("RANK", "0") != "0" else sink


class _Console:
    """Progress bars and tables, from the first event on: neither --help nor programs that read events need what draws them."""

    def __init__(self) -> None:
        self._sink: Sink | None = None

    def write(self, event: Event) -> None:
        from pcl_core.console import Console  # noqa: PLC0415

        self._sink = self._sink or Console.of_streams(sys.stdout, sys.stderr)
        self._sink.write(event)

    def close(self) -> None:
        if self._sink is not None:
            self._sink.close()


def _lines(cancellation: Cancellation) -> JsonLines:
    """Events on standard output. Work that nobody listens to any more is cancelled, like a job whose program was closed."""

    def reader_left() -> None:
        cancellation.request()
        with suppress(OSError, ValueError):  # or Python tries to write the rest when it ends, and complains
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    return JsonLines(sys.stdout, reader_left)


def _run(words: list[str], reporter: Reporter, cancellation: Cancellation) -> None:
    args = make_parser().parse_args(words)
    if not 0 <= args.seed < 2**31:
        raise InputError(f"The seed {args.seed} is not between 0 and 2147483647.", "Choose another --seed.")
    if args.cancel_with_stdin and args.command != "worker":  # it reads its requests from there, and does the same
        cancelled_by_closed_input(cancellation, sys.stdin.fileno())
    try:
        command = importlib.import_module(f"pcl_core.commands.{args.command}")
    except ModuleNotFoundError as error:
        raise MissingPackageError(f"The Python package {error.name} is not installed.", "Install it and try again.") from error
    if cancellation.requested:  # while PyTorch was being loaded, which takes seconds
        raise CancelledError()
    command.run(args, reporter, cancellation)
