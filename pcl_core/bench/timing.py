"""What is said of a stage."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Timing:
    """One stage.

    Attributes:
        name: of the stage, with its size.
        seconds: as this software does it, the median of several times.
        floor_seconds: at the machine's measured rates.
        baseline_seconds: in the plain way.
        slices_per_second: of ``seconds``.
        peak_bytes: largest memory of this process in the stage, or of the GPU.
    """

    name: str
    seconds: float
    floor_seconds: float
    baseline_seconds: float
    slices_per_second: float
    peak_bytes: int | None


@dataclass(frozen=True)
class Stage:
    """A stage's timing, and the share of it in which the device was busy."""

    timing: Timing
    busy: float
