"""From plain JSON to frozen dataclasses, strictly: unknown keys fail, and so do values of another type."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from typing import Any, Literal

from pcl_core.errors import InputError

_HINT = "Use a file that this version wrote."


def build(kind: Any, data: Any, where: str) -> Any:
    """Makes a value of a type from plain dictionaries, lists and scalars.

    Args:
        kind: a dataclass, a tuple of known length, ``dict[str, ...]``, ``... | None``, a Literal, or a plain type.
        data: what ``dataclasses.asdict`` and JSON made of such a value.
        where: what messages call it.

    Raises:
        InputError: an unknown or a missing key, or a value of another type; the message names the place.
    """
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(typing.cast(type, kind), data, where)
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:  # "... | None" is the only one that occurs
        return None if data is None else build(inner[0], data, where)
    if origin is tuple and isinstance(data, list | tuple) and len(data) == len(inner):
        return tuple(build(part, item, where) for part, item in zip(inner, data, strict=True))
    if origin is dict and isinstance(data, dict):
        return {build(inner[0], key, where): build(inner[1], item, f"{where}.{key}") for key, item in data.items()}
    if kind is float and type(data) is int:
        return float(data)
    if data in inner if origin is Literal else type(data) is kind:
        return data
    raise InputError(f"{where} has the value {data!r}, which does not fit.", _HINT)


def _build_dataclass(kind: type, data: Any, where: str) -> Any:
    if not isinstance(data, dict):
        raise InputError(f"{where} should hold named values.", _HINT)
    hints = typing.get_type_hints(kind)
    known = {entry.name: entry for entry in dataclasses.fields(kind)}
    for key in data:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            raise InputError(f"{where} has an unknown key '{key}'.", f"Did you mean '{near[0]}'?" if near else _HINT)
    for name, entry in known.items():
        required = entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING
        if required and name not in data:
            raise InputError(f"{where} lacks '{name}'.", _HINT)
    return kind(**{name: build(hints[name], value, f"{where}.{name}") for name, value in data.items()})
