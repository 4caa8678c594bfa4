from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pcl_core.errors import InputError
from pcl_core.events import Collected, Reporter
from pcl_core.fingerprinting import take_fingerprint
from pcl_core.volumes.scan import ScanReport, scan

RNG = np.random.default_rng(7)


def scene(scale: float = 1.0, shape: tuple[int, int, int] = (5, 24, 20)) -> np.ndarray:
    """Voxels of an MR-like volume; no two are alike."""
    return (RNG.gamma(3, 60, shape) * scale).astype(np.float32)


def warnings(report: ScanReport) -> dict[str, tuple[str, ...]]:
    return {row.source.id: row.warnings for row in report.volumes if row.warnings}


@pytest.fixture
def folder(nifti, tmp_path: Path) -> Path:
    """Six healthy volumes, in a folder where nothing else is."""
    for k in range(6):
        nifti(tmp_path / "set" / f"v{k}.nii.gz", scene(1 + k / 10), np.diag([1.0, 1.0, 4.0, 1.0]))
    return tmp_path / "set"


def test_healthy_volumes_get_a_row_each_and_no_warning(folder: Path) -> None:
    report = scan(folder)
    assert warnings(report) == {}
    assert (report.unreadable, report.warnings) == ((), ())
    row = report.to_json()["volumes"][2]
    low, high = row.pop("intensity_range")
    assert 0 <= low < high
    assert row == {
        "path": str(folder / "v2.nii.gz"),
        "id": "v2",
        "patient": "v2",
        "frame": None,
        "format": "nifti",
        "size": [20, 24, 5],
        "spacing": [1, 1, 4],
        "orientation": "RAS",
        "slice_axis": "axial",
        "slice_normal": "S",
        "slices": 5,
        "in_plane_spacing": [1, 1],
        "canonical_shape": [5, 24, 20],
        "canonical_spacing": [4, 1, 1],
        "labels": None,
        "labels_frame": None,
        "warnings": [],
    }


def test_the_report_is_json_and_says_what_a_plan_needs(folder: Path) -> None:
    report = scan(folder)
    assert set(json.loads(json.dumps(report.to_json(), allow_nan=False))) >= {"volumes", "unreadable", "warnings"}
    fingerprint = take_fingerprint(report.sources, "auto", report.ranges)
    assert (fingerprint.volumes, fingerprint.slices, fingerprint.spacing_mm) == (6, 30, (4, 1, 1))


def test_the_slice_axis_can_be_named(folder: Path) -> None:
    row = scan(folder, axis="sagittal").to_json()["volumes"][0]
    assert (row["slice_axis"], row["slice_normal"], row["slices"]) == ("sagittal", "L", 20)
    assert row["in_plane_spacing"] == [4, 1]
    assert row["warnings"] == ["Its in-plane pixels are not square (4 x 1 mm)."]


def test_pixels_that_are_not_square_are_said(nifti, folder: Path) -> None:
    nifti(folder / "x.nii.gz", scene(), np.diag([1.0, 1.5, 4.0, 1.0]))
    assert warnings(scan(folder)) == {"x": ("Its in-plane pixels are not square (1.5 x 1 mm).",)}


def test_a_single_slice_and_far_too_many_are_said(nifti, folder: Path) -> None:
    nifti(folder / "one.nii.gz", scene(shape=(1, 24, 20)), np.diag([1.0, 1.0, 4.0, 1.0]))
    nifti(folder / "many.nii.gz", scene(shape=(3000, 4, 3)), np.diag([1.0, 1.0, 4.0, 1.0]))
    assert warnings(scan(folder)) == {
        "many": ("It has 3000 slices; is the slice axis right?",),
        "one": ("It has a single slice.",),
    }


def test_unequal_spacing_within_a_series_is_said(dicom, tmp_path: Path, voxels: np.ndarray) -> None:
    dicom(tmp_path / "scan", voxels, positions=[0, 4, 8, 16, 20])
    assert "is a slice missing?" in warnings(scan(tmp_path))["scan"][0]


@pytest.mark.parametrize("change", [(20.0, 0.0), (0.05, 0.0), (4.0, -2500.0)])
def test_an_intensity_range_unlike_the_others_is_said(nifti, folder: Path, change: tuple[float, float]) -> None:
    nifti(folder / "x.nii.gz", scene() * change[0] + change[1], np.diag([1.0, 1.0, 4.0, 1.0]))
    found = warnings(scan(folder))
    assert list(found) == ["x"]
    assert "are unlike those of the others" in found["x"][0]


def test_many_different_intensities_are_said_once_of_the_folder(nifti, tmp_path: Path) -> None:
    for k in range(12):
        nifti(tmp_path / f"{k}.nii.gz", scene(1000.0 if k % 3 == 0 else 1.0), np.diag([1.0, 1.0, 4.0, 1.0]))
    report = scan(tmp_path)
    assert warnings(report) == {}
    assert "differ widely (4 of 12" in report.warnings[0][1]


def test_an_orientation_unlike_the_others_is_said(nifti, folder: Path) -> None:
    nifti(folder / "x.nii.gz", scene(), np.diag([-1.0, 1.0, 4.0, 1.0]))
    nifti(folder / "y.nii.gz", scene(), np.array([[0, 0, 4.0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]))
    assert warnings(scan(folder)) == {
        "x": ("It is stored as LAS, most others as RAS.",),
        "y": ("It is stored as ASR, most others as RAS.", "Its slices are sagittal, those of most others axial."),
    }


def test_duplicates_are_found_whatever_their_headers_and_formats(nifti, itk, folder: Path) -> None:
    array = scene()
    nifti(folder / "x1.nii.gz", array, np.diag([1.0, 1.0, 4.0, 1.0]))
    nifti(folder / "x2.nii.gz", array, np.diag([1.0, 1.0, 4.2, 1.0]))
    itk(folder / "x3.nrrd", array[:, ::1])
    found = warnings(scan(folder))
    assert "It holds the same voxels as x1." in found["x2"]
    assert "It holds the same voxels as x1." in found["x3"]
    assert set(found) == {"x2", "x3"}


def test_volumes_that_begin_alike_are_no_duplicates(nifti, tmp_path: Path) -> None:
    first = RNG.integers(0, 1000, (9, 256, 256)).astype(np.int16)
    second = first.copy()
    second[-1] += 1
    for name, array in (("a", first), ("b", second), ("c", first)):
        nifti(tmp_path / f"{name}.nii.gz", array)
    assert [len(row.warnings) for row in scan(tmp_path).volumes] == [1, 1, 2]  # each has pixels of 1 x 2 mm
    assert "It holds the same voxels as a." in scan(tmp_path).volumes[2].warnings


def test_nan_and_constant_volumes_are_said(nifti, folder: Path) -> None:
    holes = scene()
    holes[0, 3] = np.nan
    nifti(folder / "holes.nii.gz", holes, np.diag([1.0, 1.0, 4.0, 1.0]))
    nifti(folder / "flat.nii.gz", np.full((5, 24, 20), 3, np.int16), np.diag([1.0, 1.0, 4.0, 1.0]))
    nifti(folder / "void.nii.gz", np.full((5, 24, 20), np.nan, np.float32), np.diag([1.0, 1.0, 4.0, 1.0]))
    assert warnings(scan(folder)) == {
        "flat": ("All voxels are 3.",),
        "holes": ("Some voxels are not numbers (NaN or infinite).",),
        "void": ("No voxel is a number.",),
    }


def test_what_lies_beyond_the_sample_is_found_when_all_voxels_are_read(nifti, itk, tmp_path: Path) -> None:
    late = scene(shape=(12, 256, 256))
    late[-1, -1, -1] = np.nan
    nifti(tmp_path / "late.nii.gz", late, np.diag([1.0, 1.0, 4.0, 1.0]))
    noise = itk(tmp_path / "cut.nrrd", scene(shape=(30, 256, 256)))
    noise.write_bytes(noise.read_bytes()[:-500000])
    quick = scan(tmp_path)
    assert (len(quick.volumes), quick.unreadable) == (2, ())
    thorough = scan(tmp_path, thorough=True)
    assert warnings(thorough) == {"late": ("Some voxels are not numbers (NaN or infinite).",)}
    assert [one.path.name for one in thorough.unreadable] == ["cut.nrrd"]


def test_labels_on_another_grid_and_without_image_are_said(nifti, folder: Path) -> None:
    nifti(folder / "v0_gt.nii.gz", np.zeros((5, 24, 20), np.uint8), np.diag([1.0, 1.0, 4.0, 1.0]))
    nifti(folder / "v1_gt.nii.gz", np.zeros((4, 24, 20), np.uint8), np.diag([1.0, 1.0, 4.0, 1.0]))
    nifti(folder / "w_gt.nii.gz", np.zeros((4, 24, 20), np.uint8), np.diag([1.0, 1.0, 4.0, 1.0]))
    report = scan(folder)
    assert warnings(report) == {
        "v1": ("Its labels v1_gt.nii.gz lie on another grid: its size 20 x 24 x 4 is not 20 x 24 x 5.",)
    }
    assert report.volumes[0].labels == folder / "v0_gt.nii.gz"
    assert report.warnings == ((folder / "w_gt.nii.gz", "These labels match no image, or one that has others already."),)


def test_equal_spacing_along_all_axes_is_said_of_the_folder_unless_an_axis_is_named(nifti, tmp_path: Path) -> None:
    nifti(tmp_path / "a.nii.gz", scene(), np.eye(4))
    assert "1 of 1 volumes have the same spacing" in scan(tmp_path).warnings[0][1]
    assert scan(tmp_path, axis="coronal").warnings == ()


def test_unreadable_files_are_listed_with_the_reason(folder: Path) -> None:
    (folder / "a.nii.gz").write_text("text")
    report = scan(folder)
    assert len(report.volumes) == 6
    (entry,) = report.to_json()["unreadable"]
    assert entry == {
        "path": str(folder / "a.nii.gz"),
        "reason": "it is not a compressed NIfTI file, whatever its name says",
    }


def test_a_single_bad_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").write_text("text")
    with pytest.raises(InputError, match=r"a\.nii\.gz"):
        scan(tmp_path / "a.nii.gz")
    assert len(scan(tmp_path).unreadable) == 1


def test_progress_is_reported(folder: Path) -> None:
    events = Collected()
    scan(folder, reporter=Reporter(events))
    last = events.named("progress")[-1]
    assert (last["stage"], last["done"], last["total"]) == ("scan", 6, 6)


@pytest.mark.parametrize("name", ["a.nrrd", "b.mha", "c.mhd", "d.nhdr"])
@pytest.mark.parametrize("compress", [True, False])
def test_other_formats_are_sampled_as_well(itk, tmp_path: Path, name: str, compress: bool) -> None:
    array = RNG.integers(-5, 900, (9, 256, 256)).astype(np.int16)
    row = scan(itk(tmp_path / name, array, compress=compress)).volumes[0]
    assert row.intensity == pytest.approx((array.min(), array.max()), abs=20)


def test_real_duplicates_are_found(shared_data: Path) -> None:
    assert warnings(scan(shared_data / "acdc")) == {
        "patient076_frame01": ("It holds the same voxels as patient074_frame01.",),
        "patient076_frame12": ("It holds the same voxels as patient074_frame12.",),
    }


@pytest.mark.parametrize("name", ["cine_4d.nii", "cine_4d.nii.gz"])
def test_frames_that_differ_are_not_called_copies(nifti, tmp_path: Path, name: str) -> None:
    frames = RNG.integers(0, 900, (3, 5, 40, 40)).astype(np.int16)
    nifti(tmp_path / name, frames, np.diag([1.0, 1.0, 4.0, 1.0]))
    assert warnings(scan(tmp_path)) == {}
