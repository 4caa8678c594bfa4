"""What a class shows to Python: properties (attributes), methods (called), signals (connected)."""

import enum
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import shiboken6
from PySide6 import QtCore
from shibokensupport.signature import get_signature

from Testing.host.pythonqt.enums import EnumValue, to_pyside
from Testing.host.pythonqt.signals import Signal, known_signatures
from Testing.host.pythonqt.wrapping import Wrapper, relay, unwrap, wrap


class BenchGapError(NotImplementedError):
    """Slicer has it, the bench does not yet."""


def alive(wrapper: Wrapper, what: str) -> Any:
    """The wrapped object.

    Raises:
        ValueError: it was destroyed, said in PythonQt's words.
    """
    if not shiboken6.isValid(wrapper._raw):
        raise ValueError(f"Trying to access {what} of a destroyed {type(wrapper).__name__} object")
    return wrapper._raw


class PropertyMember:
    """A Qt property: read and written as an attribute."""

    def __init__(self, owner: str, name: str) -> None:
        self.owner = owner
        self.name = name
        self.qt_name = "objectName" if (owner, name) == ("QObject", "name") else name

    def __get__(self, wrapper: Wrapper | None, kind: type) -> Any:
        if wrapper is None:
            return self
        return wrap(self._read(alive(wrapper, self.name)))

    def __set__(self, wrapper: Wrapper, value: Any) -> None:
        raw = alive(wrapper, self.name)
        meta = raw.metaObject()
        index = meta.indexOfProperty(self.qt_name)
        if index < 0:
            self._write_by_setter(raw, value)
            return
        found = meta.property(index)
        if not found.isWritable():
            raise AttributeError(f"Property '{self.name}' of {self.owner} is not writable")
        if not self._write(raw, found, unwrap(value)):
            raise AttributeError(
                f"Property '{self.name}' of type '{found.typeName()}' does not accept an object of type {type(value).__name__}"
            )

    def _read(self, raw: Any) -> Any:
        for name in (self.qt_name, "is" + self.qt_name[0].upper() + self.qt_name[1:]):
            found = getattr(type(raw), name, None)
            if isinstance(found, QtCore.Property):
                return getattr(raw, name)
            if callable(found):
                return getattr(raw, name)()
        if raw.metaObject().indexOfProperty(self.qt_name) < 0:
            raise BenchGapError(
                f"{self.owner}.{self.name} exists in Slicer, but PySide6 {type(raw).__name__} has no such property"
            )
        return raw.property(self.qt_name)

    def _write(self, raw: Any, found: QtCore.QMetaProperty, value: Any) -> bool:
        own = getattr(type(raw), self.qt_name, None)
        if isinstance(own, QtCore.Property):
            setattr(raw, self.qt_name, value)
            return True
        kind = str(found.typeName())
        if isinstance(value, bool) and kind in ("QString", "QStringList"):
            return False
        if value is None and kind in ("int", "double", "bool", "QString"):
            return False
        return bool(raw.setProperty(self.qt_name, value))

    def _write_by_setter(self, raw: Any, value: Any) -> None:
        setter = getattr(raw, "set" + self.qt_name[0].upper() + self.qt_name[1:], None)
        if setter is None:
            raise BenchGapError(f"{self.owner}.{self.name} exists in Slicer, but PySide6 {type(raw).__name__} cannot set it")
        call(setter, (value,))


class MethodMember:
    """A method; on the class itself it is static, or unbound when its first argument is an object of the class."""

    def __init__(self, owner: str, name: str, adjusted: Callable[..., Any] | None = None) -> None:
        self.owner = owner
        self.name = name
        self.adjusted = adjusted

    def __get__(self, wrapper: Wrapper | None, kind: type[Wrapper]) -> Callable[..., Any]:
        if wrapper is None:
            return self._from_class(kind)

        def method(*arguments: Any) -> Any:
            raw = alive(wrapper, self.name)
            if self.adjusted is not None:
                return wrap(self.adjusted(wrapper, *arguments))
            return wrap(call(self._found(raw), arguments))

        method.__name__ = self.name
        return method

    def __set__(self, wrapper: Wrapper, value: Any) -> None:
        raise AttributeError(f"Slot '{self.name}' can not be overwritten on {self.owner}")

    def _found(self, holder: Any) -> Callable[..., Any]:
        found: Callable[..., Any] | None = getattr(holder, self.name, None)
        if found is None:
            raise BenchGapError(
                f"{self.owner}.{self.name}() exists in Slicer, but the bench's {self.owner} does not have it yet"
            )
        return found

    def _from_class(self, kind: type[Wrapper]) -> Callable[..., Any]:
        def method(*arguments: Any) -> Any:
            if self.adjusted is not None:
                return wrap(self.adjusted(*arguments))
            return wrap(call(self._found(kind._pyside_class), arguments))

        method.__name__ = self.name
        return method


class SignalMember:
    """A signal of the wrapped object."""

    def __init__(self, owner: str, name: str, declared: tuple[str, ...]) -> None:
        self.owner = owner
        self.name = name
        self.declared = declared

    def __get__(self, wrapper: Wrapper | None, kind: type) -> Any:
        if wrapper is None:
            return self
        return Signal(wrapper, self.name, self.signatures(wrapper)[0])

    def __set__(self, wrapper: Wrapper, value: Any) -> None:
        raise AttributeError(f"Signal '{self.name}' can not be overwritten on {self.owner}")

    def signatures(self, wrapper: Wrapper) -> list[str]:
        """The signatures it can be connected by."""
        raw = alive(wrapper, self.name)
        if getattr(raw, self.name, None) is None:
            raise BenchGapError(f"{self.owner}.{self.name} exists in Slicer, but the bench's {self.owner} does not have it yet")
        return known_signatures(raw, self.name, self.declared)


def call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Calls PySide6 with Python's arguments; integers become enum values where the function wants those."""
    plain = [relay(a) if _is_python_function(a) else unwrap(a) for a in arguments]
    try:
        return function(*plain)
    except TypeError:
        for candidate in _with_enums(function, plain):
            return function(*candidate)
        raise


def _is_python_function(argument: Any) -> bool:
    return callable(argument) and not isinstance(argument, type | Wrapper | EnumValue)


def _with_enums(function: Callable[..., Any], plain: list[Any]) -> Iterator[list[Any]]:
    signatures = get_signature(function)
    for signature in signatures if isinstance(signatures, list) else [signatures]:
        if signature is None:
            continue
        wanted = [p.annotation for p in signature.parameters.values() if p.name != "self"]
        converted = list(plain)
        for index, (annotation, value) in enumerate(zip(wanted, plain, strict=False)):
            number = value.value if isinstance(value, enum.Enum) else value
            is_enum = inspect.isclass(annotation) and issubclass(annotation, enum.Enum)
            if is_enum and isinstance(number, int) and not isinstance(value, annotation):
                converted[index] = to_pyside(number, annotation)
            elif annotation is int and isinstance(value, enum.Enum):
                converted[index] = int(value.value)
        if [type(a) for a in converted] != [type(a) for a in plain]:
            yield converted
