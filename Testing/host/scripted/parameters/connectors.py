"""Which widget shows which type of parameter, and how the value gets into it and out of it."""

import enum
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ctk
import qt
import slicer

from Testing.host.scripted.parameters.formats import PATHS, split
from Testing.host.scripted.parameters.validators import Choice, Maximum, Minimum, WithinRange

INT_LIMITS = (-(2**31), 2**31 - 1)
FLOAT_LIMITS = (float("-inf"), float("inf"))


@dataclass(frozen=True)
class Decimals:
    """How many decimals the widget shows."""

    value: int


@dataclass(frozen=True)
class SingleStep:
    """How far one step of the widget goes."""

    value: float


@dataclass(frozen=True)
class Connection:
    """One widget: how it is read and written, and which of its signals tells a change."""

    read: Callable[[], Any]
    write: Callable[[Any], None]
    changed: Any


def connect_widget(widget: Any, kind: Any) -> Connection:
    """The connection of a widget to a type.

    Raises:
        RuntimeError: this kind of widget cannot show this type.
    """
    plain, annotations = split(kind)
    for takes, connect in _CONNECTORS:
        if takes(widget, plain):
            return connect(widget, plain, annotations)
    raise RuntimeError(f"Unable to create GUI connector from datatype '{kind}' to widget type '{type(widget)}'")


def _first(annotations: tuple[Any, ...], kind: type) -> Any:
    return next((annotation for annotation in annotations if isinstance(annotation, kind)), None)


def _property(widget: Any, name: str, signal: Any) -> Connection:
    return Connection(lambda: getattr(widget, name), lambda value: setattr(widget, name, value), signal)


def _check_box(widget: Any, kind: Any, annotations: Any) -> Connection:
    return _property(widget, "checked", widget.toggled)


def _push_button(widget: Any, kind: Any, annotations: Any) -> Connection:
    widget.checkable = True
    return _property(widget, "checked", widget.toggled)


def _number(widget: Any, kind: Any, annotations: Any) -> Connection:
    limits = _first(annotations, WithinRange)
    low, high = limits or _first(annotations, Minimum), limits or _first(annotations, Maximum)
    if isinstance(widget, qt.QSlider | ctk.ctkSliderWidget) and (low is None or high is None):
        raise RuntimeError("A slider can only be connected to a number with a lower and an upper limit.")
    for annotation, name in ((Decimals, "decimals"), (SingleStep, "singleStep")):
        found = _first(annotations, annotation)
        if found is not None:
            setattr(widget, name, found.value)
    unlimited = INT_LIMITS if kind is int else FLOAT_LIMITS
    widget.minimum = low.minimum if low is not None else unlimited[0]
    widget.maximum = high.maximum if high is not None else unlimited[1]
    return _property(widget, "value", widget.valueChanged)


def _choices(widget: Any, kind: Any, annotations: Any) -> Connection:
    choice = _first(annotations, Choice)
    if choice is None:
        raise RuntimeError("A combo box can only be connected to a value that is annotated with Choice.")
    return _entries(widget, [(str(value), value) for value in choice.choices])


def _enum(widget: Any, kind: Any, annotations: Any) -> Connection:
    label = getattr(kind, "label", lambda member: member.name)
    return _entries(widget, [(label(member), member) for member in kind])


def _entries(widget: Any, entries: list[tuple[str, Any]]) -> Connection:
    widget.clear()
    for text, _ in entries:
        widget.addItem(text)
    values = [value for _, value in entries]

    def write(value: Any) -> None:
        widget.currentIndex = values.index(value)

    return Connection(lambda: values[widget.currentIndex], write, widget.currentIndexChanged)


def _line(widget: Any, kind: Any, annotations: Any) -> Connection:
    return _property(widget, "text", widget.textChanged)


def _text(widget: Any, kind: Any, annotations: Any) -> Connection:
    return Connection(widget.toPlainText, widget.setPlainText, widget.textChanged)


def _label(widget: Any, kind: Any, annotations: Any) -> Connection:
    return Connection(lambda: kind(widget.text), lambda value: setattr(widget, "text", str(value)), None)


def _path(name: str, signal: str) -> Callable[..., Connection]:
    def connect(widget: Any, kind: Any, annotations: Any) -> Connection:
        return Connection(
            lambda: kind(getattr(widget, name)), lambda path: setattr(widget, name, str(path)), getattr(widget, signal)
        )

    return connect


def _color(widget: Any, kind: Any, annotations: Any) -> Connection:
    return _property(widget, "color", widget.colorChanged)


def _node(widget: Any, kind: Any, annotations: Any) -> Connection:
    widget.nodeTypes = [node_class.__name__ for node_class in _node_classes(kind)]
    return Connection(widget.currentNode, widget.setCurrentNode, widget.currentNodeChanged)


def _node_classes(kind: Any) -> list[type]:
    members = typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, types.UnionType) else (kind,)
    classes = [member for member in members if isinstance(member, type) and issubclass(member, slicer.vtkMRMLNode)]
    return classes if len(classes) == len([member for member in members if member is not type(None)]) else []


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, enum.Enum)


_CONNECTORS: tuple[tuple[Callable[[Any, Any], bool], Callable[..., Connection]], ...] = (
    (lambda w, k: type(w) is qt.QCheckBox and k is bool, _check_box),
    (lambda w, k: type(w) is qt.QPushButton and k is bool, _push_button),
    (lambda w, k: type(w) in (qt.QSpinBox, qt.QSlider) and k is int, _number),
    (lambda w, k: type(w) in (qt.QDoubleSpinBox, ctk.ctkSliderWidget) and k is float, _number),
    (lambda w, k: type(w) is qt.QComboBox and k in (int, float, str, bool), _choices),
    (lambda w, k: type(w) is qt.QComboBox and _is_enum(k), _enum),
    (lambda w, k: type(w) is qt.QLineEdit and k is str, _line),
    (lambda w, k: type(w) is qt.QTextEdit and k is str, _text),
    (lambda w, k: type(w) is qt.QLabel and k in (int, float, str, bool), _label),
    (lambda w, k: type(w) is ctk.ctkPathLineEdit and k in PATHS, _path("currentPath", "currentPathChanged")),
    (lambda w, k: type(w) is ctk.ctkDirectoryButton and k in PATHS, _path("directory", "directoryChanged")),
    (lambda w, k: type(w) is ctk.ctkColorPickerButton, _color),
    (lambda w, k: type(w) is slicer.qMRMLNodeComboBox and bool(_node_classes(k)), _node),
)
