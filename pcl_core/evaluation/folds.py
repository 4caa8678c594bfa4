"""Which patients are tested on, and which are annotated. By patient, never by frame.

Everything follows from the names of the patients, the number of the fold and the seed, so that it is the same for every
method, and does not change when methods, numbers of annotated patients or seeds are added to an experiment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pcl_core.errors import InputError
from pcl_core.near import nearest

# Keep the streams of random numbers apart.
_FOLDS, _LABELLED = 1, 2


@dataclass(frozen=True)
class Fold:
    """A part of the cross-validation.

    Attributes:
        number: from 0.
        train: patients that may be annotated, sorted.
        test: patients that are looked at once, at the end; sorted.
    """

    number: int
    train: tuple[str, ...]
    test: tuple[str, ...]


def join_patients(patients: Iterable[str], same: Sequence[Sequence[str]]) -> dict[str, str]:
    """Gives names that mean one person one name.

    Args:
        patients: all names.
        same: lists of names whose bearers are one, such as patients with equal images; lists that overlap are joined.

    Returns:
        patient -> the first, in alphabetical order, of the names that he or she goes by.

    Raises:
        InputError: a name in ``same`` is no patient's (with the nearest that is).
    """
    joined = {patient: patient for patient in sorted(set(patients))}
    for names in same:
        for name in names:
            if name not in joined:
                raise InputError(f"same_patient names '{name}', which is no patient.", nearest(name, joined))
        first = min((joined[name] for name in names), default="")
        merged = {joined[name] for name in names}
        joined = {patient: first if group in merged else group for patient, group in joined.items()}
    return joined


def make_folds(patients: Collection[str], count: int, seed: int) -> tuple[Fold, ...]:
    """Divides the patients at random into test sets that differ in size by at most one.

    Args:
        patients: distinct names.
        count: number of folds.
        seed: of the division.

    Raises:
        InputError: there are fewer patients than folds, or fewer than two folds.
    """
    if not 2 <= count <= len(patients):
        raise InputError(
            f"{len(patients)} annotated patients cannot be divided into {count} folds.",
            f"Set folds to a number from 2 to {len(patients)}." if len(patients) > 1 else "Annotate more patients.",
        )
    shuffled = np.random.default_rng([seed, _FOLDS]).permutation(sorted(patients)).tolist()
    tests = [set(part.tolist()) for part in np.array_split(np.array(shuffled, dtype=object), count)]
    return tuple(Fold(number, tuple(sorted(set(shuffled) - test)), tuple(sorted(test))) for number, test in enumerate(tests))


def labelled_patients(fold: Fold, count: int, seed: int) -> tuple[str, ...]:
    """The annotated patients of a cell: the first ``count`` of the fold's training patients, shuffled by the seed.

    A smaller set lies inside every larger one of the same fold and seed.

    Raises:
        InputError: the fold has fewer training patients.
    """
    if not 1 <= count <= len(fold.train):
        raise InputError(
            f"Fold {fold.number} leaves {len(fold.train)} patients to be annotated, and not {count}.",
            f"Set labelled to numbers from 1 to {len(fold.train)}.",
        )
    order = np.random.default_rng([seed, _LABELLED, fold.number]).permutation(list(fold.train)).tolist()
    return tuple(order[:count])


def in_test(fold: Fold, patient: str, joined: Mapping[str, str]) -> bool:
    """Whether a volume of this patient, whatever name he or she goes by, belongs to the test set of the fold."""
    return joined.get(patient, patient) in fold.test
