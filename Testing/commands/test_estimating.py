"""What is trained to see how long a training will take: full batches, and nothing that takes a minute to begin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pcl_core.commands.estimating import enough, one_batch, short
from pcl_core.slices.bank import SliceBank
from pcl_core.training.seeding import epoch_batches
from Testing.making import bank_of, stored_items, tiny_plan


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> SliceBank:
    """Three volumes of ten slices."""
    folder = tmp_path_factory.mktemp("estimated")
    return bank_of(folder, stored_items(folder, 3))


def test_nothing_is_compiled_for_some_steps() -> None:
    # Compiling takes minutes, once: among twelve steps it would be taken for the time of a step.
    plan = tiny_plan(pretrain__compiled=True, pretrain__graphs=True, pretrain__part=4, pretrain__steps=5000)
    few = short(plan)
    assert (few.pretrain.compiled, few.pretrain.graphs, few.pretrain.epochs) == (False, False, None)
    assert few.pretrain.steps is not None
    assert few.pretrain.steps < 20
    assert few == replace(plan, pretrain=replace(plan.pretrain, steps=few.pretrain.steps, compiled=False, graphs=False))


@pytest.mark.parametrize("batch", [2, 8, 10, 12, 30])
def test_the_steps_have_the_batch_of_the_training(batch: int, bank: SliceBank) -> None:
    trimmed = one_batch(bank, batch)
    assert [len(rows) for rows in epoch_batches(trimmed.rows, batch, 0, 0)] == [batch]
    index, count = trimmed.positions()
    assert (index[trimmed.rows] < count[trimmed.rows]).all()


def test_volumes_that_do_not_fill_a_batch_are_taken_whole(bank: SliceBank) -> None:
    assert one_batch(bank, 31).volumes == bank.volumes


def test_volumes_are_taken_until_they_fill_a_batch(tmp_path: Path) -> None:
    sources = [item.source for item in stored_items(tmp_path, 5)]
    slices = {source.id: 10 for source in sources}
    assert len(enough(sources, slices, tiny_plan(pretrain__batch=12))) == 2
    # A volume has four slices in a batch of this method.
    assert len(enough(sources, slices, tiny_plan(pretrain__batch=12, pretrain__method="gcl-gd"))) == 3
    assert len(enough(sources, slices, tiny_plan(pretrain__batch=32, pretrain__method="gcl-gd"))) == 5
