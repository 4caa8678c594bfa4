"""NRRD and MetaImage files, through SimpleITK: headers become sources, frames become voxels."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from pcl_core.volumes.beginnings import can_hold
from pcl_core.volumes.formats import (
    NotReadableError,
    checked_geometry,
    frame_id,
    refuse_two_dimensions,
    refuse_vectors,
    stem_of,
)
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.simple_itk import simple_itk
from pcl_core.volumes.volume import Format, VolumeSource

_READERS: dict[Format, str] = {"nrrd": "NrrdImageIO", "metaimage": "MetaImageIO", "dicom": "GDCMImageIO"}
# The kinds of numbers that are read, as SimpleITK calls them.
_NUMBERS = ("Int8", "UInt8", "Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float32", "Float64")


def itk_sources(path: Path, kind: Format) -> list[VolumeSource]:
    """Reads the header of a NRRD or MetaImage file.

    Returns:
        one source, or one a frame of a 4-D file; ``id`` comes from the file's name and ``patient`` is not known.

    Raises:
        NotReadableError: not of this format, 2-D, with several numbers a voxel, or more than four axes.
    """
    reader = header_reader(path, kind)
    size = reader.GetSize()
    if len(size) < 3:
        raise refuse_two_dimensions(path)
    dtype = dtype_of(reader)
    if dtype is None or len(size) > 4:
        raise refuse_vectors(path)
    if not can_hold(path, kind, math.prod(size) * np.dtype(dtype).itemsize):
        raise NotReadableError(path, f"it is cut short: it is too small for {' x '.join(map(str, size))} voxels")
    geometry, notes = checked_geometry(path, header_geometry(reader))
    frames = size[3] if len(size) == 4 else 1
    base = stem_of(path)
    return [
        VolumeSource(
            id=frame_id(base, k, frames) if frames > 1 else base,
            files=(path,),
            format=kind,
            geometry=geometry,
            dtype=dtype,
            patient="",
            frame=k if frames > 1 else None,
            notes=notes,
        )
        for k in range(frames)
    ]


def read_itk(source: VolumeSource) -> np.ndarray:
    """Reads the voxels (z, y, x) of a source: the stored integers, or 32-bit floats.

    Raises:
        NotReadableError: the file has changed, is cut short or damaged.
    """
    reader = header_reader(source.path, source.format)
    size = reader.GetSize()
    if size[:3] != source.geometry.size or (source.frame or 0) >= (size[3] if len(size) == 4 else 1):
        raise NotReadableError(source.path, "it has changed since its header was read", "Start again.")
    if len(size) == 4:
        reader.SetExtractSize([*size[:3], 0])
        reader.SetExtractIndex([0, 0, 0, source.frame or 0])
    sitk = simple_itk()
    try:
        stored: np.ndarray = sitk.GetArrayFromImage(reader.Execute())
    except RuntimeError as error:
        raise NotReadableError(source.path, "it is cut short or damaged, or a file that it refers to is missing") from error
    return stored if stored.dtype.kind in "iu" else stored.astype(np.float32, copy=False)


def header_reader(path: Path, kind: Format) -> Any:
    """A SimpleITK reader that has read the header of ``path``.

    Raises:
        NotReadableError: missing, empty or not of this format.
    """
    sitk = simple_itk()
    if not path.is_file():
        raise NotReadableError(path, "it does not exist", "Check the path.")
    if path.stat().st_size == 0:
        raise NotReadableError(path, "it is empty")
    reader: Any = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(_READERS[kind])
    name = {"nrrd": "NRRD", "metaimage": "MetaImage", "dicom": "DICOM image"}[kind]
    refusal = NotReadableError(path, f"it is not a {name} file, or its header is damaged")
    if kind != "dicom" and reader.GetImageIOFromFileName(str(path)) != _READERS[kind]:
        raise refusal  # before the reader itself complains on the standard error stream
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise refusal from error
    return reader


def dtype_of(reader: Any) -> str | None:
    """NumPy's name for the voxels of a file whose header was read; None when a voxel is not one number."""
    sitk = simple_itk()
    known = {getattr(sitk, f"sitk{name}"): name.lower() for name in _NUMBERS}
    return known.get(reader.GetPixelIDValue()) if reader.GetNumberOfComponents() == 1 else None


def header_geometry(reader: Any) -> Geometry:
    """The grid of the first three axes of a file whose header was read."""
    axes = len(reader.GetSize())
    direction = np.asarray(reader.GetDirection(), dtype=float).reshape(axes, axes)[:3, :3] + 0.0
    return Geometry(
        size=reader.GetSize()[:3],
        spacing=reader.GetSpacing()[:3],
        origin=reader.GetOrigin()[:3],
        direction=tuple(float(value) for value in direction.ravel()),
    )
