"""The similarity by position as a picture. Knows no widgets."""

from __future__ import annotations

import numpy as np

_CELL = 9
_GREY = (200, 200, 200)
# From unlike to alike; its lightness grows throughout, so that it is read without colours too.
_COLORS = np.array([(26, 14, 68), (47, 70, 130), (33, 130, 135), (96, 190, 98), (240, 228, 40)], float)


def draw_heat_map(likeness: np.ndarray, threshold: float) -> np.ndarray:
    """A square picture, (side, side, 3) bytes: position 0 at the lower left, white lines where positions differ by a threshold.

    Args:
        likeness: (bins, bins) similarities; NaN is grey.
        threshold: of position differences.
    """
    low, high = limits(likeness)
    image = _colored((likeness - low) / max(high - low, 1e-9))
    image = np.repeat(np.repeat(image, _CELL, axis=0), _CELL, axis=1)
    side = len(image)
    y, x = np.mgrid[:side, :side]
    image[np.abs(np.abs(x - y) - threshold * side) < 1.5] = 255
    flipped: np.ndarray = image[::-1]
    return flipped


def draw_bar(height: int) -> np.ndarray:
    """The colours from alike at the top to unlike, (height, 14, 3) bytes."""
    values = np.linspace(1, 0, height)
    return np.repeat(_colored(values[:, None]), 14, axis=1)


def limits(likeness: np.ndarray) -> tuple[float, float]:
    """The least and the largest similarity that is known."""
    known = likeness[~np.isnan(likeness)]
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)


def side_of(likeness: np.ndarray) -> int:
    """Pixels of the picture's side."""
    return len(likeness) * _CELL


def _colored(values: np.ndarray) -> np.ndarray:
    known = np.nan_to_num(values, nan=0.0).clip(0, 1) * (len(_COLORS) - 1)
    lower = np.minimum(known.astype(int), len(_COLORS) - 2)
    share = (known - lower)[..., None]
    image = ((1 - share) * _COLORS[lower] + share * _COLORS[lower + 1]).round().astype(np.uint8)
    image[np.isnan(values)] = _GREY
    return image
