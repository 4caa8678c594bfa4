"""Signals of plain Python objects: PythonQt has no way to declare those of Qt on a Python class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, ParamSpec

Arguments = ParamSpec("Arguments")


class Signal(Generic[Arguments]):
    """Calls every connected slot when it is emitted, in the order of their connection, like a Qt signal in one thread.

    Example:
        >>> said = Signal[[str]]()
        >>> said.connect(print)
        >>> said.emit("done")
        done
    """

    def __init__(self) -> None:
        self._slots: list[Callable[Arguments, object]] = []

    def connect(self, slot: Callable[Arguments, object]) -> None:
        """Adds a slot; one that is connected already is called once all the same."""
        if slot not in self._slots:
            self._slots.append(slot)

    def disconnect(self, slot: Callable[Arguments, object]) -> None:
        """Takes a slot away; one that is not connected is no error."""
        if slot in self._slots:
            self._slots.remove(slot)

    def emit(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
        """Calls the slots; they may connect and disconnect while they are called."""
        for slot in tuple(self._slots):
            slot(*args, **kwargs)
