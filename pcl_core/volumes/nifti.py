"""NIfTI files, through nibabel: headers become sources, frames become voxels.

NIfTI counts positions in RAS; they are turned into LPS. Of its two matrices the one is taken that 3D Slicer (ITK) takes, so
that results lie on their image there: the sform when it means scanner coordinates, or else the qform, or else the sform.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.imageglobals import logger
from nibabel.spatialimages import HeaderDataError

from pcl_core.volumes.formats import (
    AGAIN,
    NotReadableError,
    checked_geometry,
    frame_id,
    refuse_two_dimensions,
    refuse_vectors,
    stem_of,
)
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.volume import VolumeSource

_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_SCANNER = 1
_CUT_SHORT = "it is cut short"
_BROKEN = (EOFError, OSError, zlib.error, ValueError, ImageFileError, HeaderDataError)


def nifti_sources(path: Path) -> list[VolumeSource]:
    """Reads the header of a NIfTI file.

    Returns:
        one source, or one a frame of a 4-D file; ``id`` comes from the file's name and ``patient`` is not known.

    Raises:
        NotReadableError: not NIfTI, cut short, 2-D, or with several numbers a voxel.
    """
    image = _open(path)
    shape = _three_or_four(path, image.shape)
    dtype = image.get_data_dtype()
    if dtype.kind not in "iuf":
        raise refuse_vectors(path)
    _require_complete(path, int(image.dataobj.offset) + int(np.prod(image.shape)) * dtype.itemsize)
    affine, notes = _affine(image)
    geometry, more = checked_geometry(path, _geometry(shape[:3], _RAS_TO_LPS @ affine))
    base = stem_of(path)
    frames = shape[3]
    scaled = float(image.dataobj.slope) != 1.0 or float(image.dataobj.inter) != 0.0
    return [
        VolumeSource(
            id=frame_id(base, k, frames) if frames > 1 else base,
            files=(path,),
            format="nifti",
            geometry=geometry,
            dtype="float32" if scaled else dtype.newbyteorder("=").name,
            patient="",
            frame=k if frames > 1 else None,
            notes=notes + more,
        )
        for k in range(frames)
    ]


def read_nifti(source: VolumeSource) -> np.ndarray:
    """Reads the voxels (z, y, x) of a source as real values: the stored integers, or 32-bit floats.

    Raises:
        NotReadableError: the file has changed, is cut short or damaged.
    """
    image = _reopen(source)
    x, y, z = source.geometry.size
    return _read(source, image, (slice(0, x), slice(0, y), slice(0, z)))


def is_packed(source: VolumeSource) -> bool:
    """Whether a NIfTI file is compressed, so that it can only be read from its start."""
    return source.format == "nifti" and source.path.name.lower().endswith(".gz")


def nifti_part(source: VolumeSource, budget: int) -> np.ndarray:
    """Reads about ``budget`` bytes of the voxels of a source: whole slices, or rows of one where a slice is larger.

    Compressed files are read from their start, since nothing else is cheap; the first frame then
    stands for all. Of other files the middle is read.

    Raises:
        NotReadableError: as for read_nifti.
    """
    image = _reopen(source)
    x, y, z = source.geometry.size
    row = x * image.get_data_dtype().itemsize
    slices = max(1, min(z, budget // (row * y)))
    rows = y if row * y <= budget else max(1, budget // row)
    if is_packed(source):
        source, start = replace(source, frame=source.frame and 0), 0
    else:
        start = (z - slices) // 2
    return _read(source, image, (slice(0, x), slice(0, rows), slice(start, start + slices)))


def _reopen(source: VolumeSource) -> Any:
    image = _open(source.path)
    shape = _three_or_four(source.path, image.shape)
    if shape[:3] != source.geometry.size or (source.frame or 0) >= shape[3]:
        raise NotReadableError(source.path, "it has changed since its header was read", "Start again.")
    return image


def _read(source: VolumeSource, image: Any, block: tuple[slice, slice, slice]) -> np.ndarray:
    index = (*block, source.frame or 0, *([0] * (len(image.shape) - 4)))
    try:
        stored = np.asarray(image.dataobj[index[: len(image.shape)]])
    except _BROKEN as error:
        raise NotReadableError(source.path, f"{_CUT_SHORT} or damaged") from error
    whole = stored.dtype.kind in "iu"
    return np.ascontiguousarray(stored.transpose(2, 1, 0), dtype=stored.dtype.newbyteorder("=") if whole else np.float32)


def _open(path: Path) -> Any:
    try:
        with _quiet():
            image = nib.load(path, mmap=False)
    except FileNotFoundError as error:
        raise NotReadableError(path, "it does not exist", "Check the path.") from error
    except PermissionError as error:
        raise NotReadableError(path, "it may not be opened", "Ask for the right to read it.") from error
    except _BROKEN as error:
        raise NotReadableError(path, _why_not_nifti(path)) from error
    if not isinstance(image, nib.Nifti1Image):  # the base of NIfTI-2 as well
        raise NotReadableError(path, "it is not a NIfTI file, whatever its name says")
    return image


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps nibabel from telling of every small repair of a header."""
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


def _why_not_nifti(path: Path) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(2)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    if not start:
        return "it is empty"
    if path.name.lower().endswith(".gz"):
        if start != b"\x1f\x8b":
            return "it is not a compressed NIfTI file, whatever its name says"
        try:
            with gzip.open(path) as file:
                file.read(1 << 16)
        except (EOFError, OSError, zlib.error):
            return f"{_CUT_SHORT} or damaged"
    return "it is not a NIfTI file, whatever its name says"


def _three_or_four(path: Path, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The sizes (x, y, z, frames) of a file, or its refusal."""
    if len(shape) < 3:
        raise refuse_two_dimensions(path)
    if any(size > 1 for size in shape[4:]):
        raise refuse_vectors(path)
    return shape[0], shape[1], shape[2], shape[3] if len(shape) > 3 else 1


def _require_complete(path: Path, needed: int) -> None:
    """Raises NotReadableError when a file holds fewer than ``needed`` bytes, without decompressing a healthy one.

    The last four bytes of a gzip file are its decompressed size. Only where they disagree (several gzip members, bytes after
    the end, or a file cut short) is the file read through.
    """
    with path.open("rb") as file:
        stored = file.seek(0, os.SEEK_END)
        packed = path.name.lower().endswith(".gz")
        if packed:
            file.seek(max(0, stored - 4))
            if int.from_bytes(file.read(4), "little") == needed % 2**32:
                return
    if packed:
        stored = 0
        try:
            with gzip.open(path) as unpacked:
                while stored < needed and (block := unpacked.read(1 << 20)):
                    stored += len(block)
        except (EOFError, OSError, zlib.error) as error:
            raise NotReadableError(path, f"{_CUT_SHORT} or damaged") from error
    if stored < needed:
        raise NotReadableError(path, f"{_CUT_SHORT}: {stored} of {needed} bytes are there", AGAIN)


def _affine(image: Any) -> tuple[np.ndarray, tuple[str, ...]]:
    """The RAS matrix (4, 4) in mm of a file, and notes about it."""
    header = image.header
    sform, qform = header.get_sform(coded=True), header.get_qform(coded=True)
    zooms = np.asarray(header.get_zooms()[:3], dtype=float)
    if sform[1] == 0 and qform[1] == 0:
        return _RAS_TO_LPS @ np.diag([*zooms, 1.0]), ("Its header does not say how it lies in the patient.",)
    if qform[1] == 0:
        return sform[0], ()
    if sform[1] == _SCANNER and _rigid(sform[0], zooms):
        return sform[0], ()
    return qform[0], ()


def _rigid(affine: np.ndarray, zooms: np.ndarray) -> bool:
    """Whether the columns are at right angles and as long as the header's spacing says."""
    return bool(np.allclose(affine[:3, :3].T @ affine[:3, :3], np.diag(zooms**2), atol=1e-3 * float(zooms.max()) ** 2))


def _geometry(size: tuple[int, int, int], affine: np.ndarray) -> Geometry:
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        direction = affine[:3, :3] / spacing + 0.0
    return Geometry(
        size=size,
        spacing=(float(spacing[0]), float(spacing[1]), float(spacing[2])),
        origin=(float(affine[0, 3]), float(affine[1, 3]), float(affine[2, 3])),
        direction=tuple(float(value) for value in direction.ravel()),
    )
