"""Classes that are known before any label map is read: from a list that a program wrote, or from an earlier model."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from pcl_core.errors import InputError
from pcl_core.strict_json import build, read_json
from pcl_core.training.starting import Start
from pcl_core.training.weights import SegmentClass
from pcl_core.volumes.data_sets import can_be_class

_HINT = 'Write for example [{"value": 1, "name": "left ventricle", "color": [0.8, 0.2, 0.2], "terminology": ""}].'


@dataclass(frozen=True)
class _Listed:
    """The classes of a file."""

    classes: tuple[SegmentClass, ...]


def known_classes(args: argparse.Namespace) -> tuple[SegmentClass, ...]:
    """The classes of --class-list, those of the model of --model, or both, of which the list has the last word.

    Raises:
        InputError: a file cannot be read or does not fit.
    """
    known = {} if args.model is None else {entry.value: entry for entry in Start.model(args.model).about().classes}
    if args.class_list is not None:
        known |= {entry.value: entry for entry in read_class_list(args.class_list)}
    return tuple(known[value] for value in sorted(known))


def read_class_list(path: Path) -> tuple[SegmentClass, ...]:
    """The classes in a JSON file.

    Raises:
        InputError: it cannot be read, holds something else, or a value or a name twice.
    """
    listed: _Listed = build(_Listed, {"classes": read_json(path)}, str(path), _HINT)
    for entry in listed.classes:
        if not can_be_class(entry.value):
            raise InputError(f"{path}: {entry.value} cannot be a class.", "Classes go from 1 to 254.")
        if not all(0 <= part <= 1 for part in entry.color):
            raise InputError(f"{path}: the color of '{entry.name}' is not from 0 to 1.", _HINT)
    for kind, found in (("value", [c.value for c in listed.classes]), ("name", [c.name for c in listed.classes])):
        if len(set(found)) < len(found):
            raise InputError(f"{path} holds a {kind} twice.", "Give every class its own.")
    return listed.classes
