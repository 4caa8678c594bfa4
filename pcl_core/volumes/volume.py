"""A volume on disk, before its voxels are read, and after."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from pcl_core.volumes.geometry import Geometry

Format = Literal["nifti", "nrrd", "metaimage", "dicom"]
# The value of label voxels that nobody annotated: they are neither learned from nor counted.
NOT_ANNOTATED = 255


@dataclass(frozen=True)
class VolumeSource:
    """One volume as its headers describe it: a file, one frame of a 4-D file, or a DICOM series.

    Attributes:
        id: name that is unique among the inputs of a command; results are called ``<id>_seg.nrrd``.
        files: the file, or the files of a DICOM series in order of position.
        format: what reads it.
        geometry: the stored grid of this volume (of the frame, for 4-D files).
        dtype: NumPy's name of the stored voxel type.
        patient: volumes of one patient share it; folds and hold-outs go by patient.
        frame: index in a 4-D file or in a series with repeated positions; None when there is only one.
        notes: what the headers show to be doubtful (unequal spacing within a series, a sheared grid).
        data_set: of a label map, the key of ``data_sets.DATA_SETS`` whose values it holds; empty when it is of none.
    """

    id: str
    files: tuple[Path, ...]
    format: Format
    geometry: Geometry
    dtype: str
    patient: str
    frame: int | None = None
    notes: tuple[str, ...] = field(default=())
    data_set: str = ""

    @property
    def path(self) -> Path:
        """The file, or the folder of a DICOM series: what messages name."""
        return self.files[0] if len(self.files) == 1 else self.files[0].parent


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels (z, y, x) as stored, scaled to their real values, with the source that they came from."""

    voxels: np.ndarray
    source: VolumeSource

    @property
    def geometry(self) -> Geometry:
        """The grid on which the voxels lie."""
        return self.source.geometry


@dataclass(frozen=True)
class Unreadable:
    """A file that looks like a volume and cannot be used, and why."""

    path: Path
    reason: str
