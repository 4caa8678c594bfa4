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
    try:
        labels: Any = json.loads(path.read_text(encoding="utf-8-sig")).get("labels", {})
        pairs = [(value, key) if not str(key).isdigit() else (key, value) for key, value in labels.items()]
        return {int(value): str(name) for value, name in pairs if not isinstance(value, list)}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise InputError(
            f"The class names in {path} cannot be read.", 'Correct its "labels", such as {"0": "background", "1": "liver"}.'
        ) from error
