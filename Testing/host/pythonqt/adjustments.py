"""Where PySide6 6 and PythonQt on Qt 5 differ in what a call takes or gives."""

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import shiboken6
from PySide6 import QtCore, QtWidgets

from Testing.host.pythonqt import signals
from Testing.host.pythonqt.members import SignalMember, call
from Testing.host.pythonqt.wrapping import Wrapper, registry, unwrap


def connect(wrapper: Wrapper, signature: str, function: Callable[..., Any], slot: str | None = None) -> bool:
    """`object.connect("signal(type)", callable)` and `object.connect("signal()", receiver, "slot()")`.

    Raises:
        AttributeError: there is no such signal (Slicer writes a warning that is easily overlooked).
    """
    name, known = _signal(wrapper, signature)
    if slot is not None:
        function = getattr(function, slot.partition("(")[0])
    return signals.connect(wrapper, name, known, function)


def disconnect(wrapper: Wrapper, signature: str, function: Callable[..., Any]) -> bool:
    """Ends a connection that was made by the signature or by the signal's attribute."""
    name, _ = _signal(wrapper, signature)
    return signals.disconnect(wrapper, name, function)


def _signal(wrapper: Wrapper, signature: str) -> tuple[str, str]:
    wanted = signals.normalized(signature)
    name = wanted.partition("(")[0]
    member = next((vars(kind)[name] for kind in type(wrapper).__mro__ if name in vars(kind)), None)
    if not isinstance(member, SignalMember):
        raise AttributeError(f"{type(wrapper).__name__} has no signal '{name}'")
    known = member.signatures(wrapper)
    if wanted not in known:
        raise AttributeError(f"{type(wrapper).__name__} has no signal '{wanted}', but {', '.join(known)}")
    return name, wanted


def find_child(wrapper: Wrapper, kind: Any, name: str = "") -> Any:
    """`findChild(qt.QPushButton, "name")`; PythonQt also takes the class's name as a string."""
    children = find_children(wrapper, kind, name)
    return children[0] if children else None


def find_children(wrapper: Wrapper, kind: Any, name: str = "") -> list[Any]:
    """All children of a class (by class or by its name) and, where given, of one object name."""
    if isinstance(kind, str):
        all_children = wrapper._raw.findChildren(QtCore.QObject, name or None)
        return [child for child in all_children if child.inherits(kind)]
    wanted = kind._pyside_class
    return list(wrapper._raw.findChildren(wanted, name) if name else wrapper._raw.findChildren(wanted))


def class_name(wrapper: Wrapper) -> str:
    """The C++ class's name."""
    if isinstance(wrapper._raw, QtCore.QObject):
        return str(wrapper._raw.metaObject().className())
    return type(wrapper).__name__


def delete(wrapper: Wrapper) -> None:
    """Destroys the C++ object at once."""
    shiboken6.delete(wrapper._raw)


def set_property(wrapper: Wrapper, name: str, value: Any) -> bool:
    """setProperty, declared or dynamic."""
    return bool(wrapper._raw.setProperty(name, unwrap(value)))


def layout_item_widget(wrapper: Wrapper) -> Any:
    """QLayoutItem.widget()."""
    return wrapper._raw.widget()


def first_of(static: Callable[..., Any]) -> Callable[..., Any]:
    """QFileDialog's static functions give the name alone, not the name and the filter."""

    def adjusted(*arguments: Any) -> Any:
        given = [argument for argument in arguments if not isinstance(argument, Wrapper) or argument._raw is not None]
        if any(isinstance(argument, PurePath) for argument in given):
            raise TypeError("Qt cannot convert a path to a string: hand over str(path)")
        result = call(static, arguments)
        return result[0] if isinstance(result, tuple) else result

    return adjusted


def input_dialog(static: Callable[..., Any]) -> Callable[..., Any]:
    """QInputDialog's static functions give the value alone."""
    return first_of(static)


def process_start(wrapper: Wrapper, *arguments: Any) -> None:
    """QProcess.start: a missing program is told by errorOccurred and error(), not by an exception."""
    call(wrapper._raw.start, tuple(list(a) if isinstance(a, tuple) else a for a in arguments))


def load_from_data(wrapper: Wrapper, data: Any, *rest: Any) -> bool:
    """QPixmap.loadFromData takes a QByteArray."""
    if not isinstance(data, registry["QByteArray"]):
        raise ValueError("QPixmap.loadFromData has no overload for these arguments: hand over qt.QByteArray(data)")
    return bool(wrapper._raw.loadFromData(data._raw, *rest))


def byte_array_data(wrapper: Wrapper) -> bytes:
    """QByteArray.data() is bytes."""
    return bytes(wrapper._raw.data())


def image(*arguments: Any) -> Any:
    """QImage: bytes with a width and a height match no overload."""
    if arguments and isinstance(arguments[0], bytes | bytearray | memoryview):
        raise ValueError(
            "Could not find matching overload for given arguments: QImage cannot be made from bytes, width and height; "
            "encode a PNG and use qt.QPixmap().loadFromData(qt.QByteArray(data))"
        )
    from PySide6 import QtGui

    return call(QtGui.QImage, arguments)


ADJUSTED: dict[tuple[str, str], Callable[..., Any]] = {
    ("*", "connect"): connect,
    ("*", "disconnect"): disconnect,
    ("*", "findChild"): find_child,
    ("*", "findChildren"): find_children,
    ("*", "className"): class_name,
    ("*", "delete"): delete,
    ("*", "setProperty"): set_property,
    ("QProcess", "start"): process_start,
    ("QPixmap", "loadFromData"): load_from_data,
    ("QByteArray", "data"): byte_array_data,
    ("QFileDialog", "getOpenFileName"): first_of(QtWidgets.QFileDialog.getOpenFileName),
    ("QFileDialog", "getOpenFileNames"): first_of(QtWidgets.QFileDialog.getOpenFileNames),
    ("QFileDialog", "getSaveFileName"): first_of(QtWidgets.QFileDialog.getSaveFileName),
    ("QInputDialog", "getText"): input_dialog(QtWidgets.QInputDialog.getText),
    ("QInputDialog", "getInt"): input_dialog(QtWidgets.QInputDialog.getInt),
    ("QInputDialog", "getDouble"): input_dialog(QtWidgets.QInputDialog.getDouble),
    ("QInputDialog", "getItem"): input_dialog(QtWidgets.QInputDialog.getItem),
}

CONSTRUCTED: dict[str, Callable[..., Any]] = {"QImage": image}
