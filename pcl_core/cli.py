"""The command line: ``python -m pcl_core COMMAND``, also installed as ``pclseg``.

Commands are imported when they are called, so that ``--help`` and ``scan`` start without PyTorch.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress

from pcl_core.arguments import make_parser
from pcl_core.cancellation import Cancellation, cancelled_by_closed_input, cancelled_by_signals
from pcl_core.errors import CancelledError, InputError, MissingPackageError, PclError
from pcl_core.events import JsonLines, Reporter, Sink


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        0 done, 2 the input or the call is wrong, 3 cancelled, 4 out of memory, 1 anything else.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    cancellation = Cancellation()
    reporter = Reporter(_lines(cancellation) if "--events" in words else _console())
    try:
        with cancelled_by_signals(cancellation):
            return _guarded(lambda: _run(words, reporter, cancellation), reporter)
    finally:
        reporter.close()


def _console() -> Sink:
    """Progress bars and tables. Programs that read events need not have what draws them."""
    from pcl_core.console import Console  # noqa: PLC0415

    return Console.of_streams(sys.stdout, sys.stderr)


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
    if args.cancel_with_stdin:
        cancelled_by_closed_input(cancellation, sys.stdin.fileno())
    try:
        command = importlib.import_module(f"pcl_core.commands.{args.command}")
    except ModuleNotFoundError as error:
        raise MissingPackageError(f"The Python package {error.name} is not installed.", "Install it and try again.") from error
    command.run(args, reporter, cancellation)


def _guarded(work: Callable[[], None], reporter: Reporter) -> int:
    """Runs work; every way in which it can end becomes the last event and an exit code."""
    try:
        work()
    except CancelledError as error:
        reporter.cancelled(error.kept)
        return error.exit_code
    except KeyboardInterrupt:
        reporter.cancelled(None)
        return CancelledError.exit_code
    except PclError as error:
        reporter.error(error.kind, error.message, error.hint, error.smaller)
        return error.exit_code
    except MemoryError:
        reporter.error("memory", "The memory of the machine is not enough.", "Close other programs or choose fewer volumes.")
        return 4
    except Exception as error:  # noqa: BLE001 (the last line: a program that reads events must learn of every end)
        traceback.print_exc(file=sys.stderr)
        reporter.error("failure", f"{type(error).__name__}: {error}", "This is a fault of the software; please report it.")
        return 1
    return 0
