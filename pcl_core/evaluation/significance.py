"""Whether one initialisation is better than another beyond chance: Wilcoxon's signed-rank test on pairs of patients.

Each test patient has one difference of two methods at an M: the mean, over the cases of the patient and the seeds, of the
difference of Dice (itself a mean over classes). Only what both methods were judged on counts, case by case and seed by seed:
where one lacks a seed (an experiment goes on, or an evaluation is lost), the other's figures of that seed would tell seeds
apart and not methods. Patients of one fold share their training set, so that they are not wholly independent of each other; p
is a guide, not a proof.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from scipy.stats import wilcoxon

from pcl_core.evaluation.metrics import mean_and_deviation

# Dice by patient, then by seed and case.
Scores = Mapping[str, Mapping[tuple[int, str], float]]


@dataclass(frozen=True)
class Comparison:
    """Two methods at one M.

    Attributes:
        first: a method.
        second: the one that it is compared with.
        labelled: M.
        n: number of patients.
        difference: mean over the patients of the first's Dice minus the second's.
        p: two-sided; 1 when all patients are alike, NaN without patients.
        holm: p after Holm's correction for all comparisons at this M.
    """

    first: str
    second: str
    labelled: int
    n: int
    difference: float
    p: float
    holm: float = math.nan


def compare(first: str, second: str, labelled: int, ours: Scores, theirs: Scores) -> Comparison:
    """Compares two methods on the patients that both have.

    Args:
        first: name of the first method.
        second: name of the second.
        labelled: M.
        ours: Dice of the first method by patient, seed and case.
        theirs: of the second.
    """
    found = (_difference(ours[patient], theirs[patient]) for patient in sorted(ours.keys() & theirs.keys()))
    differences = [difference for difference in found if not math.isnan(difference)]
    if not differences:
        return Comparison(first, second, labelled, 0, math.nan, math.nan)
    p = float(wilcoxon(differences).pvalue) if any(differences) else 1.0
    return Comparison(first, second, labelled, len(differences), sum(differences) / len(differences), p)


def _difference(ours: Mapping[tuple[int, str], float], theirs: Mapping[tuple[int, str], float]) -> float:
    """Mean over the seeds and cases that both have; NaN when there are none."""
    return mean_and_deviation([ours[key] - theirs[key] for key in sorted(ours.keys() & theirs.keys())])[0]


def compare_all(methods: Sequence[str], labelled: Sequence[int], scores: Mapping[tuple[str, int], Scores]) -> list[Comparison]:
    """Compares every two methods at every M, with Holm's correction over those of one M.

    An M is a question of its own. Over all M together ten patients could never show anything: their smallest p is 2 / 2^10.

    Args:
        methods: names; the later one of two is the first of a comparison, so that a proposal stands before its baseline.
        labelled: all M.
        scores: Dice by patient, seed and case, of each method and M that were run.
    """
    pairs = list(itertools.combinations(methods, 2))
    columns = []
    for count in labelled:
        found = [
            compare(second, first, count, scores.get((second, count), {}), scores.get((first, count), {}))
            for first, second in pairs
        ]
        adjusted = holm([comparison.p for comparison in found])
        columns.append([replace(comparison, holm=p) for comparison, p in zip(found, adjusted, strict=True)])
    return [comparison for row in zip(*columns, strict=True) for comparison in row]


def holm(values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (Holm 1979) of p values; NaN stays NaN and does not count."""
    known = sorted((p, place) for place, p in enumerate(values) if not math.isnan(p))
    adjusted, largest = [math.nan] * len(values), 0.0
    for rank, (p, place) in enumerate(known):
        largest = max(largest, min(1.0, p * (len(known) - rank)))
        adjusted[place] = largest
    return adjusted
