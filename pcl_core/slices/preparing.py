"""A volume becomes prepared slices, and what a network says about them goes back onto the volume's own grid.

Intensities are clipped to two percentiles of the whole volume and scaled to 0..1; slices are resampled in-plane to one
resolution and padded with 0 to a square; along the slice axis nothing changes (paper, section 4, Preprocessing).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from skimage.transform import resize

from pcl_core.errors import InputError
from pcl_core.plan import SlicePlan
from pcl_core.presets import STRIDE
from pcl_core.volumes.geometry import CanonicalView, Geometry, canonical_view
from pcl_core.volumes.volume import Volume, VolumeSource

NOT_ANNOTATED = 255


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
    pixels = [max(1, round(view.shape[k] * view.spacing[k] / plan.resolution_mm)) for k in (1, 2)]
    side = plan.size
    if max(pixels) > side:
        if shrink:
            factor = side / max(pixels)
            pixels = [max(1, round(length * factor)) for length in pixels]
        else:
            side = -(-max(pixels) // STRIDE) * STRIDE
    return SliceGrid(view, (pixels[0], pixels[1]), side)


def normalise(voxels: np.ndarray, plan: SlicePlan, source: VolumeSource) -> np.ndarray:
    """Clips voxels to the plan's percentiles of the volume and scales them to 0..1.

    Returns:
        32-bit floats, shaped alike.

    Raises:
        InputError: a voxel is not a number or not finite, or all are (nearly) the same.
    """
    values = voxels.astype(np.float32, copy=False)
    low, high = (float(value) for value in np.percentile(values, [plan.low_percentile, plan.high_percentile]))
    if not np.isfinite([low, high, values.sum(dtype=np.float64)]).all():
        raise InputError(f"{source.path} has voxels that are not numbers (NaN or infinite).", "Repair it or leave it out.")
    if high <= low:
        low, high = float(values.min()), float(values.max())
    if high <= low:
        raise InputError(f"{source.path} is constant: every voxel is {low:g}.", "Leave it out.")
    return (np.clip(values, low, high) - low) / (high - low)


def prepare_images(volume: Volume, plan: SlicePlan, shrink: bool) -> tuple[np.ndarray, SliceGrid]:
    """Prepared slices of a volume.

    Returns:
        (slices, side, side) 32-bit floats of 0 to 1, in order of position, and their grid.

    Raises:
        InputError: the volume cannot be normalised.
    """
    grid = slice_grid(volume.geometry, plan, shrink)
    values = grid.view.apply(normalise(volume.voxels, plan, volume.source))
    return _place(resample_linear(values, grid.pixels), grid), grid


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
    values = np.unique(canonical)
    best = np.full((canonical.shape[0], *grid.pixels), -1.0, dtype=np.float32)
    resampled = np.zeros(best.shape, dtype=np.uint8)
    for value in values:
        share = resample_linear((canonical == value).astype(np.float32), grid.pixels)
        wins = share > best
        best[wins] = share[wins]
        resampled[wins] = value
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
    padded = np.zeros(grid.shape, dtype=slices.dtype)
    padded[(slice(None), *grid.window)] = slices
    return padded
