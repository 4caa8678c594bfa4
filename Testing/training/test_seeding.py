from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pcl_core.training.seeding import epoch_batches, generator_for, partition_batches


def draw(*arguments: object) -> list[float]:
    return torch.rand(4, generator=generator_for(*arguments)).tolist()


@given(count=st.integers(1, 200), batch=st.integers(1, 64), seed=st.integers(0, 2**31), epoch=st.integers(0, 1000))
def test_an_epoch_covers_every_row_once_in_batches_of_nearly_the_same_size(
    count: int, batch: int, seed: int, epoch: int
) -> None:
    rows = np.arange(count) * 3 + 5
    batches = epoch_batches(rows, batch, seed, epoch)
    assert sorted(np.concatenate(batches).tolist()) == rows.tolist()
    sizes = [len(part) for part in batches]
    assert max(sizes) - min(sizes) <= 1
    assert max(sizes) <= batch
    assert len(batches) == -(-count // batch)


def test_every_epoch_and_every_seed_has_its_own_order() -> None:
    rows = np.arange(50)
    orders = {tuple(np.concatenate(epoch_batches(rows, 8, seed, epoch))) for seed in (0, 1) for epoch in range(5)}
    assert len(orders) == 10


def test_an_order_can_be_drawn_again_without_those_before_it() -> None:
    rows = np.arange(50)
    first = [epoch_batches(rows, 8, 3, epoch) for epoch in range(4)][3]
    again = epoch_batches(rows, 8, 3, 3)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_rows_are_shuffled() -> None:
    (order,) = epoch_batches(np.arange(500), 500, 0, 0)
    assert abs(np.corrcoef(order, np.arange(500))[0, 1]) < 0.15


def test_streams_of_each_seed_purpose_and_step_differ_and_repeat() -> None:
    calls = [(seed, purpose, step) for seed in (0, 1, 2**31 - 1) for purpose in ("views", "order") for step in range(20)]
    drawn = [tuple(draw(*call)) for call in calls]
    assert len(set(drawn)) == len(calls)
    assert [tuple(draw(*call)) for call in calls] == drawn


def test_neighbouring_steps_are_not_correlated() -> None:
    values = torch.stack([torch.randn(1000, generator=generator_for(0, "views", step)) for step in range(20)])
    assert (torch.corrcoef(values) - torch.eye(20)).abs().max() < 0.15


@given(volumes=st.integers(1, 6), batch=st.integers(4, 20), epoch=st.integers(0, 3))
@settings(deadline=None, max_examples=30)
def test_batches_by_partition_hold_one_slice_a_quarter_of_each_volume_at_a_time(volumes: int, batch: int, epoch: int) -> None:
    slices = 10
    rows = np.arange(volumes * slices) + 7
    part, volume = np.tile([1, 1, 2, 2, 2, 3, 3, 4, 4, 4], volumes), np.repeat(np.arange(volumes), slices)
    batches = partition_batches(rows, part, volume, batch, 0, epoch)
    assert len(batches) == len(epoch_batches(rows, batch, 0, epoch))
    for taken in batches:
        assert 0 < len(taken) <= batch
        keys = list(zip(volume[taken - 7].tolist(), part[taken - 7].tolist(), strict=True))
        turns = [keys[k : k + 4] for k in range(0, len(keys), 4)]
        assert all([place for _, place in turn] == [1, 2, 3, 4] and len({one for one, _ in turn}) == 1 for turn in turns)


def test_batches_by_partition_go_through_all_volumes_and_differ_between_epochs() -> None:
    rows, part, volume = np.arange(40), np.tile([1, 2, 3, 4, 4], 8), np.repeat(np.arange(8), 5)
    seen = np.concatenate(partition_batches(rows, part, volume, 16, 0, 0))
    assert set(volume[seen]) == set(range(8))
    again = np.concatenate(partition_batches(rows, part, volume, 16, 0, 0))
    assert seen.tolist() == again.tolist()
    assert seen.tolist() != np.concatenate(partition_batches(rows, part, volume, 16, 0, 1)).tolist()
