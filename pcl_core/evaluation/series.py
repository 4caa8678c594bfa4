"""Several experiments by one command, such as the two data sets of one of the paper's tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pcl_core.errors import InputError
from pcl_core.evaluation.protocol import ExperimentConfig, load_config
from pcl_core.strict_json import build, read_json

_HINT = 'Write for example {"name": "Table 1", "experiments": ["chd.json", "acdc.json"]}.'


@dataclass(frozen=True)
class Series:
    """Experiments that are run one after another.

    Attributes:
        name: heading of the joint table.
        experiments: by the name of the folder of their results; one alone has the name ``""``.
    """

    name: str
    experiments: Mapping[str, ExperimentConfig]


@dataclass(frozen=True)
class _Listed:
    """What a configuration that names others holds; their paths are taken from its own folder."""

    name: str
    experiments: tuple[Path, ...]


def load_series(path: Path) -> Series:
    """Reads the configuration of one experiment, or one that lists others.

    Raises:
        InputError: as load_config; or two of those that are listed have the same name.
    """
    data = read_json(path)
    if not isinstance(data, dict) or "experiments" not in data:
        config = load_config(path)
        return Series(config.name, {"": config})
    listed: _Listed = build(_Listed, data, str(path), _HINT)
    names = [one.stem for one in listed.experiments]
    if len(set(names)) < max(len(names), 1):
        raise InputError(f"{path}: experiments is empty or holds a name twice.", _HINT)
    return Series(listed.name, {one.stem: load_config(path.parent / one) for one in listed.experiments})
