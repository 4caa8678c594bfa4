"""How alike slices of different volumes are, by their positions: the picture behind the threshold t."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_BINS = 20
# Neighbours that are positives of nothing teach nothing; slices half a volume apart are never alike enough.
_LEAST, _MOST = 0.05, 0.5


@dataclass(frozen=True, eq=False)
class Likeness:
    """Similarity of slices of different volumes.

    Attributes:
        matrix: (bins, bins) mean cosine of the features at two positions, over pairs of volumes; NaN where no pair has both.
        difference: (bins,) position differences.
        profile: (bins,) mean similarity at each difference.
    """

    matrix: np.ndarray
    difference: np.ndarray
    profile: np.ndarray


@dataclass(frozen=True)
class Advice:
    """A threshold and why.

    Attributes:
        threshold: proposed t.
        reason: a sentence for people.
    """

    threshold: float
    reason: str


def likeness(features: Sequence[np.ndarray], positions: Sequence[np.ndarray]) -> Likeness:
    """Compares slices of different volumes in bins of position.

    Args:
        features: for each volume (slices, K), centred so that unlike slices have a cosine of about 0.
        positions: for each volume (slices,); slices outside 0 to 1 are left out.
    """
    size = features[0].shape[1]
    total, own = np.zeros((_BINS, size)), np.zeros((_BINS, _BINS))
    there = np.zeros((len(features), _BINS), dtype=bool)
    for number, (part, place) in enumerate(zip(features, positions, strict=True)):
        mean = np.zeros((_BINS, size))
        bins = np.clip((place * _BINS).astype(int), 0, _BINS - 1)
        for k in range(_BINS):
            rows = part[(bins == k) & (place >= 0) & (place <= 1)]
            if len(rows):
                mean[k] = _unit(_unit(rows).mean(axis=0))
                there[number, k] = True
        total += mean
        own += mean @ mean.T
    counts = there.astype(float)
    pairs = np.outer(counts.sum(0), counts.sum(0)) - counts.T @ counts
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix = np.where(pairs > 0, (total @ total.T - own) / pairs, np.nan)
    difference = np.arange(_BINS) / _BINS
    profile = np.array([_mean(np.diagonal(matrix, k)) for k in range(_BINS)])
    return Likeness(matrix, difference, profile)


def advise(found: Likeness) -> Advice | None:
    """The largest difference at which slices are still more like those at the same position than like any others.

    The threshold is where the similarity has fallen half-way from that at the same position to the lowest.

    Returns:
        None when the volumes show no such fall: their positions say nothing, and no threshold is right.
    """
    known = ~np.isnan(found.profile)
    if known.sum() < _BINS // 2 or not known[0]:
        return None
    difference, profile = found.difference[known], _smooth(found.profile[known])
    lowest = float(profile.min())
    fall = float(profile[0]) - lowest
    if fall < 0.05:
        return None
    half = lowest + fall / 2
    below = int(np.argmax(profile < half))
    above = below - 1
    share = (profile[above] - half) / (profile[above] - profile[below])
    where = float(difference[above] + share * (difference[below] - difference[above]))
    threshold = round(min(max(where, _LEAST), _MOST), 2)
    reason = (
        f"Slices of different volumes at the same position have a similarity of {profile[0]:.2f}; it falls to {lowest:.2f} "
        f"and is half-way at a difference of {where:.2f}."
    )
    return Advice(threshold, reason)


def _smooth(profile: np.ndarray) -> np.ndarray:
    """Means of three neighbours, the ends twice: few volumes make a rough profile."""
    padded = np.concatenate([profile[:1], profile, profile[-1:]])
    smooth: np.ndarray = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    return smooth


def _unit(values: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(values, axis=-1, keepdims=True)
    unit: np.ndarray = values / np.maximum(length, 1e-12)
    return unit


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")
