"""Volumes that break the assumption of positional contrastive learning, each with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pcl_core.slices.atlas import Placement

Kind = Literal["flipped", "truncated", "unlike"]
# A volume that begins so far into the frame, or ends so far before its end, lacks anatomy that the others show.
_LACKING = 0.2
# In robust standard deviations and as a multiple of the usual misfit: both, or every data set would have outliers.
_DEVIATIONS, _TIMES = 5.0, 4.0


@dataclass(frozen=True)
class Outlier:
    """One thing that is wrong with a volume.

    Attributes:
        volume: its id.
        kind: ``flipped`` is stored the other way round; ``truncated`` lacks a part that most volumes show; ``unlike`` shows
            another part of the body, another orientation or another contrast.
        reason: a sentence for people.
        slice: number, in stored order along the slice axis, of a slice to look at.
    """

    volume: str
    kind: Kind
    reason: str
    slice: int


def find_outliers(placements: Mapping[str, Placement], counts: Mapping[str, int]) -> list[Outlier]:
    """What the placements in the frame of the atlas say is wrong.

    Args:
        placements: by the id of the volume.
        counts: numbers of slices, by the same.

    Returns:
        in the order of the volumes; where a volume that is unlike the others begins and ends says nothing.
    """
    misfits = np.array([one.misfit for one in placements.values()])
    usual = float(np.median(misfits))
    spread = 1.4826 * float(np.median(np.abs(misfits - usual)))
    limit = max(usual + _DEVIATIONS * spread, _TIMES * usual)
    found: list[Outlier] = []
    for name, one in placements.items():
        count = counts[name]
        if one.flipped:
            found.append(Outlier(name, "flipped", "Its slices run the other way than those of most volumes.", 0))
        if one.misfit > limit:
            times = one.misfit / usual
            words = f"It is {times:.1f} times as unlike the others as usual: another part of the body, orientation or contrast?"
            found.append(Outlier(name, "unlike", words, count // 2))
        else:
            found += _truncated(name, one, count)
    return found


def _truncated(name: str, one: Placement, count: int) -> list[Outlier]:
    start, end = max(one.start, 0.0), min(one.start + one.length, 1.0)
    if start <= _LACKING and end >= 1 - _LACKING:
        return []
    words = f"It shows only the part from {start:.2f} to {end:.2f} of what most volumes show."
    at_start = start > 1 - end
    return [Outlier(name, "truncated", words, 0 if at_start != one.flipped else count - 1)]
