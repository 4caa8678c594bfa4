"""What a plan takes from the machine."""

from __future__ import annotations

import pytest

from pcl_core.plan import Plan
from pcl_core.training.suiting import compiled_where_it_works
from Testing.making import tiny_plan


@pytest.mark.parametrize(
    ("size", "why_not", "compiled", "graphs"),
    [(64, "", True, True), (512, "", True, False), (64, "There is no triton.", False, False)],
)
def test_small_steps_run_as_graphs_where_networks_are_compiled(size: int, why_not: str, compiled: bool, graphs: bool) -> None:
    before = tiny_plan(slices__size=size, network__filters=32, pretrain__batch=32)
    plan = compiled_where_it_works(before, why_not, value_bytes=2, processes=1)
    assert (plan.pretrain.compiled, plan.pretrain.graphs) == (compiled, graphs)
    assert plan.reasons["pretrain.compiled"]
    assert bool(plan.reasons.get("pretrain.graphs")) == compiled
    assert Plan.from_json(plan.to_json()) == plan
