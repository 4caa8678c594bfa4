"""How values of each type lie in a script node."""

import enum
import pathlib
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any

import slicer

from Testing.host.scripted.parameters.validators import Default, IsInstance, NotNone, Validator

PATHS = (pathlib.Path, pathlib.PosixPath, pathlib.WindowsPath, pathlib.PurePath, pathlib.PurePosixPath, pathlib.PureWindowsPath)


class Format(ABC):
    """Reads and writes one parameter of a node by its name."""

    validators: tuple[Validator, ...] = ()

    def check(self, value: Any) -> None:
        """Raises ValueError or TypeError when the value is not allowed."""
        for validator in self.validators:
            validator.validate(value)

    def store(self, node: Any, name: str, value: Any) -> None:
        """Writes a value that is allowed."""
        self.check(value)
        self.write(node, name, value)

    def has(self, node: Any, name: str) -> bool:
        return bool(node.HasParameter(name))

    def remove(self, node: Any, name: str) -> None:
        node.UnsetParameter(name)

    @abstractmethod
    def default(self) -> Any:
        """The value while none was set."""

    @abstractmethod
    def write(self, node: Any, name: str, value: Any) -> None:
        """Puts the value into the node."""

    @abstractmethod
    def read(self, node: Any, name: str) -> Any:
        """Takes the value from the node."""


class TextFormat(Format):
    """Numbers, texts and paths: as str() writes them."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind
        self.validators = (NotNone(), IsInstance((int, float) if kind is float else kind))

    def default(self) -> Any:
        return self.kind()

    def write(self, node: Any, name: str, value: Any) -> None:
        node.SetParameter(name, str(value))

    def read(self, node: Any, name: str) -> Any:
        return self.kind(node.GetParameter(name))


class BoolFormat(Format):
    """True and False."""

    validators: tuple[Validator, ...] = (NotNone(), IsInstance(bool))

    def default(self) -> bool:
        return False

    def write(self, node: Any, name: str, value: bool) -> None:
        node.SetParameter(name, "True" if value else "False")

    def read(self, node: Any, name: str) -> bool:
        return bool(node.GetParameter(name) == "True")


class EnumFormat(Format):
    """The member's name."""

    def __init__(self, kind: type[enum.Enum]) -> None:
        self.kind = kind
        self.validators = (IsInstance(kind),)

    def default(self) -> Any:
        return next(iter(self.kind))

    def write(self, node: Any, name: str, value: enum.Enum) -> None:
        node.SetParameter(name, value.name)

    def read(self, node: Any, name: str) -> Any:
        found = node.GetParameter(name)
        if found not in self.kind.__members__:
            raise ValueError(f"The parameter node holds {found!r}, which is not a name in {self.kind.__name__}")
        return self.kind[found]


class NodeFormat(Format):
    """A node reference; an empty parameter of the same name tells that it was set, if only to None."""

    def __init__(self, kind: type) -> None:
        self.validators = (IsInstance(kind),)

    def default(self) -> None:
        return None

    def write(self, node: Any, name: str, value: Any) -> None:
        node.SetParameter(name, "")
        node.SetNodeReferenceID(name, value.GetID() if value is not None else None)

    def read(self, node: Any, name: str) -> Any:
        return node.GetNodeReference(name)

    def remove(self, node: Any, name: str) -> None:
        node.UnsetParameter(name)
        node.RemoveNodeReferenceIDs(name)


class NoneFormat(BoolFormat):
    """None alone, for Optional."""

    validators = ()

    def check(self, value: Any) -> None:
        if value is not None:
            raise ValueError("Value must be None")

    def default(self) -> Any:
        return None

    def write(self, node: Any, name: str, value: Any) -> None:
        super().write(node, name, True)

    def read(self, node: Any, name: str) -> Any:
        return None


class TupleFormat(Format):
    """Members by number."""

    def __init__(self, members: Sequence[Format]) -> None:
        self.members = members

    def default(self) -> Any:
        return tuple(member.default() for member in self.members)

    def check(self, value: Any) -> None:
        if len(value) != len(self.members):
            raise ValueError(f"A tuple of {len(self.members)} values is wanted, not {value!r}")
        for member, part in zip(self.members, value, strict=True):
            member.check(part)

    def has(self, node: Any, name: str) -> bool:
        return self.members[0].has(node, f"{name}_0")

    def write(self, node: Any, name: str, value: Any) -> None:
        for index, (member, part) in enumerate(zip(self.members, value, strict=True)):
            member.write(node, f"{name}_{index}", part)

    def read(self, node: Any, name: str) -> Any:
        return tuple(member.read(node, f"{name}_{index}") for index, member in enumerate(self.members))

    def remove(self, node: Any, name: str) -> None:
        for index, member in enumerate(self.members):
            member.remove(node, f"{name}_{index}")


class UnionFormat(Format):
    """The first alternative that takes the value; Optional is a union with None."""

    def __init__(self, alternatives: Sequence[Format]) -> None:
        self.alternatives = alternatives

    def default(self) -> Any:
        optional = len(self.alternatives) == 2 and isinstance(self.alternatives[1], NoneFormat)
        return None if optional else self.alternatives[0].default()

    def _taker(self, value: Any) -> tuple[int, Format]:
        refused: Exception | None = None
        for index, alternative in enumerate(self.alternatives):
            try:
                alternative.check(value)
            except (TypeError, ValueError) as error:
                refused = refused if isinstance(alternative, NoneFormat) and refused else error
                continue
            return index, alternative
        raise refused or TypeError(f"No type of the union takes {value!r}")

    def check(self, value: Any) -> None:
        self._taker(value)

    def has(self, node: Any, name: str) -> bool:
        return any(alternative.has(node, f"{name}_{index}") for index, alternative in enumerate(self.alternatives))

    def write(self, node: Any, name: str, value: Any) -> None:
        index, alternative = self._taker(value)
        self.remove(node, name)
        alternative.write(node, f"{name}_{index}", value)

    def read(self, node: Any, name: str) -> Any:
        for index, alternative in enumerate(self.alternatives):
            if alternative.has(node, f"{name}_{index}"):
                return alternative.read(node, f"{name}_{index}")
        raise KeyError(name)

    def remove(self, node: Any, name: str) -> None:
        for index, alternative in enumerate(self.alternatives):
            alternative.remove(node, f"{name}_{index}")


def format_of(kind: Any) -> Format:
    """The format of a type, with the conditions that its annotations set.

    Raises:
        TypeError: no parameter can have this type.
    """
    plain, annotations = split(kind)
    made = _plain_format(plain)
    made.validators = (*made.validators, *(a for a in annotations if isinstance(a, Validator)))
    return made


def _plain_format(kind: Any) -> Format:
    from Testing.host.scripted.parameters import containers, packs

    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is list:
        return containers.ListFormat(format_of(inner[0]))
    if origin is dict:
        return containers.DictFormat(format_of(inner[0]), format_of(inner[1]))
    if origin is tuple:
        return TupleFormat([format_of(member) for member in inner])
    if origin in (typing.Union, types.UnionType):
        return UnionFormat([format_of(member) for member in inner])
    if packs.isParameterPack(kind):
        return packs.PackFormat(kind)
    return _simple_format(kind)


def _simple_format(kind: Any) -> Format:
    if kind is bool:
        return BoolFormat()
    if kind in (int, float, str, *PATHS):
        return TextFormat(kind)
    if kind is type(None):
        return NoneFormat()
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return EnumFormat(kind)
    if isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode):
        return NodeFormat(kind)
    raise TypeError(f"A parameter cannot be of type {kind}")


def split(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type and its annotations."""
    if typing.get_origin(kind) is Annotated:
        plain, *annotations = typing.get_args(kind)
        return plain, tuple(annotations)
    return kind, ()


def default_of(kind: Any, made: Format) -> Any:
    """The default that the annotations name, or the type's."""
    named = [annotation for annotation in split(kind)[1] if isinstance(annotation, Default)]
    return named[0].value if named else made.default()
