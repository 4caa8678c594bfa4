"""Small real files for the tests of reading: volumes, label maps, DICOM series."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (its own usual name)

from Testing.dicom_files import write_dicom

SHARED_DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture
def voxels() -> np.ndarray:
    """Distinct 16-bit integers (z, y, x) = (5, 4, 3)."""
    return np.arange(60, dtype=np.int16).reshape(5, 4, 3) * 7 - 11


@pytest.fixture
def nifti(voxels: np.ndarray) -> Callable[..., Path]:
    """Writes a NIfTI file of an array (z, y, x) or (frame, z, y, x), with spacing 1 x 2 x 4 mm in RAS."""

    def write(path: Path, array: np.ndarray | None = None, affine: np.ndarray | None = None) -> Path:
        array = voxels if array is None else array
        path.parent.mkdir(parents=True, exist_ok=True)
        nib.save(nib.Nifti1Image(array.T, np.diag([1.0, 2.0, 4.0, 1.0]) if affine is None else affine), path)
        return path

    return write


@pytest.fixture
def itk(voxels: np.ndarray) -> Callable[..., Path]:
    """Writes a file through SimpleITK, with spacing 1 x 2 x 4 mm and origin (5, 6, 7)."""

    def write(path: Path, array: np.ndarray | None = None, vectors: bool = False, compress: bool = True) -> Path:
        array = voxels if array is None else array
        path.parent.mkdir(parents=True, exist_ok=True)
        image = sitk.GetImageFromArray(array, isVector=vectors)
        axes = image.GetDimension()
        image.SetSpacing((1.0, 2.0, 4.0, 1.0)[:axes])
        image.SetOrigin((5.0, 6.0, 7.0, 0.0)[:axes])
        sitk.WriteImage(image, str(path), useCompression=compress)
        return path

    return write


@pytest.fixture
def dicom() -> Callable[..., Path]:
    """Writes one DICOM file a plane of an array (z, y, x), through GDCM."""
    return write_dicom


@pytest.fixture
def shared_data() -> Path:
    """Real volumes beside the repository; the test skips where they are missing."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real volumes are not beside this repository")
    return SHARED_DATA
