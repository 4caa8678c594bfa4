from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (its own usual name)

from pcl_core.volumes.formats import NotReadableError
from pcl_core.volumes.nifti import nifti_part, nifti_sources, read_nifti


def test_positions_are_turned_from_ras_into_lps(nifti, tmp_path: Path) -> None:
    affine = np.array([[0.0, -2, 0, 5], [1.5, 0, 0, 6], [0, 0, 3, 7], [0, 0, 0, 1]])
    (source,) = nifti_sources(nifti(tmp_path / "a.nii.gz", affine=affine))
    assert (source.id, source.dtype, source.frame, source.notes) == ("a", "int16", None, ())
    assert source.geometry.size == (3, 4, 5)
    assert source.geometry.spacing == (1.5, 2.0, 3.0)
    assert source.geometry.origin == (-5.0, -6.0, 7.0)
    assert source.geometry.orientation() == "ALS"


def test_voxels_come_as_stored(nifti, tmp_path: Path, voxels: np.ndarray) -> None:
    for name in ("a.nii", "a.nii.gz"):
        (source,) = nifti_sources(nifti(tmp_path / name))
        read = read_nifti(source)
        assert read.dtype == np.int16
        assert np.array_equal(read, voxels)


def test_big_endian_integers_are_brought_to_this_machines_order(tmp_path: Path, voxels: np.ndarray) -> None:
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    nib.save(nib.Nifti1Image(voxels.T, np.eye(4), header), tmp_path / "a.nii.gz")
    read = read_nifti(nifti_sources(tmp_path / "a.nii.gz")[0])
    assert read.dtype == np.dtype("int16")
    assert np.array_equal(read, voxels)


def test_slope_and_intercept_are_applied(tmp_path: Path, voxels: np.ndarray) -> None:
    image = nib.Nifti1Image(voxels.T, np.eye(4))
    image.header.set_slope_inter(0.5, -3)
    nib.save(image, tmp_path / "a.nii.gz")
    raw = bytearray(gzip.decompress((tmp_path / "a.nii.gz").read_bytes()))
    stored = np.frombuffer(bytes(raw[352:]), "<i2").reshape(voxels.shape)
    (source,) = nifti_sources(tmp_path / "a.nii.gz")
    read = read_nifti(source)
    assert source.dtype == "float32"
    assert read.dtype == np.float32
    slope, inter = nib.load(tmp_path / "a.nii.gz").dataobj.slope, nib.load(tmp_path / "a.nii.gz").dataobj.inter
    np.testing.assert_allclose(read, stored * slope + inter)


def test_every_frame_of_a_4d_file_is_a_volume(nifti, tmp_path: Path, voxels: np.ndarray) -> None:
    array = np.stack([voxels, voxels + 1, voxels + 2])
    sources = nifti_sources(nifti(tmp_path / "beat.nii.gz", array))
    assert [(source.id, source.frame) for source in sources] == [
        ("beat_frame01", 0),
        ("beat_frame02", 1),
        ("beat_frame03", 2),
    ]
    for k, source in enumerate(sources):
        assert np.array_equal(read_nifti(source), array[k])


def test_a_fourth_axis_of_one_is_no_frame(nifti, tmp_path: Path, voxels: np.ndarray) -> None:
    (source,) = nifti_sources(nifti(tmp_path / "a.nii.gz", voxels[None]))
    assert (source.id, source.frame) == ("a", None)
    assert np.array_equal(read_nifti(source), voxels)


def test_a_single_slice_is_noted(nifti, tmp_path: Path, voxels: np.ndarray) -> None:
    (source,) = nifti_sources(nifti(tmp_path / "a.nii.gz", voxels[:1]))
    assert source.notes == ("It has a single slice.",)


def test_a_2d_image_is_refused_in_words(nifti, tmp_path: Path, voxels: np.ndarray) -> None:
    with pytest.raises(NotReadableError, match=r"a\.nii\.gz: it is a 2-D image, not a volume\. Give a volume"):
        nifti_sources(nifti(tmp_path / "a.nii.gz", voxels[0]))


def test_colours_and_vectors_are_refused_in_words(nifti, tmp_path: Path, voxels: np.ndarray) -> None:
    colours = np.zeros((3, 4, 5), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(colours, np.eye(4)), tmp_path / "rgb.nii.gz")
    for path in (tmp_path / "rgb.nii.gz", nifti(tmp_path / "warp.nii.gz", np.stack([voxels] * 3)[:, None])):
        with pytest.raises(NotReadableError, match="several numbers a voxel"):
            nifti_sources(path)


def test_a_sheared_grid_is_noted(nifti, tmp_path: Path) -> None:
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    affine[0, 2] = 0.4
    (source,) = nifti_sources(nifti(tmp_path / "a.nii.gz", affine=affine))
    assert "not at right angles" in source.notes[0]


def test_a_header_without_orientation_is_noted(tmp_path: Path, voxels: np.ndarray) -> None:
    nib.save(nib.Nifti1Image(voxels.T, None), tmp_path / "a.nii.gz")
    assert "does not say how it lies" in nifti_sources(tmp_path / "a.nii.gz")[0].notes[0]


@pytest.mark.parametrize("sform", range(5))
@pytest.mark.parametrize("qform", range(5))
def test_the_grid_is_the_one_that_itk_and_slicer_see(tmp_path: Path, voxels: np.ndarray, qform: int, sform: int) -> None:
    turned = np.array([[0.0, -2, 0, 5], [1.5, 0, 0, 6], [0, 0, 3, 7], [0, 0, 0, 1]])
    straight = np.array([[1.5, 0, 0, 1], [0, 2, 0, 2], [0, 0, 3, 3], [0, 0, 0, 1]])
    image = nib.Nifti1Image(voxels.T, None)
    image.header.set_zooms((1.5, 2, 3))
    if qform:
        image.set_qform(turned, qform)
    if sform:
        image.set_sform(straight, sform)
    image.header["qform_code"], image.header["sform_code"] = qform, sform
    nib.save(image, tmp_path / "a.nii")
    geometry = nifti_sources(tmp_path / "a.nii")[0].geometry
    seen = sitk.ReadImage(str(tmp_path / "a.nii"))
    np.testing.assert_allclose(geometry.spacing, seen.GetSpacing(), atol=1e-5)
    np.testing.assert_allclose(geometry.direction, seen.GetDirection(), atol=1e-5)
    np.testing.assert_allclose(geometry.origin, seen.GetOrigin(), atol=1e-5)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"just some text, not an image at all" * 40, "it is not a compressed NIfTI file"),
        (gzip.compress(b"just some text" * 100, mtime=0), "it is not a NIfTI file"),
    ],
)
def test_other_files_named_nii_gz_are_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.nii.gz").write_bytes(content)
    with pytest.raises(NotReadableError, match=words):
        nifti_sources(tmp_path / "a.nii.gz")


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.9, 0.999])
def test_a_truncated_gzip_is_found_from_the_header_alone(tmp_path: Path, kept: float) -> None:
    noise = np.random.default_rng(0).integers(0, 1000, (20, 30, 10)).astype(np.int16)
    nib.save(nib.Nifti1Image(noise, np.eye(4)), tmp_path / "whole.nii.gz")
    content = (tmp_path / "whole.nii.gz").read_bytes()
    (tmp_path / "cut.nii.gz").write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(NotReadableError, match=r"cut\.nii\.gz: it is cut short"):
        nifti_sources(tmp_path / "cut.nii.gz")


def test_a_truncated_plain_file_is_refused(nifti, tmp_path: Path) -> None:
    path = nifti(tmp_path / "a.nii")
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(NotReadableError, match="cut short: 462 of 472 bytes are there"):
        nifti_sources(path)


def test_gzip_in_several_members_or_with_bytes_behind_is_accepted(nifti, tmp_path: Path, voxels: np.ndarray) -> None:
    content = gzip.decompress(nifti(tmp_path / "a.nii.gz").read_bytes())
    (tmp_path / "b.nii.gz").write_bytes(gzip.compress(content[:400]) + gzip.compress(content[400:]))
    (tmp_path / "c.nii.gz").write_bytes(gzip.compress(content + bytes(100)))
    for name in ("b.nii.gz", "c.nii.gz"):
        assert np.array_equal(read_nifti(nifti_sources(tmp_path / name)[0]), voxels)


def test_a_file_that_changed_after_its_header_was_read_is_refused(nifti, tmp_path: Path, voxels: np.ndarray) -> None:
    (source,) = nifti_sources(nifti(tmp_path / "a.nii.gz"))
    nifti(tmp_path / "a.nii.gz", voxels[:2])
    with pytest.raises(NotReadableError, match="has changed"):
        read_nifti(source)


def test_a_part_is_the_beginning_of_packed_and_the_middle_of_plain_files(nifti, tmp_path: Path, voxels: np.ndarray) -> None:
    slice_bytes = 3 * 4 * 2
    packed = nifti_part(nifti_sources(nifti(tmp_path / "a.nii.gz"))[0], 2 * slice_bytes)
    plain = nifti_part(nifti_sources(nifti(tmp_path / "a.nii"))[0], slice_bytes)
    assert np.array_equal(packed, voxels[:2])
    assert np.array_equal(plain, voxels[2:3])
    assert nifti_part(nifti_sources(nifti(tmp_path / "a.nii"))[0], 7).shape == (1, 1, 3)
