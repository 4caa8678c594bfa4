from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pcl_core.evaluation.metrics import ClassMetrics, PooledDice, case_metrics, mean_and_deviation


def naive_dice(a, b):
    common = size = 0
    for left, right in zip(a.ravel(), b.ravel(), strict=True):
        common += bool(left and right)
        size += bool(left) + bool(right)
    return 2 * common / size


def naive_surface(mask, spacing):
    """Centres in mm of the voxels with a face neighbour outside, the border of the volume being outside."""
    points = []
    for index in np.argwhere(mask):
        for axis in range(3):
            for step in (-1, 1):
                beside = index.copy()
                beside[axis] += step
                inside = all(0 <= beside[k] < mask.shape[k] for k in range(3))
                if not inside or not mask[tuple(beside)]:
                    points.append(tuple(index * np.array(spacing)))
    return np.array(sorted(set(points)))


def naive_distances(a, b, spacing):
    points, others = naive_surface(a, spacing), naive_surface(b, spacing)
    pairs = np.linalg.norm(points[:, None] - others[None], axis=2)
    return pairs.min(axis=1), pairs.min(axis=0)


def ball(shape, spacing, radius, centre):
    grids = np.meshgrid(*[np.arange(n) * s for n, s in zip(shape, spacing, strict=True)], indexing="ij")
    return (sum((g - c) ** 2 for g, c in zip(grids, centre, strict=True)) <= radius**2).astype(np.uint8)


def test_equal_volumes_agree_perfectly():
    labels = ball((8, 12, 12), (2, 1, 1), 4, (7, 6, 6))
    assert case_metrics(labels, labels, (2, 1, 1), [1]) == {1: ClassMetrics(1.0, 0.0, 0.0)}


@pytest.mark.parametrize(("axis", "spacing"), [(0, (8.0, 1.25, 1.5)), (1, (8.0, 1.25, 1.5)), (2, (8.0, 1.25, 1.5))])
@pytest.mark.parametrize("shift", [1, 2, 3])
def test_a_cube_shifted_by_k_voxels_has_the_dice_and_distance_of_the_shift(axis, spacing, shift):
    truth = np.zeros((16, 16, 16), np.uint8)
    truth[5:11, 5:11, 5:11] = 1
    prediction = np.roll(truth, shift, axis=axis)
    found = case_metrics(prediction, truth, spacing, [1])[1]
    assert found.dice == pytest.approx(1 - shift / 6)
    # The face that moved out, 36 of the 152 voxels of the surface, is exactly that far away and nothing is farther.
    assert found.hd95_mm == pytest.approx(shift * spacing[axis])


def test_a_plate_shifted_along_its_normal_is_everywhere_that_far_away():
    truth = np.zeros((9, 10, 10), np.uint8)
    truth[2] = 1
    found = case_metrics(np.roll(truth, 3, axis=0), truth, (7.5, 1, 1), [1])[1]
    assert found == ClassMetrics(0.0, 22.5, 22.5)
    assert not found.lacks_counterpart


def test_concentric_balls_are_apart_by_the_difference_of_their_radii():
    spacing = (1.0, 0.5, 0.5)
    inner, outer = (ball((36, 72, 72), spacing, radius, (17.5, 17.75, 17.75)) for radius in (8, 14))
    found = case_metrics(inner, outer, spacing, [1])[1]
    assert found.dice == pytest.approx(2 * 8**3 / (8**3 + 14**3), rel=0.02)
    assert found.assd_mm == pytest.approx(6, abs=0.35)
    assert found.hd95_mm == pytest.approx(6, abs=0.75)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), spacing=st.tuples(*[st.floats(0.3, 9.0)] * 3))
def test_metrics_equal_brute_force_on_small_random_volumes(seed, spacing):
    rng = np.random.default_rng(seed)
    shape = rng.integers(2, 7, 3)
    prediction, truth = (rng.integers(0, 3, shape).astype(np.uint8) for _ in range(2))
    found = case_metrics(prediction, truth, spacing, [1, 2])
    for label, metrics in found.items():
        a, b = prediction == label, truth == label
        if not a.any() or not b.any():
            assert math.isnan(metrics.hd95_mm)
            continue
        there, back = naive_distances(a, b, spacing)
        assert metrics.dice == pytest.approx(naive_dice(a, b), abs=1e-6)
        assert metrics.hd95_mm == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)), rel=1e-4, abs=1e-6)
        assert metrics.assd_mm == pytest.approx(np.concatenate([there, back]).mean(), rel=1e-4, abs=1e-6)


def test_the_average_surface_distance_pools_both_surfaces_and_is_not_the_mean_of_two_means():
    prediction, truth = np.zeros((2, 1, 1, 20), np.uint8)
    prediction[0, 0, 0] = 1
    truth[0, 0, [0, 10, 19]] = 1
    found = case_metrics(prediction, truth, (1, 1, 1), [1])[1]
    assert found.assd_mm == pytest.approx((0 + 0 + 10 + 19) / 4)
    assert found.assd_mm != pytest.approx((0 + (0 + 10 + 19) / 3) / 2)


def test_the_percentile_is_interpolated_linearly_and_the_larger_direction_counts():
    prediction, truth = np.zeros((2, 1, 1, 30), np.uint8)
    prediction[0, 0, 0] = 1
    truth[0, 0, [0, 20]] = 1
    assert case_metrics(prediction, truth, (1, 1, 1), [1])[1].hd95_mm == pytest.approx(19)


def test_a_class_absent_in_both_is_nan_and_absent_in_one_has_dice_0_without_distances():
    prediction, truth = np.zeros((2, 3, 4, 4), np.uint8)
    prediction[1, 1, 1] = 1
    truth[1, 1, 1] = 2
    found = case_metrics(prediction, truth, (1, 1, 1), [1, 2, 3])
    for label in (1, 2):
        assert found[label].dice == 0
        assert math.isnan(found[label].hd95_mm)
        assert found[label].lacks_counterpart
    assert math.isnan(found[3].dice)
    assert math.isnan(found[3].assd_mm)
    assert not found[3].lacks_counterpart


def test_voxels_that_are_not_annotated_take_no_part():
    truth = ball((6, 14, 14), (1, 1, 1), 5, (2, 7, 7))
    prediction = truth.copy()
    prediction[4:] = 1
    pooled = PooledDice([1])
    assert case_metrics(prediction, truth, (1, 1, 1), [1])[1].dice < 0.9
    truth[4:] = 255
    pooled.add(prediction, truth)
    assert case_metrics(prediction, truth, (1, 1, 1), [1]) == {1: ClassMetrics(1.0, 0.0, 0.0)}
    assert pooled.value() == 1


def test_what_lies_far_from_the_structure_changes_nothing():
    small, other = ball((9, 9, 9), (1, 1, 1), 3, (4, 4, 4)), ball((9, 9, 9), (1, 1, 1), 2, (4, 5, 4))
    within = [np.pad(labels, ((3, 20), (0, 11), (7, 0))) for labels in (small, other)]
    assert case_metrics(*within, (3, 1, 2), [1]) == case_metrics(small, other, (3, 1, 2), [1])


def test_volumes_of_different_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(1, 2, 3\)"):
        case_metrics(np.zeros((1, 2, 3), np.uint8), np.zeros((1, 2, 4), np.uint8), (1, 1, 1), [1])


def test_pooled_dice_counts_voxels_of_all_cases_together():
    rng = np.random.default_rng(0)
    cases = [(rng.integers(0, 4, shape), rng.integers(0, 4, shape)) for shape in ((2, 3, 4), (5, 6, 7), (1, 9, 2))]
    pooled = PooledDice([1, 2, 3])
    for prediction, truth in cases:
        pooled.add(prediction, truth)
    predictions, truths = (np.concatenate([case[k].ravel() for case in cases]) for k in range(2))
    for label, value in pooled.per_class().items():
        assert value == pytest.approx(naive_dice(predictions == label, truths == label))
    assert pooled.value() == pytest.approx(np.mean(list(pooled.per_class().values())))


def test_pooled_dice_differs_from_the_mean_over_cases_and_leaves_out_classes_that_nobody_has():
    pooled = PooledDice([1, 2])
    large, missed = np.ones((1, 1, 9), np.uint8), np.ones((1, 1, 1), np.uint8)
    pooled.add(large, large)
    pooled.add(np.zeros_like(missed), missed)
    assert pooled.per_class()[1] == pytest.approx(18 / 19)
    assert math.isnan(pooled.per_class()[2])
    assert pooled.value() == pytest.approx(18 / 19)
    assert math.isnan(PooledDice([1]).value())


def test_mean_and_deviation_leave_out_what_is_not_a_number():
    assert mean_and_deviation([1.0, math.nan, 3.0]) == pytest.approx((2.0, math.sqrt(2)))
    mean, deviation = mean_and_deviation([5.0])
    assert mean == 5
    assert math.isnan(deviation)
    assert math.isnan(mean_and_deviation([])[0])


def test_pooled_dice_without_a_list_counts_the_classes_of_the_truths():
    pooled = PooledDice()
    pooled.add(np.array([0, 1, 7, 9], np.uint8), np.array([0, 1, 7, 255], np.uint8))
    pooled.add(np.array([0, 3], np.uint8), np.array([0, 1], np.uint8))
    assert pooled.per_class() == pytest.approx({1: 2 / 3, 7: 1.0})
