"""The figures that the bench gives."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.autograd import DeviceType
from torch.autograd.profiler_util import FunctionEvent

from pcl_core.bench import plain
from pcl_core.bench.floors import Rates, work_of
from pcl_core.bench.input_stages import augmentation, preparing, reading
from pcl_core.bench.machine import copy_rate, peak_bytes, peak_rate
from pcl_core.bench.material import Setting, plan_of
from pcl_core.bench.measuring import each, forget_peak, kernel_seconds, measure, peak_since
from pcl_core.bench.network_stages import few_and_many, passes, pretraining
from pcl_core.cli import main
from pcl_core.training.devices import compute_type

CPU = torch.device("cpu")
TINY = Setting(CPU, 32, 4, 8)


@pytest.fixture(scope="module")
def rates() -> Rates:
    return Rates.of(CPU)


def test_the_peak_rates_of_a_cpu_are_plausible() -> None:
    assert 1e9 < peak_rate(CPU) < 1e14
    assert 1e8 < copy_rate(CPU) < 1e13


def test_the_memory_of_this_process_is_at_least_that_of_an_array_it_holds() -> None:
    held = torch.ones(2**26)
    found = peak_bytes(CPU)
    assert found is not None
    assert found > held.numel() * 4


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="this system cannot forget a peak")
def test_a_peak_that_is_over_is_forgotten() -> None:
    large = np.ones(2**26)
    before = peak_since(CPU)
    del large
    forget_peak(CPU)
    after = peak_since(CPU)
    assert before is not None
    assert after is not None
    assert after < before - 2**28


def test_a_floor_is_the_longer_of_arithmetic_and_bytes() -> None:
    rates = Rates(operations=100.0, bytes=10.0)
    assert rates.floor(operations=50, moved=1) == 0.5
    assert rates.floor(operations=50, moved=20) == 2.0


def test_the_work_of_a_convolution_is_counted_as_by_hand() -> None:
    work = work_of(nn.Conv2d(1, 4, 3, padding=1), batch=5, side=8, device=CPU)
    assert work.operations == 5 * 2 * 9 * 4 * 64
    assert work.moved == 5 * (64 + 4 * 64) * compute_type(CPU).itemsize


def test_the_time_of_work_is_the_median_and_waiting_is_not_busy() -> None:
    found = measure(lambda: time.sleep(0.02), CPU, enough=0.1)
    assert 0.02 <= found.seconds < 0.1
    assert found.busy < 0.5


def test_the_time_of_a_repetition_leaves_out_what_a_run_does_once() -> None:
    found = each(lambda repetitions: time.sleep(0.2 + 0.03 * repetitions), CPU, few=1, many=11)
    assert found.seconds == pytest.approx(0.03, rel=0.5)
    assert found.busy < 0.5


def test_the_work_of_a_gpu_is_its_kernels_and_not_what_started_them() -> None:
    def event(kind: Any, start: int, end: int, annotation: bool = False) -> FunctionEvent:
        return FunctionEvent(0, "work", 0, start, end, device_type=kind, is_user_annotation=annotation)

    events = [
        event(DeviceType.CPU, 0, 5000),
        event(DeviceType.CUDA, 1000, 2000),
        event(DeviceType.CUDA, 2500, 3000),
        event(DeviceType.CUDA, 0, 9000, annotation=True),
    ]
    assert kernel_seconds(events) == pytest.approx(0.0015)


def test_what_is_timed_is_planned_as_a_training_on_the_device_is(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = torch.device("cuda")
    says = {"get_device_capability": (8, 0), "mem_get_info": (2**34, 2**34), "memory_reserved": 0, "memory_allocated": 0}
    for name, answer in says.items():
        monkeypatch.setattr(torch.cuda, name, lambda _device, answer=answer: answer)
    monkeypatch.setattr("pcl_core.training.compiling.importlib.util.find_spec", lambda _name: True)
    monkeypatch.setattr("pcl_core.training.compiling.sys.platform", "linux")
    small, large = (plan_of(Setting(gpu, side, 32, 32)).pretrain for side in (64, 1024))
    assert (small.compiled, small.graphs, small.part) == (True, True, 0)
    assert (large.compiled, large.graphs, large.part) == (True, False, 8)
    assert not plan_of(TINY).pretrain.compiled


@pytest.mark.parametrize(("per_epoch", "most"), [(14, 200), (53, 46)])
def test_both_trainings_of_a_comparison_on_a_gpu_have_the_same_checkpoints(per_epoch: int, most: int) -> None:
    few, many = few_and_many(torch.device("cuda"), per_epoch, most)
    assert per_epoch < few < many
    assert many - few <= most
    assert few_and_many(CPU, per_epoch, most) == (3, 27)


@pytest.mark.parametrize("stage", [augmentation, preparing, reading])
def test_a_stage_before_the_network_has_all_figures(stage, rates: Rates) -> None:
    ((timing, busy),) = [(found.timing, found.busy) for found in stage(TINY, rates)]
    assert timing.seconds > 0
    assert timing.floor_seconds > 0
    assert timing.baseline_seconds > 0
    assert timing.slices_per_second > 0
    assert 0 <= busy <= 1


def test_the_passes_of_a_step_are_told_apart(rates: Rates) -> None:
    stages = passes(TINY, rates)
    assert [stage.timing.name.split(",")[0] for stage in stages] == ["forward", "backward", "optimiser"]
    forward, backward, _ = (stage.timing for stage in stages)
    assert backward.floor_seconds == 2 * forward.floor_seconds
    assert forward.seconds > forward.floor_seconds


def test_a_plain_view_is_another_picture_of_the_same_kind() -> None:
    image = np.pad(np.ones((16, 16), np.float32), 8)
    view = plain.plain_view(image, np.random.default_rng(0))
    assert view.shape == image.shape
    assert not np.allclose(view, image)
    assert 0.5 < view.max() < 1.5
    labels = plain.plain_view(image.astype(np.uint8), np.random.default_rng(0), order=0)
    assert set(np.unique(labels)) <= {0, 1}


@pytest.mark.slow
def test_a_step_of_the_pretraining_counts_its_arithmetic_once(rates: Rates) -> None:
    (stage,) = pretraining(Setting(CPU, 64, 16, 32), rates)
    assert stage.timing.seconds > stage.timing.floor_seconds > stage.timing.seconds / 100


@pytest.mark.slow
@pytest.mark.ci_slow
def test_the_command_writes_the_machine_and_all_stages(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    sizes = ["--size", "32", "--filters", "4", "--batch", "8"]
    assert main(["bench", "--json", str(file), "--device", "cpu", *sizes]) == 0
    report = json.loads(file.read_text())
    machine = report["machine"]
    assert machine["cores"] >= 1
    assert machine["operations_per_second"] > 0
    assert len(report["stages"]) == 9
    assert machine["busy"].keys() == {stage["name"] for stage in report["stages"]}
    for stage in report["stages"]:
        assert set(stage) == {"name", "seconds", "floor_seconds", "baseline_seconds", "slices_per_second", "peak_bytes"}
        assert stage["seconds"] > 0
        assert stage["baseline_seconds"] > 0
