"""PCLLib runs inside Slicer only, so every test here runs on the bench."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def on_the_bench(host):
    """Slicer's names exist from here on."""


@pytest.fixture
def engine():
    """The engine, run by the interpreter of the tests behind Slicer's launcher."""
    from PCLLib.engine import Engine

    return Engine()


@pytest.fixture
def stacks(volume: Callable[..., Path], tmp_path: Path) -> Path:
    """A folder of three small volumes."""
    for seed in range(3):
        volume(tmp_path / "volumes" / f"case{seed}.nrrd", seed=seed, shape=(8, 32, 32))
    return tmp_path / "volumes"


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A folder with one file that is no volume."""
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "broken.nrrd").write_bytes(np.arange(99, dtype=np.uint8).tobytes())
    return folder
