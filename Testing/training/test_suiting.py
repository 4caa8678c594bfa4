"""What a plan takes from the machine."""

from __future__ import annotations

import pytest
import torch

from pcl_core.plan import Plan
from pcl_core.presets import DeviceFacts
from pcl_core.training import suiting
from pcl_core.training.suiting import compiled_where_it_works, suited_to_machine
from Testing.making import tiny_plan


@pytest.mark.parametrize(
    ("size", "why_not", "compiled", "graphs"),
    [(64, "", True, True), (512, "", True, False), (64, "There is no triton.", False, False)],
)
def test_small_steps_run_as_graphs_where_networks_are_compiled(size: int, why_not: str, compiled: bool, graphs: bool) -> None:
    before = tiny_plan(slices__size=size, network__filters=32, pretrain__batch=32)
    plan = compiled_where_it_works(before, why_not, value_bytes=2)
    assert (plan.pretrain.compiled, plan.pretrain.graphs) == (compiled, graphs)
    assert plan.reasons["pretrain.compiled"]
    assert bool(plan.reasons.get("pretrain.graphs")) == compiled
    assert Plan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize(("processes", "compiled"), [(1, True), (2, False)])
def test_an_encoder_is_compiled_in_one_process_alone(processes: int, compiled: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suiting, "device_facts", lambda _device: DeviceFacts("cuda", 2**34, 2**34, 2))
    monkeypatch.setattr(suiting, "why_not_compiled", lambda _device, _steps: "")
    plan = suited_to_machine(tiny_plan(), torch.device("cuda"), 100, processes)
    assert plan.pretrain.compiled == compiled
    assert ("several processes" in plan.reasons["pretrain.compiled"]) != compiled
