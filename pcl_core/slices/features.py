"""Features of slices by which volumes are compared: plain ones of the images, before anything was trained."""

from __future__ import annotations

from typing import Protocol

import numpy as np

_GRID = 16
_BINS = 16
_AT_ONCE = 256
# Part of the usual standard deviation of features that is added to that of each.
_FLOOR = 2.0


class SliceFeatures(Protocol):
    """Turns prepared slices into vectors: alike slices, alike vectors."""

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Slices (N, S, S) of 0 to 1 -> features (N, D), 32-bit floats."""


class PlainFeatures:
    """A picture of 16 x 16 pixels and a histogram of 16 bins, so scaled that both weigh the same.

    They see where bright and dark things lie, so they serve volumes that show the same part of the body in about the same
    place. Features of a trained encoder serve the others.
    """

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Slices (N, S, S) of 0 to 1, S a multiple of 16 -> features (N, 272)."""
        parts = [self._some(images[first : first + _AT_ONCE]) for first in range(0, len(images), _AT_ONCE)]
        pictures, histograms = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        return np.concatenate([_unit(pictures), _unit(histograms)], axis=1)

    def _some(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        floats = np.asarray(images, np.float32)
        count, side, _ = floats.shape
        step = side // _GRID
        pictures = floats.reshape(count, _GRID, step, _GRID, step).mean(axis=(2, 4)).reshape(count, -1)
        bins = np.clip((floats * _BINS).astype(np.int64), 0, _BINS - 1).reshape(count, -1)
        offsets = np.arange(count)[:, None] * _BINS
        histograms = np.bincount((bins + offsets).ravel(), minlength=count * _BINS).reshape(count, _BINS)
        return pictures, (histograms / bins.shape[1]).astype(np.float32)


def _unit(values: np.ndarray) -> np.ndarray:
    """The values at a standard deviation of 1 over all of them, so that blocks of features weigh the same."""
    deviation = float(values.std())
    return values / deviation if deviation > 0 else values


def principal(features: np.ndarray, most: int = 48) -> np.ndarray:
    """The leading principal components of features that were standardised, but for those that hardly ever differ.

    A pixel that is padding in all volumes but one would otherwise make that one an outlier.

    Args:
        features: (N, D).
        most: components at most; never more than half of the slices, of which the covariance is to be known.

    Returns:
        (N, K), the first component at a standard deviation of 1.
    """
    values = features.astype(np.float64)
    deviation = values.std(axis=0)
    floor = _FLOOR * float(np.sqrt((deviation**2).mean())) + 1e-12
    values = (values - values.mean(axis=0)) / (deviation + floor)
    eigenvalues, vectors = np.linalg.eigh(values.T @ values / len(values))
    count = max(1, min(most, len(values) // 2, values.shape[1]))
    leading = vectors[:, ::-1][:, :count]
    scale = np.sqrt(max(eigenvalues[-1], 1e-12))
    projected: np.ndarray = values @ leading / scale
    return projected
