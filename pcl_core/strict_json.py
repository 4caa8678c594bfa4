"""From plain JSON to frozen dataclasses, strictly: unknown keys fail, and so do values of another type."""

from __future__ import annotations

import dataclasses
import difflib
import json
import types
import typing
from pathlib import Path
from typing import Any, Literal

from pcl_core.errors import InputError
from pcl_core.near import nearest

FROM_US = "Use a file that this version wrote."


def read_json(path: Path) -> Any:
    """What a file that a person wrote holds, with or without a byte-order mark.

    Raises:
        InputError: it cannot be read, or is no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror or error}.", "Check the path.") from error
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}.", "Correct it there.") from error


def build(kind: Any, data: Any, where: str, hint: str = FROM_US) -> Any:
    """Makes a value of a type from plain dictionaries, lists and scalars.

    Args:
        kind: a dataclass, a tuple (of known length, or ``tuple[x, ...]``), ``dict[str, ...]``, ``... | None``, a Literal, a
            Path (from a string), Any, or a plain type.
        data: what ``dataclasses.asdict`` and JSON made of such a value.
        where: what messages call it.
        hint: what to do about a value that does not fit.

    Raises:
        InputError: an unknown or a missing key, or a value of another type; the message names the place.
    """
    if dataclasses.is_dataclass(kind):
        return _build_dataclass(typing.cast(type, kind), data, where, hint)
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:  # "... | None" is the only one that occurs
        return None if data is None else build(inner[0], data, where, hint)
    if origin is tuple and isinstance(data, list | tuple):
        parts = [inner[0]] * len(data) if inner[1:] == (Ellipsis,) else list(inner)
        if len(parts) == len(data):
            return tuple(build(part, item, where, hint) for part, item in zip(parts, data, strict=True))
    if origin is dict and isinstance(data, dict):
        return {build(inner[0], key, where, hint): build(inner[1], item, f"{where}.{key}", hint) for key, item in data.items()}
    return _build_plain(kind, data, where, hint)


def _build_plain(kind: Any, data: Any, where: str, hint: str) -> Any:
    if kind is float and type(data) is int:
        return float(data)
    if kind is Path and isinstance(data, str):
        return Path(data)
    if typing.get_origin(kind) is Literal:
        choices = typing.get_args(kind)
        if data in choices:
            return data
        hint = nearest(str(data), map(str, choices))
    elif kind is Any or type(data) is kind:
        return data
    raise InputError(f"{where} has the value {data!r}, which does not fit.", hint)


def _build_dataclass(kind: type, data: Any, where: str, hint: str) -> Any:
    if not isinstance(data, dict):
        raise InputError(f"{where} should hold named values.", hint)
    hints = typing.get_type_hints(kind)
    known = {entry.name: entry for entry in dataclasses.fields(kind)}
    for key in data:
        if key not in known:
            near = difflib.get_close_matches(str(key).casefold(), known, n=1)
            raise InputError(f"{where} has an unknown key '{key}'.", f"Did you mean '{near[0]}'?" if near else hint)
    for name, entry in known.items():
        required = entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING
        if required and name not in data:
            raise InputError(f"{where} lacks '{name}'.", hint)
    return kind(**{name: build(hints[name], value, f"{where}.{name}", hint) for name, value in data.items()})
