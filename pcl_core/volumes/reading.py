"""From a source to its voxels, and to label maps that can be trusted."""

from __future__ import annotations

import numpy as np

from pcl_core.errors import InputError
from pcl_core.volumes.data_sets import DATA_SETS, LARGEST_VALUE, labels_of
from pcl_core.volumes.dicom import read_dicom
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.itk import read_itk
from pcl_core.volumes.lazy_nifti import read_nifti
from pcl_core.volumes.volume import NOT_ANNOTATED, Volume, VolumeSource

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
        (z, y, x) in stored order; 255 means "not annotated". 8-bit, but 16-bit for a data set with larger values (MMWHS), whose
        slips are corrected and whose background values are 0.

    Raises:
        InputError: unreadable, on another grid than the image, values that are no whole numbers from 0 to 255, or values that
            are none of its data set's.
    """
    if like is not None:
        _require_same_grid(source, like)
    stored = read_volume(source).voxels
    data_set = DATA_SETS.get(source.data_set)
    if data_set is None:
        return stored if stored.dtype == np.uint8 else _whole_numbers(source, stored, NOT_ANNOTATED)
    labels, strange = data_set.clean(_whole_numbers(source, stored, LARGEST_VALUE))
    if strange:
        listed = ", ".join(map(str, strange[:6])) + (" ..." if len(strange) > 6 else "")
        raise InputError(
            f"The label file {source.path} has the value{'s' * (len(strange) > 1)} {listed}, unlike the data set "
            f"{data_set.name}, which has {data_set.described()}.",
            "Correct the label map, or say --layout folder when these are other labels.",
        )
    return labels


def _whole_numbers(source: VolumeSource, stored: np.ndarray, largest: int) -> np.ndarray:
    """The voxels as 8-bit or 16-bit numbers. Raises InputError when they are not, or beyond ``largest``."""
    if stored.dtype.kind == "f" and not np.isfinite(stored).all():
        raise InputError(f"The label file {source.path} has voxels that are not numbers.", "Export the labels again.")
    low, high = float(stored.min()), float(stored.max())
    if low < 0 or high > largest:
        raise _out_of_range(source, stored, low if low < 0 else high)
    labels = stored.astype(np.uint8 if high <= NOT_ANNOTATED else np.uint16)
    if stored.dtype.kind == "f" and not np.array_equal(labels, stored):
        raise InputError(
            f"The label file {source.path} has values that are not whole numbers.",
            "Is it an image or a probability map? If it was resampled, use nearest neighbour.",
        )
    return labels


def _out_of_range(source: VolumeSource, stored: np.ndarray, value: float) -> InputError:
    known = labels_of(tuple(np.unique(stored).tolist()))
    return InputError(
        f"The label file {source.path} has the value {value:g}; labels go from 0 to 254, and 255 means not annotated.",
        f"These can be labels of {known.name}: say --layout {known.name}."
        if known
        else "Is it an image instead of its labels? If not, renumber the labels.",
    )


def _require_same_grid(source: VolumeSource, like: Geometry | VolumeSource) -> None:
    geometry, name = (like, "its image") if isinstance(like, Geometry) else (like.geometry, f"its image {like.path}")
    difference = source.geometry.differs_from(geometry, SAME_GRID)
    if difference:
        raise InputError(f"The label file {source.path} does not lie on the grid of {name}: {difference}.", _RESAMPLE)
