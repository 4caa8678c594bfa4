"""Volumes that show parts of one course of anatomy, as features and as images, some of them turned round or cut off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pcl_core.slices.bank import BankedVolume, SliceBank


@dataclass(frozen=True)
class Course:
    """A volume and the truth about it.

    Attributes:
        images: (slices, 32, 32) of 0 to 1, in stored order.
        positions: (slices,) true positions in the common frame, in stored order.
        flipped: whether it is stored the other way round.
    """

    images: np.ndarray
    positions: np.ndarray
    flipped: bool


def course(seed: int, cut: tuple[float, float] = (0.0, 0.0), flipped: bool = False, slices: int = 24) -> Course:
    """A bright disc that moves and grows along the axis, and a dim one beside it, a little different in every volume."""
    rng = np.random.default_rng(seed)
    places = (np.arange(slices) + 0.5) / slices
    places = places[(places > cut[0]) & (places < 1 - cut[1])]
    shift, size = rng.uniform(-0.04, 0.04), rng.uniform(0.9, 1.1)
    y, x = np.mgrid[0:32, 0:32] / 32
    images = []
    for place in places:
        bright = (x - 0.25 - 0.5 * place - shift) ** 2 + (y - 0.5) ** 2 < (size * (0.08 + 0.14 * place)) ** 2
        dim = (x - 0.5) ** 2 + (y - 0.15 - 0.1 * place) ** 2 < 0.1**2
        images.append(0.8 * bright + 0.4 * dim + rng.normal(0.1, 0.04, x.shape))
    stack = np.clip(images, 0, 1)
    return Course(stack[::-1] if flipped else stack, places[::-1] if flipped else places, flipped)


def bank_of(courses: list[Course], slice_mm: float = 4.0) -> SliceBank:
    """A bank in memory of the volumes ``v0``, ``v1``, ..."""
    volumes, start = [], 0
    for number, one in enumerate(courses):
        volumes.append(BankedVolume(f"v{number}", f"v{number}", start, len(one.images), "", slice_mm))
        start += len(one.images)
    images = np.concatenate([one.images for one in courses]).astype(np.float16)
    return SliceBank(images, None, tuple(volumes), (), "")
