"""A volume becomes prepared slices, and what a network says about them goes back onto the volume's own grid.

Intensities are clipped to two percentiles of the whole volume and scaled to 0..1; slices are resampled in-plane to one
resolution and padded with 0 to a square; along the slice axis nothing changes (paper, section 4, Preprocessing).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from skimage.transform import resize

from pcl_core.errors import InputError
from pcl_core.plan import SlicePlan
from pcl_core.presets import STRIDE
from pcl_core.volumes.geometry import CanonicalView, Geometry, canonical_view
from pcl_core.volumes.volume import NOT_ANNOTATED, Volume, VolumeSource

# Voxels that are prepared at once.
_VOXELS_AT_ONCE = 1 << 20
# Intensities that differ by more overflow 32-bit floats.
_LARGEST = 3e38


@dataclass(frozen=True)
class SliceGrid:
    """Where the slices of one volume lie in the padded squares.

    Attributes:
        view: how the stored array is turned into (slice, row, column).
        pixels: (rows, columns) of a slice at the plan's resolution.
        side: of the padded square.
    """

    view: CanonicalView
    pixels: tuple[int, int]
    side: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """(slices, side, side)."""
        return self.view.shape[0], self.side, self.side

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the square in which the slice lies."""
        top, left = ((self.side - length) // 2 for length in self.pixels)
        return slice(top, top + self.pixels[0]), slice(left, left + self.pixels[1])


def slice_grid(geometry: Geometry, plan: SlicePlan, shrink: bool) -> SliceGrid:
    """Decides the grid of a volume's slices.

    Args:
        geometry: of the volume.
        plan: axis, resolution and size.
        shrink: what becomes of a slice that is larger than the plan's size. True (training, where a batch has one size):
            it is resampled more coarsely until it fits. False (prediction): the square grows to the next multiple of 16.
            Anatomy is never cut off.
    """
    view = canonical_view(geometry, plan.axis)
    pixels = _pixels(view, plan)
    side = plan.size
    if max(pixels) > side:
        if shrink:
            factor = side / max(pixels)
            pixels = [max(1, round(length * factor)) for length in pixels]
        else:
            side = -(-max(pixels) // STRIDE) * STRIDE
    return SliceGrid(view, (pixels[0], pixels[1]), side)


def largest_side(geometry: Geometry, plan: SlicePlan) -> int:
    """The larger side of a volume's slices in pixels of the plan's resolution, whatever the plan's size."""
    return max(_pixels(canonical_view(geometry, plan.axis), plan))


def _pixels(view: CanonicalView, plan: SlicePlan) -> list[int]:
    return [max(1, round(view.shape[k] * view.spacing[k] / plan.resolution_mm)) for k in (1, 2)]


def intensity_range(voxels: np.ndarray, plan: SlicePlan, source: VolumeSource) -> tuple[float, float]:
    """The intensities that become 0 and 1: the plan's percentiles, or the extremes where those are the same.

    Raises:
        InputError: a voxel is not a number or not finite, or all are the same.
    """
    broken = InputError(f"{source.path} has voxels that are not numbers (NaN or infinite).", "Repair it or leave it out.")
    if voxels.dtype.kind == "f" and not np.isfinite(voxels).all():
        raise broken
    low, high = (float(value) for value in np.percentile(voxels, [plan.low_percentile, plan.high_percentile]))
    if high <= low:
        low, high = float(voxels.min()), float(voxels.max())
    if high <= low:
        raise InputError(f"{source.path} is constant: every voxel is {low:g}.", "Leave it out.")
    if not high - low < _LARGEST:
        raise broken
    return low, high


@dataclass(frozen=True, eq=False)
class Preparation:
    """How the slices of one volume are prepared, some at a time: a large volume is never held in floats as a whole.

    Attributes:
        slices: (slice, row, column) a view of the stored voxels.
        grid: of the prepared slices.
        low: intensity that becomes 0, like all below it.
        high: intensity that becomes 1, like all above it.
    """

    slices: np.ndarray
    grid: SliceGrid
    low: float
    high: float

    def images(self, part: slice) -> np.ndarray:
        """Prepares some slices: (n, side, side) 32-bit floats of 0 to 1."""
        values = (self.slices[part].clip(self.low, self.high) - self.low) / (self.high - self.low)
        values = values.astype(np.float32, copy=False).clip(0, 1)  # rounding may go beyond
        return _place(resample_linear(values, self.grid.pixels), self.grid)

    def parts(self) -> Iterator[slice]:
        """Runs of slices that are worth preparing at once."""
        count, rows, columns = self.slices.shape
        step = max(1, _VOXELS_AT_ONCE // max(rows * columns, self.grid.side**2))
        return (slice(first, min(first + step, count)) for first in range(0, count, step))


def preparation(volume: Volume, plan: SlicePlan, shrink: bool) -> Preparation:
    """Decides how a volume's slices are prepared; ``shrink`` as slice_grid takes it.

    Raises:
        InputError: the volume is constant or holds values that are not numbers.
    """
    grid = slice_grid(volume.geometry, plan, shrink)
    return Preparation(grid.view.apply(volume.voxels), grid, *intensity_range(volume.voxels, plan, volume.source))


def prepare_images(volume: Volume, plan: SlicePlan, shrink: bool) -> tuple[np.ndarray, SliceGrid]:
    """All prepared slices of a volume.

    Returns:
        (slices, side, side) 32-bit floats of 0 to 1, in order of position, and their grid.

    Raises:
        InputError: the volume is constant or holds values that are not numbers.
    """
    prepared = preparation(volume, plan, shrink)
    images = np.empty(prepared.grid.shape, dtype=np.float32)
    for part in prepared.parts():
        images[part] = prepared.images(part)
    return images, prepared.grid


def prepare_labels(labels: np.ndarray, grid: SliceGrid) -> np.ndarray:
    """Label maps on the grid of prepared slices.

    Each value's indicator is resampled linearly and the largest wins, which keeps borders smooth; 255 (not annotated) is
    resampled like a class.

    Args:
        labels: (z, y, x) as stored, uint8.
        grid: of the image.

    Returns:
        (slices, side, side) uint8; the padding is 0, background, but for slices that are not annotated at all: those are 255
        throughout.
    """
    canonical = grid.view.apply(labels)
    if canonical.shape[1:] == grid.pixels:
        return _place_labels(canonical, grid)
    resampled = np.zeros((len(canonical), *grid.pixels), dtype=np.uint8)
    for slices, out in zip(canonical, resampled, strict=True):
        best = np.full(grid.pixels, -1.0, dtype=np.float32)
        for value in np.unique(slices):
            share = resample_linear((slices == value)[None].astype(np.float32), grid.pixels)[0]
            wins = share > best
            best[wins] = share[wins]
            out[wins] = value
    return _place_labels(resampled, grid)


def resample_linear(slices: np.ndarray, pixels: tuple[int, int]) -> np.ndarray:
    """Resamples (n, rows, columns) floats to (n, *pixels), smoothing first where pixels are merged."""
    if slices.shape[1:] == pixels:
        return slices
    smaller = pixels[0] < slices.shape[1] or pixels[1] < slices.shape[2]
    resampled: np.ndarray = resize(  # type: ignore[no-untyped-call]
        slices, (len(slices), *pixels), order=1, mode="edge", anti_aliasing=smaller, preserve_range=True
    )
    return resampled


def _place_labels(slices: np.ndarray, grid: SliceGrid) -> np.ndarray:
    placed = _place(slices, grid)
    placed[(slices == NOT_ANNOTATED).all(axis=(1, 2))] = NOT_ANNOTATED
    return placed


def _place(slices: np.ndarray, grid: SliceGrid) -> np.ndarray:
    """Centres slices in squares of zeros."""
    padded = np.zeros((len(slices), grid.side, grid.side), dtype=slices.dtype)
    padded[(slice(None), *grid.window)] = slices
    return padded
