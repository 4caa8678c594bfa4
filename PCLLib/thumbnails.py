"""Small pictures of slices: read from the engine's file, framed, and put together for Qt. Knows no widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np

_SIDE = 64
_LARGE = _SIDE * 3 // 2
_BORDER = 4
# Of a tile with its frame, in pixels.
TILE = _LARGE + 2 * _BORDER


class Frame(Enum):
    """How a picture is framed. Each differs from the others in more than its colour."""

    CHOSEN = "chosen"
    POSITIVE = "positive"
    NEGATIVE = "negative"
    AWAY = "away"
    PLAIN = "plain"


# Colours that people of every colour vision tell apart.
COLORS = {
    Frame.CHOSEN: (0, 114, 178),
    Frame.POSITIVE: (0, 158, 115),
    Frame.NEGATIVE: (213, 94, 0),
    Frame.AWAY: (150, 150, 150),
    Frame.PLAIN: (90, 90, 90),
}


class Thumbnails:
    """The pictures of all slices of a report, mapped from their file."""

    def __init__(self, pictures: np.ndarray) -> None:
        self._pictures = pictures

    @classmethod
    def open(cls, path: Path) -> Thumbnails:
        """Opens the file that ``positions --pictures`` wrote."""
        return cls(np.load(path, mmap_mode="r"))

    def close(self) -> None:
        """Lets go of the file, so that it can be removed."""
        self._pictures = np.zeros((0, _SIDE, _SIDE), np.uint8)

    def mosaic(self, rows: Sequence[int], frames: Sequence[Frame]) -> np.ndarray:
        """Framed pictures one below the other: (n * TILE, TILE, 3) bytes of red, green, blue."""
        large = enlarged(self._pictures[np.asarray(rows, int)])
        away = np.array([frame is Frame.AWAY for frame in frames])
        large[away] //= 3
        tiles = np.empty((len(frames), TILE, TILE, 3), np.uint8)
        inside = slice(_BORDER, TILE - _BORDER)
        tiles[:, inside, inside] = large[..., None]
        for number, frame in enumerate(frames):
            _draw_frame(tiles[number], frame)
        return tiles.reshape(-1, TILE, 3)


@dataclass(frozen=True, eq=False)
class _Borders:
    """The pixels of a border, and which of them are drawn when it is dashed."""

    mask: np.ndarray
    dashed: np.ndarray


def _borders() -> _Borders:
    y, x = np.mgrid[:TILE, :TILE]
    outside = np.minimum.reduce([y, x, TILE - 1 - y, TILE - 1 - x])
    mask = outside < _BORDER
    return _Borders(mask, mask & ((x + y) % 12 < 7))


_EDGE = _borders()


def _draw_frame(tile: np.ndarray, frame: Frame) -> None:
    color = COLORS[frame]
    tile[_EDGE.mask] = (255, 255, 255) if frame is Frame.NEGATIVE else color
    if frame is Frame.NEGATIVE:
        tile[_EDGE.dashed] = color
    elif frame is Frame.CHOSEN:  # a white line inside, so that it stands out from its neighbours
        for edge in (_BORDER - 1, TILE - _BORDER):
            tile[edge, _BORDER - 1 : TILE - _BORDER + 1] = tile[_BORDER - 1 : TILE - _BORDER + 1, edge] = 255


def enlarged(pictures: np.ndarray) -> np.ndarray:
    """Pictures (n, s, s) of bytes, half as large again: every third row and column is the mean of its neighbours."""
    count, rows, columns = pictures.shape
    wide = np.empty((count, rows, columns * 3 // 2), np.uint8)
    first, second = pictures[:, :, ::2], pictures[:, :, 1::2]
    wide[:, :, ::3], wide[:, :, 2::3] = first, second
    wide[:, :, 1::3] = first // 2 + second // 2
    high = np.empty((count, rows * 3 // 2, columns * 3 // 2), np.uint8)
    first, second = wide[:, ::2], wide[:, 1::2]
    high[:, ::3], high[:, 2::3] = first, second
    high[:, 1::3] = first // 2 + second // 2
    return high


def ppm(image: np.ndarray) -> bytes:
    """An image (rows, columns, 3) of bytes as a file in memory that Qt reads without decoding."""
    return b"P6 %d %d 255\n" % (image.shape[1], image.shape[0]) + np.ascontiguousarray(image).tobytes()
