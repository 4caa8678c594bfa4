"""Signals as PythonQt hands them over.

`button.clicked.connect(f)` and `button.connect("clicked(bool)", f)` both work. A Python function gets as many of the signal's
arguments as it has parameters for; a callable whose parameters cannot be counted gets all of them.
"""

import inspect
import re
from collections.abc import Callable
from typing import Any

from PySide6 import QtCore

from Testing.host.pythonqt.wrapping import Wrapper, unwrap, wrap

#: Qt 5 declares these with another signature first than Qt 6 has: seen in the running application.
FIRST_SIGNATURE = {("QProcess", "finished"): "finished(int)"}


def normalized(signature: str) -> str:
    """A signature as it is compared: no names of parameters, no const&, no blanks."""
    name, _, inside = signature.partition("(")
    arguments = [_type_only(part) for part in inside.rstrip(")").split(",") if part.strip()]
    return f"{name.strip()}({','.join(arguments)})"


def _type_only(parameter: str) -> str:
    text = parameter.partition("=")[0].replace("const ", " ").replace("&", " ")
    text = re.sub(r"\s*\*\s*", "* ", text).strip()
    return text.split(" ")[0] if text else text


def argument_count(signature: str) -> int:
    """How many arguments a normalized signature has."""
    inside = signature.partition("(")[2].rstrip(")")
    return len(inside.split(",")) if inside else 0


def accepted_arguments(function: Callable[..., Any]) -> int | None:
    """How many arguments a Python function takes; None when PythonQt hands over all of them."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    if code is None or code.co_flags & inspect.CO_VARARGS:
        return None
    return int(code.co_argcount) - (1 if inspect.ismethod(function) else 0)


class Signal:
    """What `object.signal` is in Python: something with connect, disconnect, and a call that emits."""

    def __init__(self, owner: Wrapper, name: str, signature: str) -> None:
        self._owner = owner
        self._name = name
        self._signature = signature

    def connect(self, function: Callable[..., Any]) -> bool:
        """Calls `function` whenever the signal is emitted."""
        return connect(self._owner, self._name, self._signature, function)

    def disconnect(self, function: Callable[..., Any]) -> bool:
        """Ends one connection; False when there was none."""
        return disconnect(self._owner, self._name, function)

    def __call__(self, *arguments: Any) -> None:
        getattr(self._owner._raw, self._name).emit(*(unwrap(argument) for argument in arguments))


def connect(owner: Wrapper, name: str, signature: str, function: Callable[..., Any]) -> bool:
    """Connects one signal of the wrapped object.

    Raises:
        TypeError: `function` cannot be called.
    """
    if not callable(function):
        raise TypeError(f"{name}.connect wants a callable, not {function!r}")
    count = argument_count(signature)
    accepted = accepted_arguments(function)
    handed = count if accepted is None else min(count, accepted)

    as_bool = signature.endswith("(bool)")

    def deliver(*arguments: Any) -> None:
        function(*(as_truth(wrap(argument)) if as_bool else wrap(argument) for argument in arguments[:handed]))

    pyside_signal(owner._raw, name).connect(deliver)
    _connections(owner._raw).append((name, function, deliver))
    return True


def as_truth(value: Any) -> bool:
    """What the overload "(bool)" of a signal that tells a node hands over: whether there is one."""
    return bool(value) if isinstance(value, int) else value is not None


def disconnect(owner: Wrapper, name: str, function: Callable[..., Any]) -> bool:
    """Ends one connection; False when there was none."""
    connections = _connections(owner._raw)
    for index, (connected, known, deliver) in enumerate(connections):
        if connected == name and known == function:
            pyside_signal(owner._raw, name).disconnect(deliver)
            del connections[index]
            return True
    return False


def pyside_signal(raw: QtCore.QObject, name: str) -> Any:
    """PySide6's signal with the most arguments; fewer are handed on where the chosen signature has fewer."""
    signal = getattr(raw, name)
    overloads = [text for text in _overloads(raw) if text.startswith(name + "(")]
    longest = max(overloads, key=argument_count)
    return signal[longest[len(name) + 1 : -1]] if len(overloads) > 1 else signal


def _overloads(raw: QtCore.QObject) -> list[str]:
    meta = raw.metaObject()
    methods = (meta.method(index) for index in range(meta.methodCount()))
    return [
        bytes(m.methodSignature().data()).decode() for m in methods if m.methodType() == QtCore.QMetaMethod.MethodType.Signal
    ]


def known_signatures(raw: QtCore.QObject, name: str, declared: tuple[str, ...]) -> list[str]:
    """The signatures that a signal of this object can be connected by, the one that `object.signal` means first."""
    mine = [normalized(text) for text in declared if text.startswith(name + "(")]
    if not mine:
        mine = [text for text in _overloads(raw) if text.startswith(name + "(")]
    first = FIRST_SIGNATURE.get((type(raw).__name__, name))
    if first is not None:
        mine = [first, *(text for text in mine if text != first)]
    return mine


def _connections(raw: Any) -> list[tuple[str, Callable[..., Any], Callable[..., Any]]]:
    try:
        found = raw.__dict__["_python_connections"]
    except KeyError:
        found = raw.__dict__["_python_connections"] = []
    return found
