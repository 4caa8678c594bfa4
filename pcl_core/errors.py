"""The ways in which work can end early, each with its exit code and a hint for the person who started it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path


class PclError(Exception):
    """Base of every error that is meant for a person to read.

    Attributes:
        message: what was wrong, and in which file.
        hint: what to do about it; may be empty.
        kind: short machine-readable name, the ``kind`` of the ``error`` event.
        exit_code: exit status of the command line.
        smaller: options with which the same command may not run out of memory again, such as ``{"batch": 16}``.
    """

    kind = "failure"
    exit_code = 1

    def __init__(self, message: str, hint: str = "", smaller: Mapping[str, int] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.smaller = dict(smaller or {})

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InputError(PclError):
    """The input or the call is wrong; nothing was written."""

    kind = "input"
    exit_code = 2


class StateError(InputError):
    """The checkpoint that a run was to go on from is damaged, or of another run."""


class MissingPackageError(PclError):
    """A Python package that the command needs is not installed."""

    kind = "packages"
    exit_code = 1


class OutOfMemoryError(PclError):
    """The device or the machine ran out of memory; the hint names the next smaller setting."""

    kind = "memory"
    exit_code = 4


class CancelledError(PclError):
    """Somebody asked to stop.

    Attributes:
        kept: what was saved and can be resumed from, or None.
    """

    kind = "cancelled"
    exit_code = 3

    def __init__(self, kept: Path | None = None) -> None:
        super().__init__("Cancelled.", f"{kept} is kept; a training goes on from there with --resume." if kept else "")
        self.kept = kept
