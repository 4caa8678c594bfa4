"""From a source to its voxels, and to label maps that can be trusted."""

from __future__ import annotations

import numpy as np

from pcl_core.errors import InputError
from pcl_core.volumes.dicom import read_dicom
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.itk import read_itk
from pcl_core.volumes.lazy_nifti import read_nifti
from pcl_core.volumes.volume import Volume, VolumeSource

_READERS = {"nifti": read_nifti, "nrrd": read_itk, "metaimage": read_itk, "dicom": read_dicom}
# Grids of an image and its labels may differ by this many voxels (and so much of the spacing): headers are rounded.
SAME_GRID = 1e-2
_RESAMPLE = "Resample the labels to the grid of their image (in 3D Slicer: Resample Scalar Volume, nearest neighbour)."


def read_volume(source: VolumeSource) -> Volume:
    """Reads the voxels of a source.

    Returns:
        voxels (z, y, x) in stored order as real values: the stored integers where there is no scaling, else 32-bit floats.

    Raises:
        InputError: the file is missing, changed, cut short or damaged.
    """
    return Volume(_READERS[source.format](source), source)


def read_labels(source: VolumeSource, like: Geometry | VolumeSource | None = None) -> np.ndarray:
    """Reads a label map.

    Args:
        source: the label file.
        like: the grid, or the source, of the image that the labels belong to; None checks nothing.

    Returns:
        uint8 (z, y, x) in stored order; 255 means "not annotated".

    Raises:
        InputError: unreadable, on another grid than the image, or with values that are no whole numbers from 0 to 255.
    """
    if like is not None:
        _require_same_grid(source, like)
    stored = read_volume(source).voxels
    if stored.dtype == np.uint8:
        return stored
    if stored.dtype.kind == "f" and not np.isfinite(stored).all():
        raise InputError(f"The label file {source.path} has voxels that are not numbers.", "Export the labels again.")
    low, high = float(stored.min()), float(stored.max())
    if low < 0 or high > 255:
        raise InputError(
            f"The label file {source.path} has the value {low if low < 0 else high:g}; labels go from 0 to 254, "
            "and 255 means not annotated.",
            "Is it an image instead of its labels? If not, renumber the labels.",
        )
    labels = stored.astype(np.uint8)
    if stored.dtype.kind == "f" and not np.array_equal(labels, stored):
        raise InputError(
            f"The label file {source.path} has values that are not whole numbers.",
            "Is it an image or a probability map? If it was resampled, use nearest neighbour.",
        )
    return labels


def _require_same_grid(source: VolumeSource, like: Geometry | VolumeSource) -> None:
    geometry, name = (like, "its image") if isinstance(like, Geometry) else (like.geometry, f"its image {like.path}")
    difference = source.geometry.differs_from(geometry, SAME_GRID)
    if difference:
        raise InputError(f"The label file {source.path} does not lie on the grid of {name}: {difference}.", _RESAMPLE)
