from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (its own usual name)
from hypothesis import given, settings
from hypothesis import strategies as st

from pcl_core.errors import InputError
from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.reading import read_volume
from pcl_core.volumes.writing import write_volume

GRID = Geometry((3, 4, 5), (0.7, 0.7, 3.0), (1.25, -40.0, 300.7), (1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.0, 0.0))


@pytest.mark.parametrize("name", ["a.nrrd", "a.nii.gz", "a.nii", "a.mha"])
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_what_is_written_is_read_back(tmp_path: Path, name: str, dtype: type) -> None:
    array = np.arange(60).reshape(5, 4, 3).astype(dtype)
    write_volume(tmp_path / "new" / name, array, GRID)
    (source,) = find_volumes(tmp_path).sources
    assert np.array_equal(read_volume(source).voxels, array)
    assert not source.geometry.differs_from(GRID)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [name]


@settings(max_examples=20, deadline=None)
@given(
    spacing=st.tuples(*[st.floats(0.1, 10)] * 3),
    origin=st.tuples(*[st.floats(-500, 500)] * 3),
    angle=st.floats(0, 3.14),
)
def test_nrrd_keeps_the_grid_exactly(tmp_path_factory, spacing: tuple, origin: tuple, angle: float) -> None:
    path = tmp_path_factory.mktemp("grid") / "a.nrrd"
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, -1]])
    geometry = Geometry((2, 2, 2), spacing, origin, tuple(turn.ravel()))
    write_volume(path, np.zeros((2, 2, 2), np.uint8), geometry)
    assert not find_volumes(path).sources[0].geometry.differs_from(geometry, 1e-9)


def test_a_file_for_another_program_of_ours_need_not_be_compressed(tmp_path: Path) -> None:
    array = np.zeros((5, 4, 3), np.int16)
    write_volume(tmp_path / "a.nrrd", array, GRID, compressed=False)
    assert b"encoding: raw" in (tmp_path / "a.nrrd").read_bytes()
    (source,) = find_volumes(tmp_path).sources
    assert np.array_equal(read_volume(source).voxels, array)


def test_truth_values_become_labels(tmp_path: Path) -> None:
    write_volume(tmp_path / "a.nrrd", np.ones((5, 4, 3), bool), GRID)
    assert sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "a.nrrd"))).dtype == np.uint8


def test_an_array_that_does_not_fit_the_grid_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        write_volume(tmp_path / "a.nrrd", np.zeros((3, 4, 5), np.uint8), GRID)


def test_an_unknown_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"does not end in \.nrrd"):
        write_volume(tmp_path / "a.png", np.zeros((5, 4, 3), np.uint8), GRID)


def test_a_folder_that_is_a_file_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="Cannot write"):
        write_volume(tmp_path / "file" / "deeper" / "a.nrrd", np.zeros((5, 4, 3), np.uint8), GRID)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="an administrator may write anywhere")
def test_a_folder_without_the_right_to_write_is_refused_in_words(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="Permission denied"):
        write_volume(tmp_path / "a.nrrd", np.zeros((5, 4, 3), np.uint8), GRID)
    tmp_path.chmod(0o700)


def test_a_file_that_comes_out_incomplete_does_not_take_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_short(image: sitk.Image, path: str, **options: bool) -> None:
        sitk_write(image, path, **options)
        os.truncate(path, Path(path).stat().st_size - 10)

    sitk_write = sitk.WriteImage
    (tmp_path / "a.nrrd").write_text("what was there before")
    monkeypatch.setattr(sitk, "WriteImage", cut_short)
    with pytest.raises(InputError, match="incomplete"):
        write_volume(tmp_path / "a.nrrd", np.random.default_rng(0).random((5, 4, 3)), GRID)
    assert (tmp_path / "a.nrrd").read_text() == "what was there before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.nrrd"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full to stand for a full disk")
def test_a_full_disk_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f".partial-{os.getpid()}-a.nrrd").symlink_to("/dev/full")
    with pytest.raises(InputError, match="No space left to write"):
        write_volume(tmp_path / "a.nrrd", np.zeros((5, 4, 3), np.uint8), GRID)
    assert list(tmp_path.iterdir()) == []
