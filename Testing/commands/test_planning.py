"""What a plan takes from the machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pcl_core.commands.planning import compiled_where_it_works, warn_of_shrinking
from pcl_core.events import Collected, Reporter
from pcl_core.plan import Plan, SlicePlan
from pcl_core.volumes.discovery import find_volumes
from Testing.data_sets import save
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


def test_volumes_that_a_training_shrinks_and_a_prediction_does_not_are_warned_of(tmp_path: Path) -> None:
    for name, side in (("fits", 20), ("nearly", 22), ("wide", 30)):
        save(tmp_path / f"{name}.nii.gz", np.arange(2 * side * side, dtype=np.int16).reshape(2, side, side), (1.0, 1.0, 4.0))
    sources = find_volumes(tmp_path, "folder").sources
    sink = Collected()
    warn_of_shrinking(sources, SlicePlan("auto", 0.5, 40), Reporter(sink))
    (warning,) = sink.named("warning")
    assert "1 of 3 volumes are wider than the 20 mm" in warning["message"]
    assert "1.50 times" in warning["message"]
    warn_of_shrinking([source for source in sources if source.id != "wide"], SlicePlan("auto", 0.5, 40), Reporter(sink))
    assert len(sink.named("warning")) == 1
