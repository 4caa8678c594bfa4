"""Where the centres of slices lie, in Slicer's coordinates (RAS, mm)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
import vtk

from pcl_core.volumes.axes import Axis
from pcl_core.volumes.geometry import slice_line
from PCLLib.volume_nodes import geometry_of

_LPS = np.array([-1.0, -1.0, 1.0])
# Slicer's slice views count their offsets to the left, the front and the head.
_COUNTED, _LETTERS = np.array([-1.0, 1.0, 1.0]), "LAS"


@dataclass(frozen=True, eq=False)
class SliceLine:
    """The centres of a volume's slices, in the engine's order of position.

    Attributes:
        first: (3,) centre of slice 0.
        step: (3,) from the centre of a slice to that of the next.
        count: how many slices there are.
    """

    first: np.ndarray
    step: np.ndarray
    count: int

    @classmethod
    def from_lps(cls, first: Sequence[float], step: Sequence[float], count: int) -> SliceLine:
        """From the engine's coordinates."""
        return cls(np.asarray(first) * _LPS, np.asarray(step) * _LPS, count)

    @property
    def normal(self) -> np.ndarray:
        """(3,) unit vector along the line, pointing to the left, the front or the head, as Slicer counts its slice offsets."""
        unit: np.ndarray = self.step / np.linalg.norm(self.step)
        main = int(np.abs(unit).argmax())
        return unit if unit[main] * _COUNTED[main] > 0 else -unit

    @property
    def letter(self) -> str:
        """Of the patient direction nearest to the line: L, A or S."""
        return _LETTERS[int(np.abs(self.step).argmax())]

    def centre(self, number: int) -> np.ndarray:
        """(3,) centre of a slice."""
        found: np.ndarray = self.first + number * self.step
        return found

    def millimetres(self, number: int) -> float:
        """What Slicer shows as the offset of a slice view that lies in the slice."""
        return float(self.centre(number) @ self.normal)

    def nearest(self, point: np.ndarray, normal: np.ndarray) -> int:
        """The slice whose centre is nearest to the plane through ``point`` (3,) with the normal (3,)."""
        where = (point - self.first) @ normal / (self.step @ normal)
        return int(np.clip(np.round(where), 0, self.count - 1))


def line_of(volume: Any, axis: Axis) -> SliceLine:
    """The line of a volume node as it lies in the scene, also under a transform.

    Raises:
        NotAVolumeError: the node has no slices.
    """
    line = slice_line(geometry_of(volume), axis)
    own = SliceLine.from_lps(line.first, line.step, line.count)
    parent = volume.GetParentTransformNode()
    if parent is None:
        return own
    transform = vtk.vtkGeneralTransform()
    slicer.vtkMRMLTransformNode.GetTransformBetweenNodes(parent, None, transform)
    first, last = (np.asarray(transform.TransformPoint(*own.centre(number))) for number in (0, max(1, own.count - 1)))
    return SliceLine(first, (last - first) / max(1, own.count - 1), own.count)
