"""Which case to annotate next, and which slices of it."""

from __future__ import annotations

import numpy as np
import pytest

from pcl_core.slices.suggesting import suggest


def volumes(centres: list[float], slices: int = 9, seed: int = 0) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Volumes whose slices lie around a point each and move along one direction with the position."""
    rng = np.random.default_rng(seed)
    places = (np.arange(slices) + 0.5) / slices
    features = []
    for centre in centres:
        part = rng.normal(0, 0.05, (slices, 6))
        part[:, 0] += centre
        part[:, 1] += places
        features.append(part - [np.mean(centres), 0.5, 0, 0, 0, 0])
    return features, [places] * len(centres)


def test_the_first_case_is_the_most_usual_one():
    features, positions = volumes([0.0, 1.0, 2.0, 3.0, 10.0])
    assert suggest(features, positions, {}, 1, 3)[0].volume in (1, 2)


def test_the_next_case_is_unlike_what_is_drawn_and_like_many_others():
    features, positions = volumes([0.0, 4.9, 5.0, 5.1, 9.0])
    assert suggest(features, positions, {0: [4]}, 1, 3)[0].volume in (1, 2, 3)
    assert suggest(features, positions, {0: [4], 2: [1, 4, 7]}, 1, 3)[0].volume == 4


def test_slices_at_other_positions_than_the_drawn_ones_are_asked_for():
    features, positions = volumes([0.0] * 6)
    chosen = suggest(features, positions, {}, 6, 1)
    assert len({one.slices for one in chosen}) >= 5, "one slice of each of six equal volumes covers six positions"


def test_an_odd_volume_does_not_draw_the_choice_away_from_the_usual_ones():
    """The farthest-first rule takes the odd volume, and nobody learns from it what the others look like."""
    features, positions = volumes([0.0, *[1.0] * 10, 4.0])
    (found,) = suggest(features, positions, {0: [1, 4, 7]}, 1, 3)
    assert 1 <= found.volume <= 10


def naive(points, drawn, count):
    """The slices of one volume that are best together with what is drawn, one after another, by a plain loop."""
    chosen = []
    for _ in range(count):
        costs = {}
        for candidate in range(len(points[1])):
            centres = [*drawn, *(points[1][k] for k in chosen), points[1][candidate]]
            costs[candidate] = sum(min(np.linalg.norm(point - one) for one in centres) for part in points for point in part)
        chosen.append(min((k for k in costs if k not in chosen), key=costs.__getitem__))
    return tuple(sorted(chosen))


@pytest.mark.parametrize("seed", range(4))
def test_the_choice_is_the_one_of_a_plain_loop(seed):
    features, positions = volumes([0.0, 1.0], slices=12, seed=seed)
    (found,) = suggest(features, positions, {0: [0]}, 1, 3)
    usual = np.sqrt(2 * np.concatenate(features).var(axis=0).sum())
    points = [
        np.concatenate([part / usual, 2.0 * place[:, None]], axis=1) for part, place in zip(features, positions, strict=True)
    ]
    assert found.slices == naive(points, [points[0][0]], 3)


def test_each_suggestion_counts_those_before_it_as_drawn():
    features, positions = volumes([0.0, 0.1, 9.9, 10.0, 5.0])
    chosen = [one.volume for one in suggest(features, positions, {0: range(9)}, 3, 9)]
    assert chosen[0] in (2, 3)
    assert chosen[1] == 4


def test_drawn_cases_are_not_suggested_and_no_more_than_there_are():
    features, positions = volumes([0.0, 1.0, 2.0])
    assert {one.volume for one in suggest(features, positions, {1: [0]}, 9, 2)} == {0, 2}
    assert suggest(features, positions, {0: [0], 1: [0], 2: [0]}, 9, 2) == []


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9, 20])
def test_the_slices_of_a_case_are_spread_over_it(count):
    features, positions = volumes([0.0, 1.0])
    (chosen,) = suggest(features, positions, {0: [0]}, 1, count)
    assert len(chosen.slices) == min(count, 9)
    assert list(chosen.slices) == sorted(set(chosen.slices))
    if count >= 3:
        gaps = np.diff([-1, *chosen.slices, 9])
        assert gaps.max() <= 9 / (min(count, 9) - 1) + 1


def test_slices_that_a_model_is_unsure_of_draw_the_choice_to_them():
    features, positions = volumes([0.0, 1.0, 1.0, 1.0])
    unsure = [np.zeros(9) for _ in range(4)]
    unsure[2][:] = 0.9
    (chosen,) = suggest(features, positions, {0: [4]}, 1, 2, unsure)
    assert (chosen.volume, chosen.uncertainty) == (2, pytest.approx(0.9))
    unsure[2][:] = 0
    unsure[2][7] = 1.0
    (chosen,) = suggest(features, positions, {0: [4], 1: [4], 3: [4]}, 1, 2, unsure)
    assert 7 in chosen.slices or 8 in chosen.slices
