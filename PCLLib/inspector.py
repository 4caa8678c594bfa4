"""Slices at one position of all volumes: which are alike by the threshold, and what was chosen. Knows no widgets."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from pcl_core.exact_positions import FINEST, exact
from PCLLib.position_report import PlacedVolume, PositionReport
from PCLLib.signals import Signal
from PCLLib.thumbnails import Frame, Thumbnails

_USUAL_THRESHOLD = 0.1


@dataclass(frozen=True, eq=False)
class Tile:
    """The slice of a volume that is nearest to the position.

    Attributes:
        volume: it is of.
        number: of the slice, from 0.
        position: of the slice.
        frame: how it is related to what is compared with.
        left_out: whether its volume is not learned from.
    """

    volume: PlacedVolume
    number: int
    position: float
    frame: Frame
    left_out: bool = False


@dataclass(frozen=True)
class Chosen:
    """The slice that the others are compared with: the id of its volume and its number, from 0."""

    volume: str
    number: int


class Inspector:
    """What is looked at.

    Signals:
        renewed: there is another report, or none any more.
        changed: something else than the position has changed.
        moved: the position has changed.
    """

    def __init__(self) -> None:
        self.renewed = Signal[[]]()
        self.changed = Signal[[]]()
        self.moved = Signal[[]]()
        self.report: PositionReport | None = None
        self.pictures: Thumbnails | None = None
        self.position = 0.5
        self.common_frame = False
        self.chosen: Chosen | None = None
        self.left_out: frozenset[str] = frozenset()
        self.flipped: frozenset[str] = frozenset()
        self._threshold = 0.0

    def show(self, report: PositionReport | None, pictures: Thumbnails | None) -> None:
        """Takes what was found; None forgets it."""
        if self.pictures is not None:
            self.pictures.close()
        self.report, self.pictures, self.chosen = report, pictures, None
        self.renewed.emit()

    @property
    def volumes(self) -> tuple[PlacedVolume, ...]:
        """All volumes."""
        return self.report.volumes if self.report is not None else ()

    def volume(self, name: str) -> PlacedVolume | None:
        """The volume of an id."""
        return next((one for one in self.volumes if one.id == name), None)

    # What is set

    def move(self, position: float) -> None:
        """Looks at another position, of 0 to 1."""
        position = min(1.0, max(0.0, position))
        if position != self.position:
            self.position = position
            self.moved.emit()

    def move_to(self, volume: PlacedVolume, number: int) -> None:
        """Looks at the position of a slice, unless the slice is the one that is shown already."""
        if self.tile_of(volume).number != number:
            self.move(float(self.positions_of(volume)[number]))

    def choose(self, volume: PlacedVolume, number: int) -> None:
        """Compares with a slice from now on."""
        self.chosen = Chosen(volume.id, number)
        self.changed.emit()

    def let_go(self) -> None:
        """Compares with the position of the slider again."""
        self.chosen = None
        self.changed.emit()

    def place_by(self, common_frame: bool) -> None:
        """Takes the positions in the common frame, or m / n."""
        self.common_frame = common_frame
        self.changed.emit()

    def set_threshold(self, value: float) -> None:
        """The threshold that is set elsewhere; 0 takes the proposed one."""
        if value != self._threshold:
            self._threshold = value
            self.changed.emit()

    def mark(self, left_out: Collection[str], flipped: Collection[str]) -> None:
        """Which volumes a person leaves out, and which run the other way."""
        before = self.left_out, self.flipped
        self.left_out, self.flipped = frozenset(left_out), frozenset(flipped)
        if before != (self.left_out, self.flipped):
            self.changed.emit()

    # What follows

    @property
    def threshold(self) -> float:
        """The threshold that is drawn."""
        proposed = self.report.threshold if self.report is not None else None
        return self._threshold or proposed or _USUAL_THRESHOLD

    @property
    def likeness(self) -> np.ndarray:
        """(bins, bins) similarity by the positions that are gone by."""
        assert self.report is not None
        return self.report.aligned if self.common_frame else self.report.relative

    def positions_of(self, volume: PlacedVolume) -> np.ndarray:
        """(slices,) positions by the chosen rule; those of a volume that was flipped meanwhile from the other end."""
        if self.common_frame:
            return volume.aligned
        as_told = (volume.id in self.flipped) == volume.turned
        return volume.relative if as_told else volume.relative[::-1]

    @property
    def compared_with(self) -> float:
        """The position that the band of the threshold lies around."""
        volume = self.volume(self.chosen.volume) if self.chosen is not None else None
        if volume is None or self.chosen is None:
            return self.position
        return float(self.positions_of(volume)[self.chosen.number])

    def positive(self, volume: PlacedVolume, number: int) -> bool:
        """Whether the pretraining takes a slice for alike what is compared with.

        Positions are compared as fractions, as there.
        """
        chosen = self.chosen
        theirs = self.volume(chosen.volume) if chosen is not None else None
        there = exact(self.position) if chosen is None or theirs is None else self._exact(theirs, chosen.number)
        return abs(self._exact(volume, number) - there) < exact(self.threshold)

    def _exact(self, volume: PlacedVolume, number: int) -> Fraction:
        parts = FINEST if self.common_frame else volume.count
        return Fraction(round(float(self.positions_of(volume)[number]) * parts), parts)

    def tiles(self) -> tuple[Tile, ...]:
        """The slice nearest to the position of every volume, in the order of the report."""
        return tuple(self.tile_of(volume) for volume in self.volumes)

    def tile_of(self, volume: PlacedVolume) -> Tile:
        """The slice of a volume that is nearest to the position."""
        positions = self.positions_of(volume)
        number = int(np.abs(positions - self.position).argmin())
        position = float(positions[number])
        return Tile(volume, number, position, self._frame(volume, number, position), volume.id in self.left_out)

    def _frame(self, volume: PlacedVolume, number: int, position: float) -> Frame:
        if self.chosen == Chosen(volume.id, number):
            return Frame.CHOSEN
        if abs(position - self.position) > self._step(volume) + 1e-3 or volume.id in self.left_out:
            return Frame.AWAY
        return Frame.POSITIVE if self.positive(volume, number) else Frame.NEGATIVE

    def _step(self, volume: PlacedVolume) -> float:
        """How far the slices of a volume lie apart in position."""
        positions = self.positions_of(volume)
        return abs(float(positions[-1] - positions[0])) / (len(positions) - 1) if len(positions) > 1 else 1.0
