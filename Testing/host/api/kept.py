"""Reads the kept part of the listing: what each real class shows to Python."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class ClassApi:
    """What Python reaches of one class, without what it inherits from `beyond`.

    `signatures` are the C++ signatures of the signals where the headers tell them (CTK's and Slicer's classes).
    """

    name: str
    properties: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    signals: tuple[str, ...] = ()
    enums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    beyond: str | None = None
    signatures: tuple[str, ...] = ()
    types: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> set[str]:
        """All attributes but enum values."""
        return {*self.properties, *self.methods, *self.signals}


@cache
def kept_classes() -> Mapping[str, ClassApi]:
    """The kept classes by name; `unlisted.json` adds what exists in Slicer but the listing could not see, with the reason."""
    raw: dict[str, dict[str, Any]] = json.loads((FOLDER / "kept.json").read_text(encoding="utf-8"))
    unlisted = json.loads((FOLDER / "unlisted.json").read_text(encoding="utf-8"))
    for name, extra in unlisted["classes"].items():
        entry = raw.setdefault(name, {})
        entry["beyond"] = extra.get("beyond") or entry.get("beyond")
        for kind in ("properties", "methods", "signals", "signatures"):
            entry[kind] = [*entry.get(kind, []), *extra.get(kind, [])]
        entry["enums"] = {**entry.get("enums", {}), **extra.get("enums", {})}
    return {name: _class_api(name, entry) for name, entry in raw.items()}


def _class_api(name: str, entry: dict[str, Any]) -> ClassApi:
    return ClassApi(
        name=name,
        properties=tuple(entry["properties"]),
        methods=tuple(entry["methods"]),
        signals=tuple(entry["signals"]),
        enums={enum: tuple(values) for enum, values in entry["enums"].items()},
        beyond=entry.get("beyond"),
        signatures=tuple(entry.get("signatures", ())),
        types=entry.get("types", {}),
    )
