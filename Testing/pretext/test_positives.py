from __future__ import annotations

from fractions import Fraction

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pcl_core.exact_positions import exact
from pcl_core.pretext.positives import closer_than, same_partition, two_views


def slices_of(lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """All slices of volumes with these many slices."""
    return torch.cat([torch.arange(n) for n in lengths]), torch.cat([torch.full((n,), n) for n in lengths])


@given(lengths=st.lists(st.integers(1, 12), min_size=1, max_size=3), threshold=st.integers(0, 150).map(lambda k: k / 100))
@settings(deadline=None)
def test_pairs_are_those_of_exact_fractions(lengths: list[int], threshold: float) -> None:
    index, count = slices_of(lengths)
    positions = [Fraction(int(i) + 1, int(n)) for i, n in zip(index, count, strict=True)]
    expected = [[abs(a - b) < Fraction(round(threshold * 100), 100) for b in positions] for a in positions]
    assert closer_than(index, count, threshold).tolist() == expected


def test_a_difference_of_exactly_the_threshold_is_no_positive() -> None:
    assert 0.3 - 0.2 < 0.1  # binary floating point would make a pair of these,
    assert not 0.2 - 0.1 < 0.1  # and none of those
    index, count = slices_of([10])
    assert torch.equal(closer_than(index, count, 0.1), torch.eye(10, dtype=torch.bool))
    assert closer_than(index, count, 0.100_1).sum() == 10 + 2 * 9


@pytest.mark.parametrize("threshold", [0.05, 0.1, 0.12, 0.15, 0.2, 0.3, 0.35, 0.7])
def test_how_many_neighbours_are_positives_does_not_depend_on_the_place(threshold: float) -> None:
    index, count = slices_of([100])
    pairs = closer_than(index, count, threshold)
    reach = round(threshold * 100) - 1
    for i in range(100):
        assert pairs[i].nonzero().ravel().tolist() == list(range(max(0, i - reach), min(100, i + reach + 1)))


def test_slices_of_volumes_with_different_lengths_are_compared_by_position() -> None:
    index, count = torch.tensor([0, 4, 9, 49]), torch.tensor([1, 5, 10, 100])
    pairs = closer_than(index, count, 0.01)
    assert pairs[:3, :3].all()
    assert not pairs[3, :3].any()


@given(lengths=st.lists(st.integers(1, 3000), min_size=2, max_size=4), threshold=st.floats(0, 1.5))
@settings(deadline=None, max_examples=30)
def test_pairs_are_mutual_and_long_volumes_do_not_overflow(lengths: list[int], threshold: float) -> None:
    index, count = torch.tensor([n - 1 for n in lengths] + [0]), torch.tensor([*lengths, 3000])
    pairs = closer_than(index, count, threshold)
    assert torch.equal(pairs, pairs.T)
    positions = [Fraction(int(i) + 1, int(n)) for i, n in zip(index, count, strict=True)]
    limit = exact(threshold)
    assert pairs.tolist() == [[abs(a - b) < limit for b in positions] for a in positions]


def test_a_threshold_of_0_leaves_no_pair_and_one_above_1_every_pair() -> None:
    index, count = slices_of([7, 1])
    assert not closer_than(index, count, 0.0).any()
    assert closer_than(index, count, 1.01).all()


@pytest.mark.parametrize(
    ("slices", "parts"),
    [(1, [4]), (2, [2, 4]), (3, [2, 3, 4]), (4, [1, 2, 3, 4]), (5, [1, 2, 3, 4, 4]), (8, [1, 1, 2, 2, 3, 3, 4, 4])],
)
def test_quarters_are_defined_for_short_volumes_too(slices: int, parts: list[int]) -> None:
    index, count = slices_of([slices])
    expected = [[a == b for b in parts] for a in parts]
    assert same_partition(index, count).tolist() == expected


@given(slices=st.integers(1, 200), partitions=st.integers(1, 8))
@settings(deadline=None)
def test_partitions_are_runs_of_neighbours_of_nearly_the_same_length(slices: int, partitions: int) -> None:
    index, count = slices_of([slices])
    pairs = same_partition(index, count, partitions)
    parts = [-(-(i + 1) * partitions // slices) for i in range(slices)]
    assert pairs.tolist() == [[a == b for b in parts] for a in parts]
    sizes = [parts.count(part) for part in set(parts)]
    assert max(sizes) - min(sizes) <= 1
    assert len(sizes) == min(slices, partitions)


def test_the_last_slices_of_all_volumes_share_the_last_quarter() -> None:
    pairs = same_partition(torch.tensor([0, 9, 199]), torch.tensor([1, 10, 200]))
    assert pairs.all()


def test_the_two_views_of_a_slice_are_positives_whatever_the_pairs() -> None:
    weights = two_views(torch.zeros(3, 3, dtype=torch.bool))
    assert weights.tolist() == [[float(abs(i - j) == 3) for j in range(6)] for i in range(6)]


def test_pairs_hold_between_all_views_of_their_slices_and_no_view_is_its_own_positive() -> None:
    pairs = torch.tensor([[True, True, False], [True, True, False], [False, False, True]])
    weights = two_views(pairs)
    for i in range(6):
        for j in range(6):
            assert weights[i, j] == float(i != j and pairs[i % 3, j % 3])
