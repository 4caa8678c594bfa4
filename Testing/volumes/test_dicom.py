from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (its own usual name)

from pcl_core.volumes.dicom import dicom_sources, looks_like_dicom, read_dicom
from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.formats import NotReadableError

OBLIQUE = np.array([[np.cos(0.5), 0, np.sin(0.5)], [0, 1, 0], [-np.sin(0.5), 0, np.cos(0.5)]])


def sources_of(folder: Path):
    return dicom_sources(sorted(folder.iterdir()), folder.name)


def test_slices_are_sorted_by_position_and_not_by_name(dicom, tmp_path: Path, voxels: np.ndarray) -> None:
    (source,), unreadable = sources_of(dicom(tmp_path / "scan", voxels, direction=OBLIQUE))
    assert not unreadable
    assert (source.id, source.patient, source.frame, source.notes) == ("scan", "ANON-7", None, ())
    assert source.geometry.size == (3, 4, 5)
    assert source.geometry.spacing == pytest.approx((1, 2, 4))
    assert source.geometry.origin == pytest.approx((5, 6, 7))
    np.testing.assert_allclose(source.geometry.matrix, OBLIQUE, atol=1e-6)
    assert np.array_equal(read_dicom(source), voxels)
    assert source.path == tmp_path / "scan"


def test_the_grid_is_the_one_that_itk_sees(dicom, tmp_path: Path, voxels: np.ndarray) -> None:
    folder = dicom(tmp_path / "scan", voxels, direction=OBLIQUE)
    seen = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    ((source,), _) = sources_of(folder)
    np.testing.assert_allclose(source.geometry.spacing, seen.GetSpacing(), atol=1e-5)
    np.testing.assert_allclose(source.geometry.direction, seen.GetDirection(), atol=1e-5)
    np.testing.assert_allclose(source.geometry.origin, seen.GetOrigin(), atol=1e-5)


def test_rescaling_gives_real_values_as_floats(dicom, tmp_path: Path, voxels: np.ndarray) -> None:
    folder = dicom(tmp_path / "ct", voxels, t00281052="-1024", t00281053="2", t00080060="CT")
    ((source,), _) = sources_of(folder)
    read = read_dicom(source)
    assert source.dtype == "float32"
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, voxels, atol=1)  # written through the inverse of the same scaling


def test_several_series_in_one_folder_are_told_apart(dicom, tmp_path: Path, voxels: np.ndarray) -> None:
    dicom(tmp_path / "all", voxels, series="1.2.3", prefix="a", t0008103e="T1 axial")
    dicom(tmp_path / "all", voxels[:4] + 1, series="1.2.4", prefix="b", t0008103e="T2/fat sat")
    found = find_volumes(tmp_path)
    assert [source.id for source in found.sources] == ["all_T1_axial", "all_T2_fat_sat"]
    assert np.array_equal(read_dicom(found.sources[1]), voxels[:4] + 1)


def test_series_of_one_description_get_numbers(dicom, tmp_path: Path, voxels: np.ndarray) -> None:
    for k in range(3):
        dicom(tmp_path / "all", voxels, series=f"1.2.{k}", prefix="abc"[k], t0008103e="T1")
    assert [source.id for source in find_volumes(tmp_path / "all").sources] == ["all_T1", "all_T1_2", "all_T1_3"]


def test_orientations_within_one_series_are_told_apart(dicom, tmp_path: Path, voxels: np.ndarray) -> None:
    dicom(tmp_path / "scout", voxels, prefix="a")
    dicom(tmp_path / "scout", voxels[:3], prefix="b", direction=OBLIQUE)
    sources, _ = sources_of(tmp_path / "scout")
    assert sorted(source.geometry.size[2] for source in sources) == [3, 5]


def test_repeated_positions_become_frames(dicom, tmp_path: Path, voxels: np.ndarray) -> None:
    phases = np.concatenate([voxels, voxels + 1, voxels + 2])
    folder = dicom(tmp_path / "cine", phases, positions=[4.0 * (k % 5) for k in range(15)])
    found = find_volumes(folder)
    assert [source.id for source in found.sources] == ["cine_frame01", "cine_frame02", "cine_frame03"]
    assert {source.patient for source in found.sources} == {"ANON-7"}
    for k, source in enumerate(found.sources):
        assert source.notes == ()
        assert np.array_equal(read_dicom(source), voxels + k)


def test_frames_are_told_apart_by_trigger_time_before_instance_number(dicom, tmp_path: Path, voxels: np.ndarray) -> None:
    dicom(tmp_path / "cine", voxels, prefix="a", t00181060="400")
    dicom(tmp_path / "cine", voxels + 1, prefix="b", t00181060="50")
    sources, _ = sources_of(tmp_path / "cine")
    assert np.array_equal(read_dicom(sources[0]), voxels + 1)


def test_a_slice_that_is_stored_twice_is_noted(dicom, tmp_path: Path, voxels: np.ndarray) -> None:
    folder = dicom(tmp_path / "scan", np.concatenate([voxels, voxels[:1]]), positions=[0, 4, 8, 12, 16, 0])
    ((source,), _) = sources_of(folder)
    assert source.geometry.size == (3, 4, 5)
    assert "stored 2 times, others 1" in source.notes[0]


def test_unequal_spacing_is_noted(dicom, tmp_path: Path, voxels: np.ndarray) -> None:
    ((source,), _) = sources_of(dicom(tmp_path / "scan", voxels, positions=[0, 4, 8, 16, 20]))
    assert source.notes == ("Its slices are 4 to 8 mm apart; is a slice missing?",)
    assert source.geometry.spacing[2] == pytest.approx(5)


def test_a_single_slice_is_noted(dicom, tmp_path: Path, voxels: np.ndarray) -> None:
    ((source,), _) = sources_of(dicom(tmp_path / "scan", voxels[:1], t00180050="6"))
    assert source.notes == ("It has a single slice.",)
    assert source.geometry.spacing[2] == 6


def test_a_multi_frame_file_is_a_volume(tmp_path: Path, voxels: np.ndarray) -> None:
    image = sitk.GetImageFromArray((voxels + 11).astype(np.uint16))
    image.SetSpacing((1, 2, 4))
    image.SetMetaData("0008|0060", "MR")
    sitk.WriteImage(image, str(tmp_path / "whole.dcm"))
    (source,) = find_volumes(tmp_path).sources
    assert (source.id, source.geometry.size, source.geometry.spacing) == ("whole", (3, 4, 5), (1.0, 2.0, 4.0))
    assert np.array_equal(read_dicom(source), voxels + 11)


def test_files_are_known_by_suffix_or_by_their_mark(dicom, tmp_path: Path, voxels: np.ndarray) -> None:
    folder = dicom(tmp_path / "scan", voxels)
    for path in folder.iterdir():
        path.rename(path.with_suffix(""))
    (folder / "notes.txt").write_text("not an image")
    (folder / "DICOMDIR").write_bytes(bytes(128) + b"DICM")
    assert not looks_like_dicom(folder / "notes.txt")
    found = find_volumes(folder)
    assert (len(found.sources), found.unreadable) == (1, ())
    assert np.array_equal(read_dicom(found.sources[0]), voxels)


def test_files_that_are_no_images_are_listed(dicom, tmp_path: Path, voxels: np.ndarray) -> None:
    folder = dicom(tmp_path / "scan", voxels)
    (folder / "text.dcm").write_text("hello")
    found = find_volumes(folder)
    assert len(found.sources) == 1
    assert [one.path.name for one in found.unreadable] == ["text.dcm"]


def test_a_slice_that_is_cut_short_is_refused_by_name(dicom, tmp_path: Path) -> None:
    folder = dicom(tmp_path / "scan", np.zeros((3, 64, 64), np.int16))
    ((source,), _) = sources_of(folder)
    source.files[1].write_bytes(source.files[1].read_bytes()[:-4000])
    with pytest.raises(NotReadableError, match=source.files[1].name):
        read_dicom(source)


def test_a_real_series_is_read(shared_data: Path) -> None:
    (source,) = find_volumes(shared_data / "dicom").sources
    assert (source.id, source.geometry.size, source.notes) == ("T1post", (36, 48, 35), ())
    assert read_dicom(source).shape == (35, 48, 36)
