from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pcl_core.volumes.cases import find_cases
from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.frames import each_once
from Testing.data_sets import CINE_FRAMES, drawn, save, write_acdc


def names(folder: Path, layout: str = "auto") -> list[str]:
    found = find_volumes(folder, layout)
    return [source.id for source in each_once(found.sources, found.layout)]


def test_frames_count_once_where_their_cine_file_is_there(tmp_path: Path) -> None:
    write_acdc(tmp_path, 2)
    assert names(tmp_path) == [f"patient00{k}_4d_frame0{frame}" for k in (1, 2) for frame in range(1, CINE_FRAMES + 1)]


def test_frames_serve_where_there_is_no_cine_file(tmp_path: Path) -> None:
    write_acdc(tmp_path, 2)
    (tmp_path / "patient002" / "patient002_4d.nii.gz").unlink()
    assert names(tmp_path)[CINE_FRAMES:] == ["patient002_frame01", "patient002_frame03"]


def test_frames_serve_where_the_cine_file_is_broken(tmp_path: Path) -> None:
    write_acdc(tmp_path, 1)
    (tmp_path / "patient001" / "patient001_4d.nii.gz").write_text("broken")
    assert names(tmp_path) == ["patient001_frame01", "patient001_frame03"]


@pytest.mark.parametrize("change", ["number", "size"])
def test_a_frame_that_the_cine_file_cannot_hold_is_no_copy(tmp_path: Path, change: str) -> None:
    write_acdc(tmp_path, 1)
    frame = tmp_path / "patient001" / "patient001_frame03.nii.gz"
    if change == "number":
        frame.rename(frame.with_name(f"patient001_frame{CINE_FRAMES + 1:02d}.nii.gz"))
    else:
        save(frame, drawn(0, (1,))[0][:4])
    assert len(names(tmp_path)) == CINE_FRAMES + 1


def test_only_the_layout_of_acdc_has_copies(tmp_path: Path) -> None:
    write_acdc(tmp_path, 1)
    assert len(names(tmp_path, "folder")) == CINE_FRAMES + 2


def test_frames_and_cine_file_are_of_one_patient(tmp_path: Path) -> None:
    write_acdc(tmp_path, 2)
    assert {source.patient for source in find_volumes(tmp_path).sources} == {"patient001", "patient002"}


def test_labels_of_a_frame_without_its_file_go_with_the_cine_file(tmp_path: Path) -> None:
    write_acdc(tmp_path, 1)
    (tmp_path / "patient001" / "patient001_frame03.nii.gz").unlink()
    pairs = {case.id: case.labels.path.name for case in find_cases(tmp_path).cases}
    assert pairs == {
        "patient001_frame01": "patient001_frame01_gt.nii.gz",
        "patient001_4d_frame03": "patient001_frame03_gt.nii.gz",
    }


def test_only_end_diastole_and_end_systole_have_labels(tmp_path: Path) -> None:
    write_acdc(tmp_path, 2)
    assert [case.id for case in find_cases(tmp_path).cases] == [
        f"patient00{k}_frame0{frame}" for k in (1, 2) for frame in (1, 3)
    ]
    for case in find_cases(tmp_path).cases:
        assert np.prod(case.source.geometry.size) == np.prod(case.labels.geometry.size)
