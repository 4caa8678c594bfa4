"""Positions of slices, outliers and the similarity by position, as the engine's ``positions --json`` writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from PCLLib.slice_lines import SliceLine


@dataclass(frozen=True)
class Outlier:
    """What is wrong with a volume.

    Attributes:
        kind: ``flipped``, ``truncated`` or ``unlike``.
        reason: a sentence.
        slice: number of a slice to look at, from 0.
    """

    kind: str
    reason: str
    slice: int


@dataclass(frozen=True, eq=False)
class PlacedVolume:
    """One volume and where its slices lie. Slices are numbered from 0 in the engine's order of position.

    Attributes:
        id: unique in the report.
        path: the file, or the folder of a DICOM series.
        format: ``nifti``, ``nrrd``, ``metaimage`` or ``dicom``.
        plane: of its slices: axial, coronal or sagittal.
        line: where their centres lie in the file's own coordinates.
        relative: (slices,) positions as m / n.
        aligned: (slices,) positions in the common frame of all volumes; some may lie outside 0 to 1.
        turned: whether it was said to run the other way when this was measured: ``relative`` is counted from the other end.
        outliers: what is wrong with it.
        first_row: of its pictures.
        part: which of the volumes of its path it is, from 0; None when it is the only one.
    """

    id: str
    path: Path
    format: str
    plane: str
    line: SliceLine
    relative: np.ndarray
    aligned: np.ndarray
    turned: bool
    outliers: tuple[Outlier, ...]
    first_row: int
    part: int | None = None

    @property
    def count(self) -> int:
        """How many slices it has."""
        return self.line.count

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PlacedVolume:
        """Reads one entry of ``volumes``."""
        return cls(
            id=data["id"],
            path=Path(data["path"]),
            format=data["format"],
            plane=data["plane"],
            line=SliceLine.from_lps(data["first_centre"], data["step"], data["slices"]),
            relative=np.asarray(data["positions"], float),
            aligned=np.asarray(data["aligned"], float),
            turned=data["counted_from_the_other_end"],
            outliers=tuple(Outlier(one["kind"], one["reason"], one["slice"]) for one in data["outliers"]),
            first_row=data["first_row"],
            part=data["part"],
        )


@dataclass(frozen=True, eq=False)
class PositionReport:
    """What was found about a set of volumes.

    Attributes:
        axis: across which the slices lie, by the engine's name.
        volumes: in the engine's order, which stays.
        threshold: proposed; None when the positions say nothing.
        reason: of the threshold, a sentence.
        relative: (bins, bins) similarity of slices of different volumes, by their positions m / n; NaN where there are none.
        aligned: the same by the positions in the common frame.
        left_out: what is wrong with each volume that could not be used, by its path.
    """

    axis: str
    volumes: tuple[PlacedVolume, ...]
    threshold: float | None
    reason: str
    relative: np.ndarray
    aligned: np.ndarray
    left_out: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> PositionReport:
        """Reads the file that ``positions --json`` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        advice = data["threshold"] or {"proposed": None, "reason": ""}
        return cls(
            axis=data["axis"],
            volumes=tuple(PlacedVolume.from_json(row) for row in data["volumes"]),
            threshold=advice["proposed"],
            reason=advice["reason"],
            relative=np.asarray(data["likeness"]["relative"], float),
            aligned=np.asarray(data["likeness"]["aligned"], float),
            left_out={one["path"]: one["reason"] for one in data["left_out"]},
        )

    @property
    def outliers(self) -> tuple[tuple[PlacedVolume, Outlier], ...]:
        """Every volume with what is wrong with it."""
        return tuple((volume, one) for volume in self.volumes for one in volume.outliers)
