"""The class decorator parameterNodeWrapper."""

import typing
import weakref
from typing import Any

import qt
import slicer
import vtk

from Testing.host.scripted.parameters.connectors import Connection, connect_widget
from Testing.host.scripted.parameters.formats import Format, default_of, format_of
from Testing.host.scripted.parameters.packs import data_type

SlicerParameterNamePropertyName = "SlicerParameterName"
#: What every class has of its own.
OWN = {"__annotations__", "__dict__", "__doc__", "__init__", "__module__", "__weakref__"}


def isParameterNodeWrapper(candidate: Any) -> bool:
    """Whether a class or an object wraps a parameter node."""
    return bool(getattr(candidate, "_is_parameter_node_wrapper", False))


def parameterNodeWrapper(classtype: type | None = None) -> Any:
    """Class decorator: the members become typed properties of a script node."""
    return _process if classtype is None else _process(classtype)


def _process(kind: type) -> type:
    members = typing.get_type_hints(kind, include_extras=True)
    formats = {name: format_of(member) for name, member in members.items()}
    defaults = {name: vars(kind).get(name, default_of(member, formats[name])) for name, member in members.items()}
    taken = {name: value for name, value in vars(_Wrapper).items() if name not in OWN}
    clash = set(taken) & (set(vars(kind)) | set(members))
    if clash:
        raise ValueError(f"Cannot use reserved name '{min(clash)}' in a parameterNodeWrapper")
    for name, value in taken.items():
        setattr(kind, name, value)
    for name in members:
        setattr(kind, name, _member(name))
    made: Any = kind
    made.__init__ = _Wrapper.__init__
    made.allParameters, made._formats, made._defaults = members, formats, defaults
    made._is_parameter_node_wrapper = True
    return kind


def _member(name: str) -> property:
    return property(lambda self: self._read(name), lambda self, value: self._write(name, value))


class _Wrapper:
    """What every wrapped class can do; its methods are put into the wrapped class itself.

    Example::

        @parameterNodeWrapper
        class Parameters:
            epochs: Annotated[int, WithinRange(1, 500)] = 50

        parameters = Parameters(logic.getParameterNode())
        parameters.connectGui(self.ui)
    """

    allParameters: dict[str, Any]
    _formats: dict[str, Format]
    _defaults: dict[str, Any]

    def __init__(self, parameterNode: Any, prefix: str | None = None) -> None:
        self.parameterNode = parameterNode
        self._prefix = prefix or ""
        self._guis: dict[int, tuple[dict[str, Connection], list[tuple[Any, Any]], weakref.finalize]] = {}
        self._next_gui = 0
        self._showing = False
        for name, made in self._formats.items():
            if not made.has(parameterNode, self._prefix + name):
                made.store(parameterNode, self._prefix + name, self._defaults[name])

    def _read(self, name: str) -> Any:
        made, full = self._formats[name], self._prefix + name
        if not made.has(self.parameterNode, full):
            made.store(self.parameterNode, full, self._defaults[name])
        return made.read(self.parameterNode, full)

    def _write(self, name: str, value: Any) -> None:
        with slicer.util.NodeModify(self.parameterNode):
            self._formats[name].store(self.parameterNode, self._prefix + name, value)

    def default(self, name: str) -> Any:
        """The value while none was set."""
        self.dataType(name)
        return self._defaults[name]

    def isCached(self, name: str) -> bool:
        """The bench reads the node every time."""
        self.dataType(name)
        return False

    @classmethod
    def dataType(cls, name: str) -> Any:
        """The annotated type of a parameter, also of a member of a pack ("corner.x").

        Raises:
            ValueError: there is no such parameter.
        """
        return data_type(cls, name)

    def getValue(self, name: str) -> Any:
        """A parameter by its name."""
        self.dataType(name)
        first, _, rest = name.partition(".")
        value = self._read(first)
        return value.getValue(rest) if rest else value

    def setValue(self, name: str, value: Any) -> None:
        """Sets a parameter by its name."""
        self.dataType(name)
        first, _, rest = name.partition(".")
        if rest:
            self._read(first).setValue(rest, value)
        else:
            self._write(first, value)

    def connectGui(self, gui: Any) -> int:
        """Binds the widgets whose dynamic property SlicerParameterName names a parameter; returns a tag to end it by."""
        candidates = gui.findChildren(qt.QWidget) if hasattr(gui, "isWidgetType") else vars(gui).values()
        named = ((widget.property(SlicerParameterNamePropertyName), widget) for widget in candidates)
        return self.connectParametersToGui({name: widget for name, widget in named if name})

    def connectParametersToGui(self, mapping: dict[str, Any]) -> int:
        """Binds widgets to parameters by name; returns a tag to end it by."""
        connections = {name: connect_widget(widget, self.dataType(name)) for name, widget in mapping.items()}
        tag, self._next_gui = self._next_gui, self._next_gui + 1
        slots = []
        for name, connection in connections.items():
            connection.write(self.getValue(name))
            if connection.changed is not None:
                slot = self._take(name, connection)
                connection.changed.connect(slot)
                slots.append((connection.changed, slot))
        self._guis[tag] = (connections, slots, self._observe())
        return tag

    def disconnectGui(self, tag: int) -> None:
        """Ends what connectGui began."""
        if tag not in self._guis:
            return
        _, slots, stop_observing = self._guis.pop(tag)
        stop_observing()
        for signal, slot in slots:
            signal.disconnect(slot)

    def _observe(self) -> weakref.finalize:
        """Shows every change of the node until the answer is called or the wrapper is gone.

        The observer must not outlive the wrapper: the scene keeps the node, and the garbage collector, which takes a
        callback for a part of the node's Python side, would leave the node calling an emptied function.
        """
        wrapper = weakref.ref(self)

        def modified(_caller: Any, _event: str) -> None:
            present = wrapper()
            if present is not None:
                present._show()

        node = self.parameterNode
        return weakref.finalize(self, node.RemoveObserver, node.AddObserver(vtk.vtkCommand.ModifiedEvent, modified))

    def _take(self, name: str, connection: Connection) -> Any:
        def changed() -> None:
            if not self._showing:
                self.setValue(name, connection.read())

        return changed

    def _show(self) -> None:
        if self._showing:
            return
        self._showing = True
        try:
            for connections, _, _ in self._guis.values():
                for name, connection in connections.items():
                    connection.write(self.getValue(name))
        finally:
            self._showing = False

    def StartModify(self) -> Any:
        return self.parameterNode.StartModify()

    def EndModify(self, was_modified: Any) -> None:
        self.parameterNode.EndModify(was_modified)

    def AddObserver(self, event: Any, callback: Any, priority: float = 0.0) -> Any:
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: Any) -> None:
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:
        self.parameterNode.Modified()


def findChildWidgetForParameter(widget: Any, parameter: str) -> Any:
    """The child that is bound to a parameter, or None."""
    children = widget.findChildren(qt.QWidget)
    return next((child for child in children if child.property(SlicerParameterNamePropertyName) == parameter), None)
