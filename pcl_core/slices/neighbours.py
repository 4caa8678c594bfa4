"""For every slice the most similar slices of other volumes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_AT_ONCE = 512


def neighbours(features: Sequence[np.ndarray], most: int = 3) -> list[list[list[tuple[int, int, float]]]]:
    """The most similar slices by the cosine of their features.

    Args:
        features: for each volume (slices, K), centred.
        most: neighbours a slice, each of another volume.

    Returns:
        volume -> slice -> (number of the other volume, number of its slice, cosine), the most similar first.
    """
    unit = [part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12) for part in features]
    everything = np.concatenate(unit).astype(np.float32)
    counts = [len(part) for part in features]
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(int)
    found: list[list[list[tuple[int, int, float]]]] = [[] for _ in features]
    for number, part in enumerate(unit):
        for first in range(0, len(part), _AT_ONCE):
            cosine = part[first : first + _AT_ONCE].astype(np.float32) @ everything.T
            best = np.maximum.reduceat(cosine, starts, axis=1)  # of each volume
            best[:, number] = -np.inf
            volumes = np.argsort(-best, axis=1, kind="stable")[:, : min(most, len(features) - 1)]
            for row, chosen in zip(cosine, volumes, strict=True):
                found[number].append([_nearest(row, int(other), starts, counts) for other in chosen])
    return found


def _nearest(cosine: np.ndarray, volume: int, starts: np.ndarray, counts: Sequence[int]) -> tuple[int, int, float]:
    own = cosine[starts[volume] : starts[volume] + counts[volume]]
    slice_number = int(own.argmax())
    return volume, slice_number, float(own[slice_number])
