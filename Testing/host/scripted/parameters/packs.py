"""parameterPack: several parameters under one name."""

import typing
from typing import Any

import slicer

from Testing.host.scripted.parameters.formats import Format, default_of, format_of, split


def isParameterPack(candidate: Any) -> bool:
    """Whether a class or an object is a parameter pack."""
    return bool(getattr(candidate, "_is_parameterPack", False))


def parameterPack(classtype: type | None = None) -> Any:
    """Class decorator: typed members with conditions, a constructor, equality."""
    return _process if classtype is None else _process(classtype)


def _process(kind: type) -> type:
    members = typing.get_type_hints(kind, include_extras=True)
    if not members:
        raise ValueError(f"{kind.__name__} has no members")
    formats = {name: format_of(member) for name, member in members.items()}
    defaults = {name: vars(kind).get(name, default_of(member, formats[name])) for name, member in members.items()}
    for name, made in formats.items():
        made.check(defaults[name])
        setattr(kind, name, _member(name, made))
    extra: Any = kind
    extra._is_parameterPack = True
    extra.allParameters = members
    extra._formats = formats
    extra.__init__ = _constructor(defaults)
    extra.__eq__ = _equals
    extra.__hash__ = None
    extra.__repr__ = lambda self: f"{kind.__name__}({', '.join(f'{n}={getattr(self, n)!r}' for n in members)})"
    extra.getValue = _get
    extra.setValue = _set
    extra.dataType = staticmethod(lambda name: data_type(kind, name))
    return kind


def _member(name: str, made: Format) -> property:
    def write(self: Any, value: Any) -> None:
        made.check(value)
        self.__dict__["_" + name] = value
        changed = self.__dict__.get("_changed")
        if changed is not None:
            changed(self)

    return property(lambda self: self.__dict__["_" + name], write)


def _constructor(defaults: dict[str, Any]) -> Any:
    def construct(self: Any, *values: Any, **named: Any) -> None:
        given = dict(zip(defaults, values, strict=False)) | named
        unknown = set(given) - set(defaults)
        if unknown:
            raise TypeError(f"{type(self).__name__} has no member {', '.join(sorted(unknown))}")
        for name, default in defaults.items():
            setattr(self, name, given.get(name, default))

    return construct


def _equals(self: Any, other: Any) -> bool:
    return type(self) is type(other) and all(getattr(self, n) == getattr(other, n) for n in self.allParameters)


def _get(self: Any, name: str) -> Any:
    first, _, rest = name.partition(".")
    value = getattr(self, first)
    return value.getValue(rest) if rest else value


def _set(self: Any, name: str, value: Any) -> None:
    first, _, rest = name.partition(".")
    if rest:
        getattr(self, first).setValue(rest, value)
    else:
        setattr(self, first, value)


def data_type(kind: Any, name: str) -> Any:
    """The annotated type of a member, also of a nested one ("corner.x")."""
    first, _, rest = name.partition(".")
    if first not in kind.allParameters:
        raise ValueError(f"{kind.__name__} has no member '{first}'")
    member = kind.allParameters[first]
    return data_type(split(member)[0], rest) if rest else member


def nestedParameterNames(pack: Any) -> list[str]:
    """Names of all members, those of packs in packs with dots."""
    names = []
    for name, member in pack.allParameters.items():
        inner = split(member)[0]
        names += [f"{name}.{part}" for part in nestedParameterNames(inner)] if isParameterPack(inner) else [name]
    return names


class PackFormat(Format):
    """NAME.member; a pack that was read writes itself when it is changed."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind
        self._formats: dict[str, Format] = kind._formats

    def default(self) -> Any:
        return self.kind()

    def check(self, value: Any) -> None:
        if not isinstance(value, self.kind):
            raise ValueError(f"Value must be a {self.kind.__name__}, not {value!r}")

    def has(self, node: Any, name: str) -> bool:
        first = next(iter(self._formats))
        return self._formats[first].has(node, f"{name}.{first}")

    def write(self, node: Any, name: str, value: Any) -> None:
        with slicer.util.NodeModify(node):
            for member, made in self._formats.items():
                made.write(node, f"{name}.{member}", getattr(value, member))

    def read(self, node: Any, name: str) -> Any:
        value = self.kind(**{member: made.read(node, f"{name}.{member}") for member, made in self._formats.items()})
        value.__dict__["_changed"] = lambda changed: self.write(node, name, changed)
        return value

    def remove(self, node: Any, name: str) -> None:
        for member, made in self._formats.items():
            made.remove(node, f"{name}.{member}")
