"""Folds and draws: by patient, nested, the same for every method."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcl_core.errors import InputError
from pcl_core.evaluation.folds import Fold, in_test, join_patients, labelled_patients, make_folds

names = st.sets(st.text("abcdefgh0123", min_size=1, max_size=4), min_size=4, max_size=30)
seeds = st.integers(0, 2**31 - 1)


@given(names, st.integers(2, 4), seeds)
def test_every_patient_is_tested_in_exactly_one_fold_and_trained_on_in_all_others(patients, count, seed):
    folds = make_folds(patients, count, seed)
    assert [fold.number for fold in folds] == list(range(count))
    assert sorted(patient for fold in folds for patient in fold.test) == sorted(patients)
    assert all(sorted(fold.train + fold.test) == sorted(patients) for fold in folds)
    sizes = {len(fold.test) for fold in folds}
    assert max(sizes) - min(sizes) <= 1


@given(names, st.integers(2, 4), seeds, seeds)
def test_smaller_sets_of_annotated_patients_lie_inside_larger_ones_and_never_in_the_test_fold(patients, count, seed, draw):
    for fold in make_folds(patients, count, seed):
        sets = [set(labelled_patients(fold, m, draw)) for m in range(1, len(fold.train) + 1)]
        assert [len(one) for one in sets] == list(range(1, len(fold.train) + 1))
        assert all(small < large for small, large in itertools.pairwise(sets))
        assert not sets[-1] & set(fold.test)


@given(names, seeds)
def test_the_order_in_which_files_were_found_changes_nothing(patients, seed):
    assert make_folds(sorted(patients), 3, seed) == make_folds(sorted(patients, reverse=True), 3, seed)


def test_seeds_change_the_draws_and_another_fold_seed_the_folds():
    patients = [f"p{k}" for k in range(20)]
    (first, *_), (other, *_) = make_folds(patients, 4, 0), make_folds(patients, 4, 1)
    assert first.test != other.test
    assert len({labelled_patients(first, 5, seed) for seed in range(10)}) > 5


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=4), max_size=4))
def test_patients_that_are_one_are_never_divided_by_a_fold(same):
    joined = join_patients("abcdefghijklmnop", same)
    folds = make_folds(set(joined.values()), 3, 0)
    for fold in folds:
        for group in same:
            assert len({in_test(fold, name, joined) for name in group}) <= 1


def test_lists_of_one_person_that_overlap_are_joined_under_the_first_name():
    joined = join_patients(["d", "c", "b", "a", "e"], [["b", "d"], ["c", "d"]])
    assert joined == {"a": "a", "b": "b", "c": "b", "d": "b", "e": "e"}


def test_a_name_of_nobody_is_refused_with_the_nearest_patient():
    with pytest.raises(InputError, match=r"patient02'.*patient002"):
        join_patients(["patient001", "patient002"], [["patient001", "patient02"]])


def test_volumes_of_unknown_patients_belong_to_no_test_fold():
    fold = Fold(0, ("a",), ("b",))
    assert in_test(fold, "b", {"b": "b"})
    assert not in_test(fold, "stranger", {"b": "b"})


@pytest.mark.parametrize(("patients", "count"), [(3, 4), (1, 2), (5, 1), (0, 2)])
def test_folds_that_cannot_be_made_are_refused(patients, count):
    with pytest.raises(InputError, match=f"{patients} annotated patients"):
        make_folds([f"p{k}" for k in range(patients)], count, 0)


@pytest.mark.parametrize("count", [0, 4])
def test_more_annotated_patients_than_a_fold_has_are_refused(count):
    with pytest.raises(InputError, match="leaves 3 patients"):
        labelled_patients(Fold(0, ("a", "b", "c"), ("d",)), count, 0)
