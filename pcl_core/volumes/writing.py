"""From voxels to a volume file, whole or not at all."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pcl_core.errors import InputError
from pcl_core.files import replacing, write_error
from pcl_core.volumes.formats import format_of
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.simple_itk import simple_itk


def write_volume(
    path: Path, array: np.ndarray, geometry: Geometry, compressed: bool = True, notes: Mapping[str, str] | None = None
) -> None:
    """Writes a volume; the format goes by the name: .nrrd, .nii.gz, .nii, .mha.

    The file is read back before it takes its place, since a full disk does not always make a writer fail.

    Args:
        path: file to write; its folder is made when missing.
        array: voxels (z, y, x), whole numbers or floats.
        geometry: the grid that they lie on.
        compressed: smaller and slower; .nii never is, .nii.gz always.
        notes: by name, for the header of a .nrrd file.

    Raises:
        InputError: an unknown suffix, no space, or a folder that may not be written.
        ValueError: the array does not fit the grid.
    """
    if array.shape != geometry.shape:
        raise ValueError(f"an array of {array.shape} does not fit a grid of {geometry.shape} (z, y, x)")
    if format_of(path) is None or path.suffix.lower() in {".mhd", ".nhdr"}:
        raise InputError(f"Cannot write {path}: its name does not end in .nrrd, .nii.gz, .nii or .mha.", "Choose one of these.")
    voxels = np.ascontiguousarray(array.astype(np.uint8) if array.dtype == bool else array)
    image = simple_itk().GetImageFromArray(voxels, isVector=False)
    image.SetSpacing(geometry.spacing)
    image.SetOrigin(geometry.origin)
    image.SetDirection(geometry.direction)
    for name, text in (notes or {}).items():
        image.SetMetaData(name, text)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(path, error) from error
    with replacing(path) as partial:
        partial.touch()  # lets the operating system say why, when it refuses
        if not _written(image, voxels, partial, compressed):
            partial.write_bytes(bytes(min(voxels.nbytes, 1 << 22)))
            raise OSError(errno.EIO, "the file came out incomplete")


def _written(image: Any, voxels: np.ndarray, path: Path, compressed: bool) -> bool:
    """Writes, reads back, and says whether the same voxels came out."""
    sitk = simple_itk()
    try:
        sitk.WriteImage(image, str(path), useCompression=compressed)
        back = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    except RuntimeError:
        return False
    return bool(np.array_equal(back, voxels, equal_nan=voxels.dtype.kind == "f"))
