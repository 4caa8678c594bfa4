"""Carries values between Python (PythonQt's view) and PySide6.

A `Wrapper` holds one PySide6 object. Two wrappers of one object are equal, as in PythonQt; wrappers of classes that were
derived in Python live as long as their object does, so that their attributes are not lost.
"""

import enum
from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import shiboken6
from PySide6 import QtCore

from Testing.host.pythonqt.enums import EnumValue

PLAIN = (bool, int, float, complex, str, bytes, bytearray, type(None))
#: Attribute of a PySide6 object that leads to the wrapper of a class derived in Python.
DERIVED = "_derived_wrapper"

registry: dict[str, type["Wrapper"]] = {}


class Wrapper:
    """Base of all classes in `qt`, `ctk` and of Slicer's widgets."""

    _pyside_class: type | None = None
    _raw: Any

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Wrapper):
            return NotImplemented
        if isinstance(self._raw, QtCore.QObject):
            return self._raw is other._raw or address(self._raw) == address(other._raw)
        return bool(self._raw == other._raw)

    def __hash__(self) -> int:
        return hash(address(self._raw)) if isinstance(self._raw, QtCore.QObject) else hash(self._raw)

    def __bool__(self) -> bool:
        return bool(shiboken6.isValid(self._raw))

    def __repr__(self) -> str:
        kind = type(self).__name__
        if not shiboken6.isValid(self._raw):
            return f"<{kind} (destroyed)>"
        if isinstance(self._raw, QtCore.QObject):
            return f'<{kind} "{self._raw.objectName()}">'
        return f"<{kind} {self._raw!r}>"

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.startswith("_")]


def address(raw: Any) -> int:
    """Where the C++ object lies; 0 for one that is gone."""
    return int(shiboken6.getCppPointer(raw)[0]) if shiboken6.isValid(raw) else 0


def wrap(value: Any) -> Any:
    """A value that comes from PySide6, as Python sees it in Slicer."""
    if isinstance(value, PLAIN) and not isinstance(value, enum.Enum):
        return value
    if isinstance(value, enum.Enum):
        return EnumValue(value)
    if isinstance(value, list | tuple):
        return tuple(wrap(item) for item in value)
    if isinstance(value, dict):
        return {key: wrap(item) for key, item in value.items()}
    return _wrap_object(value)


def _wrap_object(value: Any) -> Any:
    derived = getattr(value, DERIVED, None)
    if derived is not None:
        return derived
    found = next((registry[base.__name__] for base in type(value).__mro__ if base.__name__ in registry), None)
    if found is not None:
        return hold(found, value)
    return _Unlisted(value) if type(value).__module__.startswith("PySide6") else value


def hold(kind: type[Wrapper], raw: Any) -> Wrapper:
    """A wrapper of `kind` around an object that exists already."""
    wrapper = object.__new__(kind)
    object.__setattr__(wrapper, "_raw", raw)
    return wrapper


def unwrap(value: Any) -> Any:
    """A value that Python hands to Qt, as PySide6 wants it.

    Raises:
        TypeError: a pathlib.Path, which PythonQt cannot turn into a string either.
    """
    if isinstance(value, Wrapper | _Unlisted):
        return value._raw
    if isinstance(value, EnumValue):
        return value.pyside
    if isinstance(value, PurePath):
        raise TypeError(f"Qt cannot convert the path {value} to a string: hand over str(path)")
    if isinstance(value, list | tuple | dict):
        return _unwrap_all(value)
    if isinstance(value, type) and issubclass(value, Wrapper):
        return value._pyside_class
    return value


def _unwrap_all(values: list[Any] | tuple[Any, ...] | dict[Any, Any]) -> list[Any] | dict[Any, Any]:
    if isinstance(values, dict):
        return {key: unwrap(item) for key, item in values.items()}
    return [unwrap(item) for item in values]


def relay(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function for PySide6 to call: its arguments are wrapped, its result is unwrapped."""

    def relayed(*arguments: Any) -> Any:
        return unwrap(function(*(wrap(argument) for argument in arguments)))

    return relayed


class _Unlisted:
    """An object of a Qt class that is not in the kept listing: it can be handed on, not used."""

    def __init__(self, raw: Any) -> None:
        self.__dict__["_raw"] = raw

    def __getattr__(self, name: str) -> Any:
        kind = type(self.__dict__["_raw"]).__name__
        raise AttributeError(
            f"{kind}.{name}: the class {kind} is not in the bench's kept listing. If Slicer has it, add it: "
            "Testing/host/README.md, 'Adding a class'."
        )
