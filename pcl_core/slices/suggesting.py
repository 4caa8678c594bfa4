"""Which case to annotate next, and which few slices of it.

Greedy k-centre selection (Sener and Savarese, Active learning for convolutional neural networks: a core-set approach, 2018)
over the features of slices and their positions: the next case is the one whose slices are farthest from everything that is
drawn, and of it those slices are drawn that leave the others nearest to a drawn one. With a model, slices that it is unsure of
count as farther.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# A whole volume apart in position counts as so many usual distances of features.
_POSITION_WEIGHT = 2.0


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
    centres = [points[volume][list(numbers)] for volume, numbers in drawn.items() if len(numbers)]
    nearest = [_nearest(part, np.concatenate(centres)) if centres else _to_the_middle(part, points) for part in points]
    left = [number for number in range(len(points)) if number not in drawn]
    found: list[Suggestion] = []
    while left and len(found) < cases:
        worth = {number: float((nearest[number] * (1 + unsure[number])).mean()) for number in left}
        # Without anything drawn the most usual case comes first: it says the most about the others.
        best = max(left, key=worth.__getitem__) if centres else min(left, key=worth.__getitem__)
        chosen = _slices(points[best], unsure[best], min(slices, len(points[best])))
        found.append(Suggestion(best, chosen, float(nearest[best].mean()), float(unsure[best].mean())))
        new = points[best][list(chosen)]
        nearest = [_nearest(part, new) if not centres else np.minimum(near, _nearest(part, new))
                   for part, near in zip(points, nearest, strict=True)]  # fmt: skip
        centres.append(new)
        left.remove(best)
    return found


def _points(features: Sequence[np.ndarray], positions: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Features at a usual distance of 1 between two slices, with the position as one more coordinate."""
    everything = np.concatenate(features)
    usual = float(np.sqrt(2 * everything.var(axis=0).sum())) or 1.0
    return [
        np.concatenate([part / usual, _POSITION_WEIGHT * place[:, None]], axis=1)
        for part, place in zip(features, positions, strict=True)
    ]


def _nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """(n,) distance of each point from the nearest centre."""
    squares = (points**2).sum(axis=1)[:, None] + (centres**2).sum(axis=1)[None, :] - 2 * points @ centres.T
    distances: np.ndarray = np.sqrt(np.maximum(squares, 0)).min(axis=1)
    return distances


def _to_the_middle(part: np.ndarray, points: Sequence[np.ndarray]) -> np.ndarray:
    """(n,) distance of each slice of a volume from the nearest slices of the other volumes, on average."""
    others = [_nearest(part, other) for other in points if other is not part]
    middle: np.ndarray = np.mean(others, axis=0) if others else np.zeros(len(part))
    return middle


def _slices(points: np.ndarray, unsure: np.ndarray, count: int) -> tuple[int, ...]:
    """Slices of a volume by greedy k-centre, beginning with the one that is nearest to all others."""
    distance = np.sqrt(np.maximum(((points[:, None, :] - points[None, :, :]) ** 2).sum(axis=2), 0))
    chosen = [int((distance.mean(axis=1) / (1 + unsure)).argmin())]
    while len(chosen) < count:
        left = distance[:, chosen].min(axis=1) * (1 + unsure)
        left[chosen] = -1
        chosen.append(int(left.argmax()))
    return tuple(sorted(chosen))
