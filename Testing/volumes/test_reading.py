from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pcl_core.errors import InputError
from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.reading import read_labels, read_volume


def only(path: Path):
    (source,) = find_volumes(path).sources
    return source


def test_every_format_gives_the_same_voxels(nifti, itk, dicom, tmp_path: Path, voxels: np.ndarray) -> None:
    paths = [nifti(tmp_path / "a.nii.gz"), itk(tmp_path / "b.nrrd"), itk(tmp_path / "c.mha"), dicom(tmp_path / "d", voxels)]
    for path in paths:
        volume = read_volume(only(path))
        assert np.array_equal(volume.voxels, voxels)
        assert volume.geometry.shape == voxels.shape


def test_labels_come_as_bytes(nifti, tmp_path: Path) -> None:
    labels = np.arange(60).reshape(5, 4, 3) % 4
    labels[0] = 255
    for dtype in (np.uint8, np.int16, np.float32, np.float64):
        read = read_labels(only(nifti(tmp_path / f"{np.dtype(dtype).name}.nii.gz", labels.astype(dtype))))
        assert read.dtype == np.uint8
        assert np.array_equal(read, labels)


@pytest.mark.parametrize(
    ("value", "words"), [(0.5, "not whole numbers"), (-1.0, "the value -1"), (256.0, "the value 256"), (np.nan, "not numbers")]
)
def test_values_that_are_no_labels_are_refused_by_name(nifti, tmp_path: Path, value: float, words: str) -> None:
    labels = np.zeros((5, 4, 3), np.float32)
    labels[1, 2, 0] = value
    with pytest.raises(InputError, match=rf"odd\.nii\.gz has .*{words}"):
        read_labels(only(nifti(tmp_path / "odd.nii.gz", labels)))


def test_labels_of_another_size_are_refused_with_both_names(nifti, tmp_path: Path, voxels: np.ndarray) -> None:
    image = only(nifti(tmp_path / "image.nii.gz"))
    labels = only(nifti(tmp_path / "other.nii.gz", np.zeros((4, 4, 3), np.uint8)))
    with pytest.raises(InputError, match=r"other\.nii\.gz .*image\.nii\.gz: its size 3 x 4 x 4 is not 3 x 4 x 5"):
        read_labels(labels, image)
    with pytest.raises(InputError, match="Resample"):
        read_labels(labels, image.geometry)


@pytest.mark.parametrize(("shift", "fits"), [(1e-4, True), (0.5, False)])
def test_only_a_tiny_shift_against_the_image_is_tolerated(nifti, tmp_path: Path, shift: float, fits: bool) -> None:
    image = only(nifti(tmp_path / "image.nii.gz"))
    affine = np.diag([1.0, 2.0, 4.0, 1.0])
    affine[0, 3] = shift
    labels = only(nifti(tmp_path / "labels.nii.gz", np.zeros((5, 4, 3), np.uint8), affine))
    if fits:
        assert read_labels(labels, image).shape == (5, 4, 3)
    else:
        with pytest.raises(InputError, match="its origin"):
            read_labels(labels, image)


def test_labels_that_are_mirrored_against_the_image_are_refused(nifti, tmp_path: Path) -> None:
    image = only(nifti(tmp_path / "image.nii.gz"))
    labels = only(nifti(tmp_path / "labels.nii.gz", np.zeros((5, 4, 3), np.uint8), np.diag([-1.0, 2.0, 4.0, 1.0])))
    with pytest.raises(InputError, match="its direction"):
        read_labels(labels, image)
