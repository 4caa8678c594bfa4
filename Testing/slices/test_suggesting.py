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


def test_the_next_case_is_the_one_farthest_from_what_is_drawn():
    features, positions = volumes([0.0, 1.0, 2.0, 10.0])
    assert suggest(features, positions, {0: [4]}, 3, 3)[0].volume == 3
    assert suggest(features, positions, {3: [4]}, 3, 3)[0].volume == 0


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


def test_the_greedy_choice_covers_within_twice_the_best_radius():
    """The guarantee of the greedy algorithm, against all pairs of slices of one case."""
    features, positions = volumes([0.0, 1.0], slices=12, seed=3)
    (chosen,) = suggest(features, positions, {0: [0]}, 1, 2)
    usual = np.sqrt(2 * np.concatenate(features).var(axis=0).sum())
    points = np.concatenate([features[1] / usual, 2.0 * positions[1][:, None]], axis=1)
    distance = np.linalg.norm(points[:, None] - points[None, :], axis=2)
    best = min(distance[:, [a, b]].min(axis=1).max() for a in range(12) for b in range(a))
    assert distance[:, list(chosen.slices)].min(axis=1).max() <= 2 * best + 1e-9
