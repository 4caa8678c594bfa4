"""The report of a folder of volumes, as the engine's ``scan --json`` writes it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pcl_core.volumes.geometry import Geometry

# In the engine's coordinates, which grow to the left, to the back and to the head.
_DIRECTIONS = {
    "L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1),
}  # fmt: skip


@dataclass(frozen=True)
class VolumeRow:
    """One volume that can be used.

    Attributes:
        id: unique in the report.
        path: the file, or the folder of a DICOM series.
        format: ``nifti``, ``nrrd``, ``metaimage`` or ``dicom``.
        size: voxels along the stored axes x, y, z.
        spacing: in mm, along the same.
        plane: of its slices: axial, coronal or sagittal.
        slices: how many.
        frame: in a file of several; None for a volume of its own.
        warnings: what is doubtful about it, in sentences.
        labels: the label file that belongs to it, or None.
        part: which of the volumes of its path it is, from 0 (a frame, or one of several DICOM series of a folder); None when
            it is the only one.
        patient: whose it is; volumes of one patient share it.
        parts: how many volumes its path holds.
        labels_frame: which frame of the label file is its own, from 0; None when that file holds one.
        orientation: letters of the patient directions in which the stored axes grow, such as ``LPS``; empty when unknown.
        intensity: smallest and largest of some of its voxels; None when none were looked at.
    """

    id: str
    path: Path
    format: str
    size: tuple[int, ...]
    spacing: tuple[float, ...]
    plane: str
    slices: int
    frame: int | None
    warnings: tuple[str, ...]
    labels: Path | None = None
    part: int | None = None
    patient: str = ""
    parts: int = 1
    labels_frame: int | None = None
    orientation: str = ""
    intensity: tuple[float, float] | None = None

    @property
    def geometry(self) -> Geometry | None:
        """Its grid, but for where it lies and how far it is tilted; None when its orientation is unknown."""
        if len(self.orientation) != 3 or len(self.size) != 3 or len(self.spacing) != 3:
            return None
        direction = np.stack([_DIRECTIONS[letter] for letter in self.orientation], axis=1)
        size, spacing = (self.size[0], self.size[1], self.size[2]), (self.spacing[0], self.spacing[1], self.spacing[2])
        return Geometry(size, spacing, (0.0, 0.0, 0.0), tuple(float(value) for value in direction.ravel()))

    @property
    def key(self) -> str:
        """Tells it from all other volumes of the disk."""
        return str(self.path) if self.part is None else f"{self.path}#{self.part}"

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> VolumeRow:
        """Reads one entry of ``volumes``."""
        return cls(
            id=data["id"],
            path=Path(data["path"]),
            format=data["format"],
            size=tuple(data["size"]),
            spacing=tuple(data["spacing"]),
            plane=data["slice_axis"],
            slices=data["slices"],
            frame=data["frame"],
            warnings=tuple(data["warnings"]),
            labels=Path(data["labels"]) if data.get("labels") else None,
            patient=data.get("patient", ""),
            labels_frame=data.get("labels_frame"),
            orientation=data.get("orientation", ""),
            intensity=_range(data.get("intensity_range")),
        )


@dataclass(frozen=True)
class BadFile:
    """A file that cannot be used, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class ScanReport:
    """What a folder holds.

    Attributes:
        folder: that was looked at.
        volumes: that can be used, in order of their paths.
        bad: files that cannot.
        warnings: what concerns no single volume.
    """

    folder: Path
    volumes: tuple[VolumeRow, ...]
    bad: tuple[BadFile, ...]
    warnings: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> ScanReport:
        """Reads the file that ``scan --json`` wrote."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            folder=Path(data["input"]),
            volumes=_with_parts([VolumeRow.from_json(row) for row in data["volumes"]]),
            bad=tuple(BadFile(Path(row["path"]), row["reason"]) for row in data["unreadable"]),
            warnings=tuple(row["message"] for row in data["warnings"]),
        )

    def kept(self, left_out: Collection[str]) -> tuple[VolumeRow, ...]:
        """The volumes whose ids are not left out."""
        return tuple(row for row in self.volumes if row.id not in left_out)

    def names_of(self, left_out: Collection[str]) -> list[str]:
        """What ``pretrain --exclude-from`` understands for some ids: paths, or the id where a file holds several volumes.

        Paths go first, since the id of one volume may be the patient of others.
        """
        files = Counter(row.path for row in self.volumes)
        return [str(row.path) if files[row.path] == 1 else row.id for row in self.volumes if row.id in left_out]


def _range(ends: Sequence[float] | None) -> tuple[float, float] | None:
    return None if ends is None else (float(ends[0]), float(ends[1]))


def _with_parts(rows: Sequence[VolumeRow]) -> tuple[VolumeRow, ...]:
    """Numbers the volumes that share a path, in the order of the report."""
    shared, seen = Counter(row.path for row in rows), Counter[Path]()
    numbered = []
    for row in rows:
        numbered.append(row if shared[row.path] == 1 else replace(row, part=seen[row.path], parts=shared[row.path]))
        seen[row.path] += 1
    return tuple(numbered)
