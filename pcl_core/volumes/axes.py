"""The names of slice axes; free of NumPy, so that the command line knows them at once."""

from __future__ import annotations

from typing import Literal

Axis = Literal["auto", "axial", "coronal", "sagittal"]
AXES: tuple[Axis, ...] = ("auto", "axial", "coronal", "sagittal")
