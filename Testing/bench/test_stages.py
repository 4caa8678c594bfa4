"""The figures that the bench gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from pcl_core.bench.machine import copy_rate, peak_bytes, peak_rate
from pcl_core.bench.stages import augmentation, banking, pretraining
from pcl_core.cli import main

CPU = torch.device("cpu")


def test_the_peak_rates_of_a_cpu_are_plausible() -> None:
    assert 1e9 < peak_rate(CPU) < 1e14
    assert 1e8 < copy_rate(CPU) < 1e13


def test_the_memory_of_this_process_is_at_least_that_of_an_array_it_holds() -> None:
    held = torch.ones(2**26)
    found = peak_bytes(CPU)
    assert found is not None
    assert found > held.numel() * 4


@pytest.mark.parametrize("stage", [augmentation, banking])
def test_a_stage_is_never_faster_than_its_floor(stage) -> None:
    timing = stage("cpu")
    assert timing.seconds > timing.floor_seconds > 0
    assert timing.baseline_seconds > 0
    assert timing.slices_per_second > 0


@pytest.mark.slow
def test_a_step_of_the_pretraining_counts_its_arithmetic_once() -> None:
    timing = pretraining("cpu")
    assert timing.seconds > timing.floor_seconds > timing.seconds / 100


@pytest.mark.slow
def test_the_command_writes_the_machine_and_all_stages(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    assert main(["bench", "--json", str(file), "--device", "cpu"]) == 0
    report = json.loads(file.read_text())
    assert report["machine"]["cores"] >= 1
    assert len(report["stages"]) == 5
    for stage in report["stages"]:
        assert set(stage) == {"name", "seconds", "floor_seconds", "baseline_seconds", "slices_per_second", "peak_bytes"}
        assert stage["seconds"] > 0
