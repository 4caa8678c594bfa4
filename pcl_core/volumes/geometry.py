"""Where a volume's voxels lie in the patient, and in which order its slices are looked at.

Patient coordinates are LPS in mm, as DICOM and ITK have them: x grows to the patient's left, y to the back (posterior), z to
the head (superior). Voxel arrays are indexed (z, y, x): the stored third axis first. This file needs NumPy only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from pcl_core.volumes.axes import Axis

# Patient axis (0 left, 1 posterior, 2 superior) across which the slices of a named plane are stacked.
_NORMAL_OF_PLANE = {"sagittal": 0, "coronal": 1, "axial": 2}
# Sign along each patient axis in which positions grow: left, anterior, superior.
_POSITION_SIGN = (1, -1, 1)
# For slices stacked along a patient axis: (row axis, sign), (column axis, sign) of the canonical picture. Axial slices show
# anterior at the top, coronal and sagittal ones the head; columns grow to the patient's left, or to the back.
_PICTURE = {2: ((1, 1), (0, 1)), 1: ((2, -1), (0, 1)), 0: ((2, -1), (1, 1))}
_LETTERS = (("R", "L"), ("A", "P"), ("I", "S"))
# Spacings that differ by less are the same spacing, written with different rounding.
SAME_SPACING = 1e-3


@dataclass(frozen=True)
class Geometry:
    """The grid of a volume.

    Attributes:
        size: voxels along the stored axes (x, y, z).
        spacing: mm between voxel centres along (x, y, z).
        origin: LPS position in mm of the centre of voxel (0, 0, 0).
        direction: 3 x 3, row by row; column k is the LPS unit vector of stored axis k (ITK's convention).
    """

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: tuple[float, ...]

    @property
    def matrix(self) -> np.ndarray:
        """The direction as a (3, 3) array whose columns are the stored axes x, y, z."""
        return np.asarray(self.direction, dtype=float).reshape(3, 3)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape (z, y, x) of the voxel array."""
        return self.size[2], self.size[1], self.size[0]

    @property
    def voxel_volume(self) -> float:
        """Volume of a voxel in cubic mm."""
        return float(np.prod(self.spacing))

    def orientation(self) -> str:
        """Letters of the patient directions in which the stored axes x, y, z grow, such as ``LPS``."""
        axes = patient_axes(self.matrix)
        return "".join(_LETTERS[axis][int(self.matrix[axis, k] > 0)] for k, axis in enumerate(axes))

    def differs_from(self, other: Geometry, tolerance: float = 1e-3) -> str:
        """Says in words how the grids differ, or nothing when they are the same within ``tolerance`` voxels."""
        if self.size != other.size:
            return f"its size {_by(self.size)} is not {_by(other.size)}"
        if not np.allclose(self.spacing, other.spacing, rtol=tolerance, atol=0):
            return f"its spacing {_by(self.spacing)} mm is not {_by(other.spacing)} mm"
        if not np.allclose(self.direction, other.direction, atol=tolerance):
            return "its direction is another one"
        if not np.allclose(self.origin, other.origin, atol=tolerance * max(self.spacing)):
            return f"its origin {_by(self.origin)} mm is not {_by(other.origin)} mm"
        return ""


@dataclass(frozen=True)
class CanonicalView:
    """How the stored array is turned into canonical slices, and back.

    Attributes:
        order: the stored array axes, as indices into (z, y, x), that become (slice, row, column).
        flips: whether each of (slice, row, column) runs against its stored axis.
        spacing: mm along (slice, row, column).
        shape: voxels along (slice, row, column).
        normal: patient direction in which positions grow: ``S``, ``A`` or ``L``.
    """

    order: tuple[int, int, int]
    flips: tuple[bool, bool, bool]
    spacing: tuple[float, float, float]
    shape: tuple[int, int, int]
    normal: str

    def apply(self, array: np.ndarray) -> np.ndarray:
        """Views a stored (z, y, x) array as (slice, row, column), without copying."""
        view: np.ndarray = np.flip(array.transpose(self.order), tuple(k for k in range(3) if self.flips[k]))
        return view

    def invert(self, array: np.ndarray) -> np.ndarray:
        """Views a (slice, row, column) array as the stored (z, y, x), without copying: the exact inverse of apply."""
        back: np.ndarray = np.flip(array, tuple(k for k in range(3) if self.flips[k]))
        return back.transpose([self.order.index(k) for k in range(3)])


def patient_axes(matrix: np.ndarray) -> tuple[int, int, int]:
    """The patient axis (0 left-right, 1 front-back, 2 foot-head) nearest to each stored axis x, y, z, each used once.

    The assignment with the largest sum of absolute cosines wins. It depends on the directions only, not on the order or the
    sense in which the axes are stored, so a flipped or permuted volume is assigned alike (greedy assignment is not so near 45
    degrees, and neither are ties at 45 degrees unless something that belongs to the directions decides them).
    """

    def fit(axes: Sequence[int]) -> tuple[float, ...]:
        left, front, head = (matrix[:, list(axes).index(axis)] for axis in range(3))
        total = abs(left[0]) + abs(front[1]) + abs(head[2])
        ties = (abs(head[2]), abs(front[1]), head[1] * head[2], head[0] * head[2], front[0] * front[1])
        return tuple(round(float(value), 6) for value in (total, *ties))

    best = max(permutations(range(3)), key=fit)
    return best[0], best[1], best[2]


def through_plane_axis(spacing: Sequence[float], nearest: Sequence[int] = (0, 1, 2)) -> int:
    """The stored axis (0 x, 1 y, 2 z) across which slices are stacked: the one with the largest spacing.

    A tie goes to the third stored axis, or when that is not among the largest, to the one whose ``nearest`` patient axis is
    foot-head or else front-back, which does not depend on the order of storage.
    """
    largest = [k for k in range(3) if spacing[k] >= max(spacing) * (1 - SAME_SPACING)]
    return 2 if 2 in largest else max(largest, key=lambda k: nearest[k])


def canonical_view(geometry: Geometry, axis: Axis = "auto") -> CanonicalView:
    """Decides the slice axis and the canonical orientation of a grid.

    Args:
        geometry: the stored grid.
        axis: ``auto`` takes the through-plane axis, the others the stored axis nearest to the plane's normal.

    Returns:
        a view whose slices and positions are the same for the same anatomy, however it was flipped or permuted in storage.
    """
    nearest = patient_axes(geometry.matrix)
    stacked = through_plane_axis(geometry.spacing, nearest) if axis == "auto" else nearest.index(_NORMAL_OF_PLANE[axis])
    normal = nearest[stacked]
    wanted = ((normal, _POSITION_SIGN[normal]), *_PICTURE[normal])
    stored = [nearest.index(patient) for patient, _ in wanted]
    flips = [geometry.matrix[patient, k] * sign < 0 for k, (patient, sign) in zip(stored, wanted, strict=True)]
    return CanonicalView(
        order=(2 - stored[0], 2 - stored[1], 2 - stored[2]),
        flips=(bool(flips[0]), bool(flips[1]), bool(flips[2])),
        spacing=(geometry.spacing[stored[0]], geometry.spacing[stored[1]], geometry.spacing[stored[2]]),
        shape=(geometry.size[stored[0]], geometry.size[stored[1]], geometry.size[stored[2]]),
        normal="LAS"[normal],
    )


@dataclass(frozen=True)
class SliceLine:
    """Where the centres of a volume's slices lie: on a line, in order of position.

    Attributes:
        first: LPS position in mm of the centre of the slice 0.
        step: LPS vector in mm from the centre of a slice to that of the next.
        count: how many slices there are.
    """

    first: tuple[float, float, float]
    step: tuple[float, float, float]
    count: int


def slice_line(geometry: Geometry, axis: Axis = "auto") -> SliceLine:
    """The centres of the slices that ``canonical_view`` cuts a grid into."""
    view = canonical_view(geometry, axis)
    stacked = 2 - view.order[0]
    middle = (np.asarray(geometry.size, dtype=float) - 1) / 2
    middle[stacked] = geometry.size[stacked] - 1 if view.flips[0] else 0
    first = np.asarray(geometry.origin) + geometry.matrix @ (middle * np.asarray(geometry.spacing))
    step = geometry.matrix[:, stacked] * geometry.spacing[stacked] * (-1 if view.flips[0] else 1)
    return SliceLine(_triple(first), _triple(step), view.shape[0])


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])


def _by(values: Sequence[float]) -> str:
    return " x ".join(f"{value:g}" for value in values)
