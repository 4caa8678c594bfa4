"""Small pictures of all slices of a bank in one file, for programs that show them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pcl_core.files import replacing, require_space
from pcl_core.slices.bank import SliceBank
from pcl_core.slices.preparing import resample_linear

SIDE = 64
_AT_ONCE = 256


def write_pictures(bank: SliceBank, path: Path) -> None:
    """Writes (slices, 64, 64) bytes as ``.npy``, volume after volume, the slices of each in order of position.

    The shape of the slices is kept, since those of a bank are padded to squares. 0 is the low percentile of the bank's plan and
    255 the high one.

    Raises:
        InputError: there is no space, or the file cannot be written.
    """
    rows = bank.rows
    require_space(path.parent, len(rows) * SIDE**2)
    with replacing(path) as partial:
        pictures = np.lib.format.open_memmap(partial, mode="w+", dtype=np.uint8, shape=(len(rows), SIDE, SIDE))
        for first in range(0, len(rows), _AT_ONCE):
            some = rows[first : first + _AT_ONCE]
            images = np.asarray(bank.images[some], np.float32)
            pictures[first : first + len(some)] = np.round(255 * resample_linear(images, (SIDE, SIDE)).clip(0, 1))
        pictures.flush()
        del pictures  # a mapped file cannot be renamed everywhere
