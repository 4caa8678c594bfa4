"""Which slices of an annotated case count: all, those with something drawn, or a marked range.

Slices are numbered from 0 in order of position for programs, and from 1 for people.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum

import numpy as np
from slicer.i18n import tr as _

from pcl_core.volumes.axes import Axis
from pcl_core.volumes.geometry import Geometry, canonical_view


class Counting(Enum):
    """The ways to choose."""

    ALL = "all"
    DRAWN = "drawn"
    RANGE = "range"

    def label(self) -> str:
        """For people."""
        return {
            Counting.ALL: _("All slices"),
            Counting.DRAWN: _("Drawn slices"),
            Counting.RANGE: _("A range of slices"),
        }[self]


@dataclass(frozen=True)
class SliceChoice:
    """What was chosen for a case.

    Attributes:
        counting: the way.
        first: of a range, as people count.
        last: of a range, as people count; it counts too.
    """

    counting: Counting
    first: int = 1
    last: int = 1

    def numbers(self, drawn: Collection[int], count: int) -> list[int]:
        """The slices that count, from 0, of a case with ``count`` slices of which some are ``drawn``."""
        if self.counting is Counting.ALL:
            return list(range(count))
        if self.counting is Counting.DRAWN:
            return sorted(drawn)
        low, high = sorted((self.first, self.last))
        return list(range(max(1, low) - 1, min(count, high)))

    def text(self) -> str:
        """For an attribute of a node, such as ``range 3 7``."""
        return f"range {self.first} {self.last}" if self.counting is Counting.RANGE else self.counting.value

    @classmethod
    def from_text(cls, text: str | None, otherwise: Counting) -> SliceChoice:
        """Reads what ``text`` wrote; ``otherwise`` stands for none and for what cannot be read."""
        name, *ends = (text or "none").split()
        if name == "range" and len(ends) == 2 and all(end.isdigit() for end in ends):
            return cls(Counting.RANGE, int(ends[0]), int(ends[1]))
        return cls(Counting(name)) if name in ("all", "drawn") else cls(otherwise)


def slice_count(geometry: Geometry, axis: Axis) -> int:
    """How many slices a grid has across an axis."""
    return canonical_view(geometry, axis).shape[0]


def drawn_slices(labels: np.ndarray, geometry: Geometry, axis: Axis) -> list[int]:
    """The slices, from 0 in order of position, in which a label map (z, y, x) is not empty."""
    slices = canonical_view(geometry, axis).apply(labels)
    return [int(number) for number in np.flatnonzero(slices.any(axis=(1, 2)))]
