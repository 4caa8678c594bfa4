from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pcl_core.errors import InputError
from pcl_core.volumes.discovery import find_volumes


def ids(path: Path, layout: str = "auto") -> list[str]:
    return [source.id for source in find_volumes(path, layout).sources]


def patients(path: Path, layout: str = "auto") -> list[str]:
    return [source.patient for source in find_volumes(path, layout).sources]


def test_volumes_are_found_at_any_depth_in_order_of_their_paths(nifti, itk, dicom, tmp_path: Path, voxels: np.ndarray) -> None:
    itk(tmp_path / "b.nrrd")
    nifti(tmp_path / "a" / "deep" / "c.nii.gz")
    itk(tmp_path / "d.mha")
    dicom(tmp_path / "c", voxels)
    nifti(tmp_path / ".hidden" / "x.nii.gz")
    nifti(tmp_path / "._b.nii.gz")
    (tmp_path / "readme.txt").write_text("not a volume")
    assert ids(tmp_path) == ["deep_c", "b", "c", "d"]


def test_links_to_folders_are_followed_once_wherever_they_lead(nifti, tmp_path: Path) -> None:
    nifti(tmp_path / "elsewhere" / "deep" / "b.nii.gz")
    nifti(tmp_path / "data" / "z" / "a.nii.gz")
    links = {"linked": tmp_path / "elsewhere", "a": tmp_path / "data" / "z", "back": tmp_path / "data", "self": Path("self")}
    for name, target in links.items():
        (tmp_path / "data" / name).symlink_to(target, target_is_directory=True)
    (tmp_path / "elsewhere" / "to data").symlink_to(tmp_path / "data", target_is_directory=True)
    (tmp_path / "data" / ".hidden").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    found = [source.path.relative_to(tmp_path / "data").as_posix() for source in find_volumes(tmp_path / "data").sources]
    assert found == ["linked/deep/b.nii.gz", "z/a.nii.gz"]


def test_a_file_is_found_alone(nifti, itk, dicom, tmp_path: Path, voxels: np.ndarray) -> None:
    assert ids(nifti(tmp_path / "a.b.nii.gz")) == ["a.b"]
    assert ids(itk(tmp_path / "x_seg.nrrd")) == ["x_seg"]
    one = sorted(dicom(tmp_path / "scan", voxels).iterdir())[0]
    (source,) = find_volumes(one).sources
    assert (source.id, source.files) == ("image001", (one,))


def test_label_files_are_left_out(nifti, itk, tmp_path: Path) -> None:
    for name in ("a", "a_gt", "a-label", "a_SEG", "a_mask"):
        nifti(tmp_path / f"{name}.nii.gz")
    itk(tmp_path / "a.seg.nrrd")
    nifti(tmp_path / "labels" / "a.nii.gz")
    nifti(tmp_path / "segments.nii.gz")
    assert ids(tmp_path) == ["a", "segments"]


def test_names_that_occur_in_several_folders_get_the_folders_names(nifti, tmp_path: Path) -> None:
    for name in ("p1/day1/t1", "p1/day2/t1", "p2/day1/t1", "p2/only"):
        nifti(tmp_path / f"{name}.nii.gz")
    assert ids(tmp_path) == ["p1_day1_t1", "p1_day2_t1", "p2_day1_t1", "only"]


def test_files_of_one_name_and_several_formats_get_the_format(nifti, itk, tmp_path: Path) -> None:
    nifti(tmp_path / "a.nii.gz")
    nifti(tmp_path / "a.nii")
    itk(tmp_path / "a.nrrd")
    assert sorted(ids(tmp_path)) == ["a_nifti", "a_nifti_2", "a_nrrd"]


def test_a_folder_a_patient_when_the_same_names_repeat_in_every_one(nifti, tmp_path: Path) -> None:
    for patient in ("p1", "p2", "p3"):
        for name in ("t1", "t2"):
            nifti(tmp_path / patient / f"{name}.nii.gz")
    assert ids(tmp_path)[:2] == ["p1_t1", "p1_t2"]
    assert patients(tmp_path) == ["p1", "p1", "p2", "p2", "p3", "p3"]


def test_otherwise_every_file_is_a_patient_and_its_frames_are_not(nifti, tmp_path: Path, voxels: np.ndarray) -> None:
    nifti(tmp_path / "a.nii.gz")
    nifti(tmp_path / "b.nii.gz", np.stack([voxels, voxels]))
    assert ids(tmp_path) == ["a", "b_frame01", "b_frame02"]
    assert patients(tmp_path) == ["a", "b", "b"]


def test_many_frames_get_as_many_digits_as_they_need(nifti, tmp_path: Path, voxels: np.ndarray) -> None:
    nifti(tmp_path / "b.nii.gz", np.stack([voxels] * 100))
    assert ids(tmp_path)[::99] == ["b_frame001", "b_frame100"]


def test_ids_are_unique_whatever_the_names(nifti, tmp_path: Path, voxels: np.ndarray) -> None:
    for name in ("a/b_c", "a_b/c", "b/c", "a/b/c", "c"):
        nifti(tmp_path / f"{name}.nii.gz")
    nifti(tmp_path / "x.nii.gz", np.stack([voxels] * 2))
    nifti(tmp_path / "x_frame01.nii.gz")
    found = ids(tmp_path)
    assert len(set(found)) == len(found) == 8


def test_bad_files_in_a_folder_are_listed_with_the_reason(nifti, tmp_path: Path) -> None:
    good = nifti(tmp_path / "a.nii.gz")
    (tmp_path / "text.nii.gz").write_text("hello")
    (tmp_path / "cut.nii.gz").write_bytes(good.read_bytes()[:-30])
    (tmp_path / "empty.nrrd").write_bytes(b"")
    found = find_volumes(tmp_path)
    assert [source.id for source in found.sources] == ["a"]
    assert {one.path.name: one.reason for one in found.unreadable} == {
        "cut.nii.gz": "it is cut short or damaged",
        "empty.nrrd": "it is empty",
        "text.nii.gz": "it is not a compressed NIfTI file, whatever its name says",
    }


def test_a_bad_file_alone_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "text.nii.gz").write_text("hello")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG" * 100)
    for name, words in (("text.nii.gz", "not a compressed NIfTI"), ("picture.png", "no volume of a known format")):
        with pytest.raises(InputError, match=words) as caught:
            find_volumes(tmp_path / name)
        assert name in caught.value.message
        assert caught.value.hint
        assert "\n" not in str(caught.value)


def test_missing_paths_and_folders_without_volumes_are_errors(nifti, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone does not exist\. Check"):
        find_volumes(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"no volumes in .*empty\. Give NIfTI"):
        find_volumes(tmp_path / "empty")
    nifti(tmp_path / "only" / "a_gt.nii.gz")
    with pytest.raises(InputError, match="only label files"):
        find_volumes(tmp_path / "only")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.nii.gz").write_text("hello")
    with pytest.raises(InputError, match=r"None of the 1 volumes .*a\.nii\.gz: it is not"):
        find_volumes(tmp_path / "bad")


def test_an_unknown_layout_is_an_error(nifti, tmp_path: Path) -> None:
    nifti(tmp_path / "a.nii.gz")
    with pytest.raises(InputError, match="no layout bids"):
        find_volumes(tmp_path, "bids")


@pytest.mark.slow
def test_a_thousand_headers_take_seconds(nifti, tmp_path: Path) -> None:
    for k in range(1000):
        nifti(tmp_path / f"{k}.nii.gz")
    begin = time.perf_counter()
    assert len(ids(tmp_path)) == 1000
    assert time.perf_counter() - begin < 20


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are any bytes on Linux only")
def test_a_name_that_is_no_text_is_told_and_the_others_are_found(nifti, tmp_path: Path) -> None:
    nifti(tmp_path / "a.nii.gz")
    for suffix in (b".nii.gz", b".nrrd", b".txt"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/gr\xf6sse" + suffix)).write_bytes(b"x")
    found = find_volumes(tmp_path)
    assert [source.id for source in found.sources] == ["a"]
    assert len(found.unreadable) == 2
    for one in found.unreadable:
        assert "rename it" in one.reason
        str(one.path).encode()
