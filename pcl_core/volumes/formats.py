"""Which files are volumes, what their names end in, and how a volume that cannot be used is refused."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from pcl_core.errors import InputError
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.volume import Format, Unreadable

# Longest first, so that .nii.gz is not taken for .gz.
_FORMATS: dict[str, Format] = {
    ".nii.gz": "nifti",
    ".nii": "nifti",
    ".nrrd": "nrrd",
    ".nhdr": "nrrd",
    ".mha": "metaimage",
    ".mhd": "metaimage",
}
KNOWN = "NIfTI (.nii, .nii.gz), NRRD (.nrrd, .nhdr), MetaImage (.mha, .mhd) or a folder with a DICOM series"
AGAIN = "Copy or export the file again."


class NotReadableError(InputError):
    """A file that cannot be used as a volume.

    Attributes:
        path: the file, or the folder of a DICOM series.
        reason: why, as words that go after a colon, without a full stop.
    """

    def __init__(self, path: Path, reason: str, hint: str = AGAIN) -> None:
        super().__init__(f"Cannot use {path}: {reason}.", hint)
        self.path = path
        self.reason = reason

    def as_unreadable(self) -> Unreadable:
        """The same as a row of a report."""
        return Unreadable(self.path, self.reason)


def format_of(path: Path) -> Format | None:
    """What reads ``path``, going by its name; None when the name does not tell (DICOM files often have no suffix)."""
    name = path.name.lower()
    return next((kind for suffix, kind in _FORMATS.items() if name.endswith(suffix)), None)


def stem_of(path: Path) -> str:
    """The file's name without the suffix of its format: ``case.nii.gz`` is ``case``, ``a.b`` without a known one is ``a``."""
    name = path.name.lower()
    suffix = next((suffix for suffix in _FORMATS if name.endswith(suffix)), path.suffix)
    return path.name[: len(path.name) - len(suffix)]


def frame_id(base: str, frame: int, frames: int) -> str:
    """The id of frame ``frame`` (from 0) of ``frames``: ``<base>_frame01`` is the first, with two digits or more."""
    return f"{base}_frame{frame + 1:0{max(2, len(str(frames)))}d}"


def checked_geometry(path: Path, geometry: Geometry) -> tuple[Geometry, tuple[str, ...]]:
    """Makes sure that a grid can be worked with, and notes what is doubtful about it.

    Returns:
        the grid, and sentences about it: a single slice, sheared axes.

    Raises:
        NotReadableError: there are no voxels, or a spacing, a position or a direction is not a number or 0.
    """
    figures = (*geometry.spacing, *geometry.origin, *geometry.direction)
    if min(geometry.size) < 1:
        raise NotReadableError(path, "it has no voxels")
    if not all(map(math.isfinite, figures)) or min(geometry.spacing) <= 0 or abs(np.linalg.det(geometry.matrix)) < 1e-3:
        raise NotReadableError(
            path, "its header gives no usable spacing and orientation", "Export it again, or correct its header."
        )
    notes = []
    if min(geometry.size) == 1:
        notes.append("It has a single slice.")
    skew = float(np.abs(geometry.matrix.T @ geometry.matrix - np.eye(3)).max())
    if skew > 1e-3:
        notes.append(f"Its voxel axes are not at right angles (off by {math.degrees(math.asin(min(1.0, skew))):.1f} degrees).")
    return geometry, tuple(notes)


def refuse_two_dimensions(path: Path) -> NotReadableError:
    """The refusal of a picture."""
    return NotReadableError(path, "it is a 2-D image, not a volume", "Give a volume, that is, a stack of slices in one file.")


def refuse_vectors(path: Path) -> NotReadableError:
    """The refusal of colours, vectors, complex numbers and overlapping segments."""
    return NotReadableError(
        path,
        "it holds several numbers a voxel (colours, vectors or overlapping segments)",
        "Save one value a voxel: a scalar volume or a label map.",
    )
