"""Positions in a common frame: volumes that are cut off or turned round are found and put right."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pcl_core.pretext.positives import closer_than, partition
from pcl_core.slices.atlas import FULL, Placement, align
from pcl_core.slices.bank import BankedVolume, SliceBank
from pcl_core.slices.features import PlainFeatures, principal
from pcl_core.slices.outliers import find_outliers
from pcl_core.slices.placing import align_turned, by_millimetres, feature_parts, place, turned
from Testing.slices.courses import Course, bank_of, course


def spoiled(seed: int, count: int = 20) -> list[Course]:
    """Volumes of which up to 40 % of the slices are cut off, and a fifth is turned round."""
    rng = np.random.default_rng(seed)
    cuts = rng.uniform(0, 0.4, count)
    share = rng.uniform(0, 1, count)
    return [
        course(100 * seed + k, (cut * part, cut * (1 - part)), flipped=k % 5 == 0)
        for k, (cut, part) in enumerate(zip(cuts, share, strict=True))
    ]


def error(found: list[np.ndarray], courses: list[Course]) -> float:
    """Mean distance from the true positions, after the one shift and scale that no method can know."""
    ours, truth = np.concatenate(found), np.concatenate([one.positions for one in courses])
    line = np.polyfit(ours, truth, 1)
    return float(np.abs(np.polyval(line, ours) - truth).mean())


@pytest.mark.parametrize("seed", range(4))
def test_cut_and_turned_volumes_are_placed_far_better_than_by_their_slice_numbers(seed):
    courses = spoiled(seed)
    bank = place(bank_of(courses), "learned")
    found = [bank.placements[volume.id].positions(volume.count) for volume in bank.volumes]
    relative = [(np.arange(len(one.images)) + 0.5) / len(one.images) for one in courses]
    assert [bank.placements[volume.id].flipped for volume in bank.volumes] == [one.flipped for one in courses]
    assert error(found, courses) < error(relative, courses) / 3
    assert error(found, courses) < 0.04


def test_whole_volumes_stay_where_they_are_to_about_three_slices_of_24():
    courses = [course(seed) for seed in range(8)]
    for placement in place(bank_of(courses), "learned").placements.values():
        assert not placement.flipped
        assert abs(placement.start) < 3 / 24
        assert abs(placement.start + placement.length - 1) < 3 / 24


def test_most_volumes_decide_which_way_is_forward():
    courses = [course(seed, flipped=seed > 1) for seed in range(8)]
    flipped = [one.flipped for one in place(bank_of(courses), "learned").placements.values()]
    assert flipped == [True, True, False, False, False, False, False, False]


def test_with_fewer_than_four_volumes_there_is_no_telling():
    assert align(feature_parts(bank_of([course(0), course(1, flipped=True), course(2)]), PlainFeatures())) == [FULL] * 3


def test_a_placement_says_where_the_middles_of_the_slices_lie():
    np.testing.assert_allclose(Placement(0.2, 0.5, False, 1).positions(5), [0.25, 0.35, 0.45, 0.55, 0.65])
    np.testing.assert_allclose(Placement(0.2, 0.5, True, 1).positions(5), [0.65, 0.55, 0.45, 0.35, 0.25])


def test_millimetres_keep_the_middles_together_and_the_slices_to_scale():
    bank = bank_of([course(0), course(1, cut=(0.5, 0.0)), course(2)])
    found = by_millimetres(bank.volumes)
    assert found["v0"] == replace(FULL)
    np.testing.assert_allclose((found["v1"].start, found["v1"].length), (0.25, 0.5))


def test_positions_of_placed_volumes_are_compared_like_slice_numbers():
    bank = bank_of([course(0), course(1)])
    straight = replace(bank, placements={"v0": FULL, "v1": Placement(0.0, 0.5, True, 1.0)})
    index, count = (torch.from_numpy(values) for values in straight.positions())
    position = (index + 1).double() / count.double()
    expected = np.concatenate([FULL.positions(24), Placement(0, 0.5, True, 1).positions(24)])
    np.testing.assert_allclose(position.numpy(), expected, atol=1e-6)
    pairs = closer_than(index, count, 0.1)
    truth = np.abs(expected[:, None] - expected[None, :])
    clear = np.abs(truth - 0.1) > 1e-5
    assert np.array_equal(pairs.numpy()[clear], (truth < 0.1)[clear])


def test_slices_outside_the_frame_belong_to_its_nearest_part():
    bank = replace(bank_of([course(0), course(1)]), placements={"v0": Placement(-0.3, 1.8, False, 1.0)})
    index, count = (torch.from_numpy(values) for values in bank.positions())
    parts = partition(index, count)
    assert (int(parts.min()), int(parts.max())) == (1, 4)


def test_relative_positions_are_the_slice_numbers():
    bank = place(replace(bank_of([course(0), course(1)]), placements={"v0": FULL}), "relative")
    index, count = bank.positions()
    assert index[:24].tolist() == list(range(24))
    assert set(count.tolist()) == {24}


def test_turned_cut_and_unlike_volumes_are_found_with_their_reasons():
    courses = [course(seed) for seed in range(14)]
    courses[3] = course(3, flipped=True)
    courses[6] = course(6, cut=(0.4, 0.0))
    courses[8] = course(8, cut=(0.0, 0.4))
    noise = np.random.default_rng(0).uniform(0, 1, courses[10].images.shape)
    courses[10] = replace(courses[10], images=noise)
    courses[12] = replace(courses[12], images=1 - courses[12].images)  # another contrast
    bank = place(bank_of(courses), "learned")
    found = find_outliers(bank.placements, {volume.id: volume.count for volume in bank.volumes})
    kinds = {(one.volume, one.kind): one for one in found}
    unlike = {volume for volume, kind in kinds if kind == "unlike"}
    others = {(volume, kind) for volume, kind in kinds if volume not in unlike}
    assert unlike == {"v10", "v12"}
    assert others == {("v3", "flipped"), ("v6", "truncated"), ("v8", "truncated")}
    assert kinds["v6", "truncated"].slice == 0
    assert kinds["v8", "truncated"].slice == len(courses[8].images) - 1
    assert "other way" in kinds["v3", "flipped"].reason


def test_a_feature_that_hardly_ever_differs_makes_no_outlier():
    features = np.random.default_rng(0).normal(0, 1, (200, 20))
    features[:, 7] = 0
    features[13, 7] = 0.05
    without = principal(np.delete(features, 7, axis=1), 10)
    np.testing.assert_allclose(np.abs(principal(features, 10)[13]), np.abs(without[13]), atol=0.1)


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=5))
def test_slices_of_a_flipped_volume_are_counted_from_the_other_end_and_all_others_as_before(volumes):
    listed = [BankedVolume(f"v{k}", f"v{k}", 0, count, "", 3.0) for k, (count, _) in enumerate(volumes)]
    starts = np.cumsum([0, *(count for count, _ in volumes)])
    listed = [replace(one, start=int(start)) for one, start in zip(listed, starts[:-1], strict=True)]
    told = frozenset(one.id for one, (_, flip) in zip(listed, volumes, strict=True) if flip)
    bank = SliceBank(np.zeros((int(starts[-1]), 1, 1), np.float16), None, tuple(listed), (), "key")
    for rule in ("relative", "millimetre"):
        before = positions_of(place(bank, rule))
        after = positions_of(place(replace(bank, flipped=told), rule))
        for volume in listed:
            rows = slice(volume.start, volume.start + volume.count)
            expected = before[rows][::-1] if volume.id in told else before[rows]
            np.testing.assert_allclose(after[rows], expected, atol=2e-6)


def positions_of(bank: SliceBank) -> np.ndarray:
    index, count = bank.positions()
    positions: np.ndarray = (index + 1) / count
    return positions


def test_in_the_common_frame_a_volume_that_is_known_to_be_flipped_lies_as_if_it_were_stored_like_the_others():
    courses = spoiled(1, 10)
    flipped = [one.flipped for one in courses]
    straight = [part[::-1] if flip else part for part, flip in zip(features_of(courses), flipped, strict=True)]
    told = align_turned(features_of(courses), flipped)
    expected = [turned(one) if flip else one for one, flip in zip(align(straight), flipped, strict=True)]
    assert told == expected
    assert [one.flipped for one in told] == flipped


def features_of(courses: list[Course]) -> list[np.ndarray]:
    return feature_parts(bank_of(courses), PlainFeatures())


def test_telling_that_most_volumes_are_flipped_decides_which_way_is_forward():
    courses = [course(seed, flipped=seed > 1) for seed in range(8)]
    bank = replace(bank_of(courses), flipped=frozenset(f"v{k}" for k in range(2, 8)))
    flipped = [one.flipped for one in place(bank, "learned").placements.values()]
    assert flipped == [False, False, True, True, True, True, True, True]


def test_a_mapped_bank_is_not_copied_into_memory(tmp_path):
    bank = bank_of([course(number) for number in range(4)])
    np.save(tmp_path / "slices.npy", bank.images)
    mapped = replace(bank, images=np.load(tmp_path / "slices.npy", mmap_mode="r"))
    shared = []

    def features(images):
        shared.append(np.shares_memory(images, mapped.images))
        return PlainFeatures()(images)

    parts = feature_parts(mapped, features)
    assert shared == [True]
    for one, other in zip(parts, feature_parts(bank, PlainFeatures()), strict=True):
        np.testing.assert_allclose(one, other)


def test_rows_of_volumes_that_could_not_be_banked_are_passed_over():
    bank = bank_of([course(number) for number in range(4)])
    fewer = replace(bank, volumes=(bank.volumes[0], *bank.volumes[2:]))
    alone = bank_of([course(number) for number in (0, 2, 3)])
    for one, other in zip(feature_parts(fewer, PlainFeatures()), feature_parts(alone, PlainFeatures()), strict=True):
        np.testing.assert_allclose(one, other)
