"""The strip below the slider: band of the threshold, position, slices of the chosen volume. Knows no widgets."""

from __future__ import annotations

import numpy as np

from PCLLib.inspector import Inspector
from PCLLib.thumbnails import COLORS, Frame

WIDTH, HEIGHT = 800, 26
_GROUND, _BAND, _BLACK = (236, 236, 236), (170, 222, 205), (0, 0, 0)


def draw_strip(inspector: Inspector) -> np.ndarray:
    """(HEIGHT, WIDTH, 3) bytes; the left end is position 0, the right end 1."""
    image = np.full((HEIGHT, WIDTH, 3), _GROUND, np.uint8)
    center, t = inspector.compared_with, inspector.threshold
    image[:, _column(center - t) : _column(center + t) + 1] = _BAND
    for tenth in range(11):
        image[-6:, _bar(tenth / 10, 1)] = 130
    volume = inspector.volume(inspector.chosen.volume) if inspector.chosen is not None else None
    if volume is not None:
        for number, position in enumerate(inspector.positions_of(volume)):
            frame = Frame.POSITIVE if inspector.positive(volume, number) else Frame.NEGATIVE
            if 0 <= position <= 1:
                rows = slice(4, 18) if frame is Frame.POSITIVE else slice(8, 14)
                image[rows, _bar(position, 2)] = COLORS[frame]
        image[2:20, _bar(center, 4)] = COLORS[Frame.CHOSEN]
    image[:, _bar(inspector.position, 2)] = _BLACK
    return image


def _column(position: float) -> int:
    return int(np.clip(round(position * (WIDTH - 1)), 0, WIDTH - 1))


def _bar(position: float, half: int) -> slice:
    """The columns of an upright bar, wholly inside."""
    middle = min(max(_column(position), half), WIDTH - 1 - half)
    return slice(middle - half, middle + half + 1)
