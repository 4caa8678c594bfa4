"""Qt properties that are kept in the object, declared in one line."""

from collections.abc import Callable
from typing import Any

from PySide6 import QtCore, QtWidgets


def stored(name: str, kind: Any, default: Any, then: Callable[[Any], None] | None = None) -> Any:
    """A Qt property `name` with a default; `then(self)` runs when it was set to another value."""
    place = f"_stored_{name}"

    def read(self: Any) -> Any:
        return getattr(self, place, default() if callable(default) else default)

    def write(self: Any, value: Any) -> None:
        before = read(self)
        setattr(self, place, value)
        if then is not None and value != before:
            then(self)

    return QtCore.Property(kind, read, write)


def parent_among(arguments: tuple[Any, ...]) -> QtWidgets.QWidget | None:
    """The parent that a constructor was given: CTK's and Slicer's widgets take it after other arguments or alone."""
    return next((argument for argument in arguments if isinstance(argument, QtWidgets.QWidget)), None)


def computed(kind: Any, read: Callable[[Any], Any], write: Callable[[Any, Any], None] | None = None) -> Any:
    """A Qt property that another widget holds."""
    return QtCore.Property(kind, read, write) if write is not None else QtCore.Property(kind, read)
