"""A small experiment on four hearts, as a configuration and as done."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from Testing.commands.experiments import PLAN
from Testing.conftest import call


@pytest.fixture(scope="session")
def config(hearts: Path, tmp_path_factory: pytest.TempPathFactory):
    """Writes a configuration, by default of two methods at M = 1 and 2 in one of two folds."""
    folder = tmp_path_factory.mktemp("config")
    (folder / "data").symlink_to(hearts)

    def write(file="CONFIG.json", **values) -> Path:
        least = {"name": "Hearts", "images": "data/imagesTr", "labels": "data/labelsTr", "methods": ["random", "pcl"]}
        data = {**least, "labelled": [1, 2], "folds": 2, "use_folds": [1], "plan": PLAN, **values}
        (folder / file).write_text(json.dumps(data))
        return folder / file

    return write


@pytest.fixture(scope="session")
def unbroken(config, tmp_path_factory) -> Path:
    """An experiment that nobody stopped. Read only."""
    out = tmp_path_factory.mktemp("unbroken") / "out"
    outcome = call(["experiment", config(), "--out", out, "--events"])
    assert outcome.code == 0, outcome
    return out
