"""What segments are called: names, colours and terminology, of the classes of a model and of the segments of a case."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

_LARGEST = 254


@dataclass(frozen=True)
class SegmentClass:
    """One class, as the engine's class list and model files have it.

    Attributes:
        value: in label maps.
        name: shown to people; unique in a list, whatever its capitals.
        color: red, green, blue of 0 to 1.
        terminology: Slicer's terminology entry as text; empty when unknown.
    """

    value: int
    name: str
    color: tuple[float, float, float]
    terminology: str = ""


@dataclass(frozen=True)
class SegmentFacts:
    """A segment as it is called in its segmentation."""

    id: str
    name: str
    color: tuple[float, float, float]
    terminology: str = ""


@dataclass(frozen=True)
class Matching:
    """Which segments are which classes.

    Attributes:
        values: label value by the id of the segment; segments of one name are one class.
        unknown: names of segments that are no class.
        absent: names of classes that no segment has.
    """

    values: Mapping[str, int]
    unknown: tuple[str, ...]
    absent: tuple[str, ...]


def matched(segments: Iterable[SegmentFacts], classes: Sequence[SegmentClass]) -> Matching:
    """Matches segments with classes by name, whatever capitals and spaces."""
    by_name = {plain_name(entry.name): entry.value for entry in classes}
    values: dict[str, int] = {}
    unknown: list[str] = []
    for segment in segments:
        value = by_name.get(plain_name(segment.name))
        if value is None:
            unknown.append(segment.name)
        else:
            values[segment.id] = value
    absent = tuple(entry.name for entry in classes if entry.value not in values.values())
    return Matching(values, tuple(unknown), absent)


def extended(classes: Sequence[SegmentClass], segments: Iterable[SegmentFacts]) -> tuple[SegmentClass, ...]:
    """The classes, and after them one for every segment whose name is new; each with the lowest free value."""
    found = list(classes)
    for segment in segments:
        names = {plain_name(entry.name) for entry in found}
        value = _free({entry.value for entry in found})
        if plain_name(segment.name) not in names and value is not None:
            found.append(SegmentClass(value, segment.name.strip(), segment.color, segment.terminology))
    return tuple(found)


def joined(classes: Sequence[SegmentClass], more: Iterable[SegmentClass]) -> tuple[SegmentClass, ...]:
    """The classes, and after them those of another list whose names are new, with free values."""
    return extended(classes, (SegmentFacts("", entry.name, entry.color, entry.terminology) for entry in more))


def renamed(classes: Iterable[SegmentClass], names: Mapping[str, str]) -> tuple[SegmentClass, ...]:
    """The classes by the names that people gave them since; values stay, so that weights do."""
    given = {plain_name(old): new for old, new in names.items()}
    return tuple(replace(entry, name=given.get(plain_name(entry.name), entry.name)) for entry in classes)


def with_renaming(names: Mapping[str, str], old: str, new: str) -> dict[str, str]:
    """Names by earlier names, after one class more was renamed: earlier names of it lead to the new one, too."""
    found = {first: new if plain_name(last) == plain_name(old) else last for first, last in names.items()} | {old: new}
    return {first: last for first, last in found.items() if plain_name(first) != plain_name(last)}


def class_list(classes: Iterable[SegmentClass]) -> str:
    """The classes as the engine's ``--class-list`` reads them."""
    return json.dumps([asdict(entry) for entry in classes], ensure_ascii=False)


def read_class_list(text: str) -> tuple[SegmentClass, ...]:
    """The classes that class_list wrote; none for an empty text."""
    return tuple(class_from(entry) for entry in json.loads(text)) if text else ()


def class_from(entry: Mapping[str, Any]) -> SegmentClass:
    """A class from its JSON object."""
    red, green, blue = entry["color"]
    return SegmentClass(int(entry["value"]), entry["name"], (red, green, blue), entry.get("terminology", ""))


def write_class_list(path: Path, classes: Iterable[SegmentClass]) -> Path:
    """Writes the file for ``--class-list``. Raises OSError."""
    path.write_text(class_list(classes) + "\n", encoding="utf-8")
    return path


def plain_name(name: str) -> str:
    """A name as names are compared: whatever capitals and spaces."""
    return " ".join(name.casefold().split())


def _free(used: set[int]) -> int | None:
    return next((value for value in range(1, _LARGEST + 1) if value not in used), None)
