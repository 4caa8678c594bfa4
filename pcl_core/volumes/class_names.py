"""What the classes of a folder of label maps are called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pcl_core.errors import InputError
from pcl_core.volumes.data_sets import DATA_SETS

DESCRIPTION = "dataset.json"


def description_of(folder: Path) -> Path | None:
    """The ``dataset.json`` (Decathlon or nnU-Net) in a folder or beside it; None when there is none."""
    return next((place / DESCRIPTION for place in (folder, folder.parent) if (place / DESCRIPTION).is_file()), None)


def class_names(folder: Path, data_set: str = "") -> dict[int, str]:
    """Names of the label values, from the ``dataset.json`` (Decathlon or nnU-Net) in ``folder`` or beside it.

    Args:
        folder: of the label maps.
        data_set: a key of DATA_SETS, whose names are taken when there is no such file.

    Returns:
        value -> name, without regions that join several values; empty when nothing names them.

    Raises:
        InputError: the file is no JSON, or its ``labels`` are not of either form.
    """
    path = description_of(folder)
    if path is None:
        return dict(DATA_SETS[data_set].classes) if data_set in DATA_SETS else {}
    return {values[0]: name for name, values in _described(path) if len(values) == 1}


def described_values(folder: Path) -> frozenset[int]:
    """All values that the ``dataset.json`` in a folder or beside it speaks of, in regions too; empty when there is none.

    Raises:
        InputError: as for class_names.
    """
    path = description_of(folder)
    return frozenset() if path is None else frozenset(value for _, values in _described(path) for value in values)


def _described(path: Path) -> list[tuple[str, tuple[int, ...]]]:
    """Names with the value, or the values of a region."""
    try:
        labels: Any = json.loads(path.read_text(encoding="utf-8-sig")).get("labels", {})
        pairs = [(name, value) if str(value).isdigit() else (value, name) for value, name in labels.items()]
        return [(str(name), tuple(map(int, value if isinstance(value, list) else [value]))) for name, value in pairs]
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise InputError(
            f"The class names in {path} cannot be read.", 'Correct its "labels", such as {"0": "background", "1": "liver"}.'
        ) from error
