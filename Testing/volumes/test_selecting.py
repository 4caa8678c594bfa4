"""Volumes that a person leaves out by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pcl_core.errors import InputError
from pcl_core.volumes.selecting import names_in, without
from pcl_core.volumes.volume import VolumeSource
from Testing.making import grid_of

FOLDER = Path("/data")


def source(name: str, file: str, patient: str, frame: int | None = None) -> VolumeSource:
    return VolumeSource(name, (FOLDER / file,), "nifti", grid_of((4, 8, 8)), "int16", patient, frame)


SOURCES = (
    source("p1_cine_t0", "p1/cine.nii.gz", "p1", 0),
    source("p1_cine_t1", "p1/cine.nii.gz", "p1", 1),
    source("p1_rest", "p1/rest.nii.gz", "p1"),
    source("p2_rest", "p2/rest.nii.gz", "p2"),
)


def kept(*names: str) -> list[str]:
    return [one.id for one in without(SOURCES, names, FOLDER)]


def test_nothing_named_leaves_all():
    assert without(SOURCES, [], FOLDER) == SOURCES


@pytest.mark.parametrize(
    ("names", "left"),
    [
        (("p1_rest",), ["p1_cine_t0", "p1_cine_t1", "p2_rest"]),
        (("p1_cine_t1",), ["p1_cine_t0", "p1_rest", "p2_rest"]),
        (("p1/cine.nii.gz",), ["p1_rest", "p2_rest"]),
        (("/data/p1/cine.nii.gz", "p2_rest"), ["p1_rest"]),
        (("p1",), ["p2_rest"]),
    ],
)
def test_ids_patients_and_paths_are_left_out(names, left):
    assert kept(*names) == left


def test_a_name_that_means_nothing_is_refused_with_the_nearest():
    with pytest.raises(InputError, match=r"no volume 'p1_rset' to leave out\. Did you mean 'p1_rest'"):
        kept("p1_rset")


def test_leaving_out_all_is_refused():
    with pytest.raises(InputError, match="All 4 volumes in /data are left out"):
        kept("p1", "p2")


def test_a_list_holds_one_name_a_line(tmp_path):
    (tmp_path / "list.txt").write_bytes("\ufeffp1_rest\r\n\r\n  Ärztin 1 \r\n".encode())
    assert names_in(tmp_path / "list.txt") == ["p1_rest", "Ärztin 1"]


def test_a_list_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(InputError, match=r"list\.txt"):
        names_in(tmp_path / "list.txt")
    (tmp_path / "latin.txt").write_bytes(b"\xc4rztin")
    with pytest.raises(InputError, match=r"latin\.txt is not a text in UTF-8"):
        names_in(tmp_path / "latin.txt")
