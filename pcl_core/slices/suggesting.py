"""Which case to annotate next, and which few slices of it.

Greedy maximum coverage (as in Yang et al., Suggestive annotation, MICCAI 2017) over the features of slices and their positions:
those slices are drawn that bring all slices of all volumes nearest to a drawn one, on average. With a model, slices that it is
unsure of count for more. The farthest-first rule of core sets (Sener and Savarese 2018) is not used: it asks for the first and
last slices of odd volumes, and did worse than chance (Docs/positions.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# A whole volume apart in position counts as so many usual distances of features.
_POSITION_WEIGHT = 2.0
# Coverage is measured on so many slices at most, evenly taken from all.
_MOST_TARGETS = 4096


@dataclass(frozen=True)
class Suggestion:
    """A case to annotate.

    Attributes:
        volume: number of the volume.
        slices: numbers of its slices, in stored order along the slice axis, sorted.
        distance: mean distance of its slices from the nearest drawn slice, 1 being the usual distance of two slices.
        uncertainty: mean over its slices, 0 to 1; 0 without a model.
    """

    volume: int
    slices: tuple[int, ...]
    distance: float
    uncertainty: float


def suggest(
    features: Sequence[np.ndarray],
    positions: Sequence[np.ndarray],
    drawn: Mapping[int, Sequence[int]],
    cases: int,
    slices: int,
    uncertainty: Sequence[np.ndarray] | None = None,
) -> list[Suggestion]:
    """Ranks cases to annotate; each is chosen as if those before it were drawn.

    Args:
        features: for each volume (slices, K), centred.
        positions: for each volume (slices,).
        drawn: numbers of the slices that are drawn already, by number of the volume; such a volume is not suggested.
        cases: how many to suggest at most.
        slices: of each, at most.
        uncertainty: for each volume (slices,) of 0 to 1.

    Returns:
        the most useful first.
    """
    points = _points(features, positions)
    unsure = uncertainty or [np.zeros(len(part)) for part in points]
    covered = _Coverage(points, unsure)
    for volume, numbers in drawn.items():
        covered.add(points[volume][list(numbers)])
    left = [number for number in range(len(points)) if number not in drawn]
    found: list[Suggestion] = []
    while left and len(found) < cases:
        choices = {number: covered.best(points[number], min(slices, len(points[number]))) for number in left}
        best = max(left, key=lambda number: choices[number][1])
        chosen = tuple(sorted(choices[best][0]))
        found.append(Suggestion(best, chosen, covered.distance(points[best]), float(unsure[best].mean())))
        covered.add(points[best][list(chosen)])
        left.remove(best)
    return found


class _Coverage:
    """How near all slices are to a drawn one.

    Args:
        points: for each volume (slices, D).
        unsure: for each volume (slices,) of 0 to 1.
    """

    def __init__(self, points: Sequence[np.ndarray], unsure: Sequence[np.ndarray]) -> None:
        everything, doubts = np.concatenate(points), np.concatenate(unsure)
        some = np.linspace(0, len(everything) - 1, min(len(everything), _MOST_TARGETS)).round().astype(int)
        self._targets = everything[some]
        self._weights = 1 + doubts[some] / (doubts.mean() or 1.0)
        self._centres = np.empty((0, everything.shape[1]))
        # Before anything is drawn, every slice is equally far from it: the first choice is the most usual one.
        self._near = np.full(len(some), 2 * float(np.abs(everything).max()) * np.sqrt(everything.shape[1]))

    def add(self, centres: np.ndarray) -> None:
        """Slices (n, D) are drawn."""
        if len(centres):
            self._centres = np.concatenate([self._centres, centres])
            self._near = np.minimum(self._near, _distances(centres, self._targets).min(axis=0))

    def best(self, part: np.ndarray, count: int) -> tuple[list[int], float]:
        """The slices of a volume (n, D) that bring the others nearest when they are drawn, and by how much."""
        distances, near = _distances(part, self._targets), self._near
        chosen: list[int] = []
        while len(chosen) < count:
            gains = np.maximum(near - distances, 0) @ self._weights
            gains[chosen] = -1
            chosen.append(int(gains.argmax()))
            near = np.minimum(near, distances[chosen[-1]])
        return chosen, float((self._near - near) @ self._weights)

    def distance(self, part: np.ndarray) -> float:
        """Mean distance of slices (n, D) from the nearest drawn one; with nothing drawn, from all others."""
        if len(self._centres):
            return float(_distances(part, self._centres).min(axis=1).mean())
        return float(_distances(part, self._targets).mean())


def _points(features: Sequence[np.ndarray], positions: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Features at a usual distance of 1 between two slices, with the position as one more coordinate."""
    everything = np.concatenate(features)
    usual = float(np.sqrt(2 * everything.var(axis=0).sum())) or 1.0
    return [
        np.concatenate([part / usual, _POSITION_WEIGHT * place[:, None]], axis=1)
        for part, place in zip(features, positions, strict=True)
    ]


def _distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(n, m) distances of points (n, D) and (m, D)."""
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None, :] - 2 * one @ other.T
    distances: np.ndarray = np.sqrt(np.maximum(squares, 0))
    return distances
