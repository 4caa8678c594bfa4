"""Folders that a process of the engine writes into, and that are removed when it is over."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pcl_core.errors import InputError

PCLLIB = Path(__file__).parents[2] / "PCLLib"


@pytest.fixture
def made(bench):
    """The module that makes them."""
    from PCLLib import temporary

    return temporary


@pytest.fixture
def parent(tmp_path, monkeypatch):
    """Where they are made."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def gone() -> int:
    """The number of a process that is over."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_only_one_file_makes_temporary_folders_and_files_that_are_open_do_not_make_their_removal_an_error():
    """Windows keeps files that somebody has open, and any system refuses a folder into which something is being written."""
    calls = [
        (path.name, node)
        for path in sorted(PCLLIB.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("tempfile.")
    ]
    assert {name for name, _call in calls} == {"temporary.py"}
    makers = [call for _name, call in calls if ast.unparse(call.func).endswith("TemporaryDirectory")]
    assert len(makers) == 1
    assert ("ignore_cleanup_errors", "True") in {(one.arg, ast.unparse(one.value)) for one in makers[0].keywords}


def test_a_folder_is_there_until_it_is_cleaned_up(made, parent):
    folder = made.TemporaryFolder("finetune")
    (folder.path / "image.nrrd").write_bytes(b"1")
    assert folder.path.parent == parent
    folder.cleanup()
    assert list(parent.iterdir()) == []


def test_a_with_block_gives_the_path_and_removes_it(made, parent):
    with made.TemporaryFolder("dicom") as path:
        assert path.is_dir()
    assert list(parent.iterdir()) == []


def test_what_an_application_that_crashed_left_behind_goes_with_the_next_folder(made, parent, gone):
    left = parent / f"pcl-finetune-{gone}-ab_c1234"
    (left / "images").mkdir(parents=True)
    (left / "images" / "patient.nrrd").write_bytes(b"1")
    with made.TemporaryFolder("scan") as path:
        assert list(parent.iterdir()) == [path]


def test_folders_of_applications_that_run_stay(made, parent):
    with made.TemporaryFolder("finetune") as mine, made.TemporaryFolder("self-test") as another:
        other = parent / f"pcl-segment-{os.getppid()}-abcd1234"
        other.mkdir()
        made.remove_left_behind(parent)
        assert set(parent.iterdir()) == {mine, another, other}


def test_nothing_else_is_removed(made, parent, gone):
    names = [f"pcl-notes-{gone}", "pcl-finetune-abc", f"tmp-{gone}-abcd1234", f"pcl-finetune-{gone}-abcd1234.zip"]
    for name in names:
        (parent / name).mkdir()
    made.remove_left_behind(parent)
    assert sorted(path.name for path in parent.iterdir()) == sorted(names)


def test_a_link_of_such_a_name_is_not_followed(made, parent, gone, tmp_path_factory):
    precious = tmp_path_factory.mktemp("precious")
    (precious / "work.txt").write_text("work", encoding="utf-8")
    (parent / f"pcl-scan-{gone}-abcd1234").symlink_to(precious)
    made.remove_left_behind(parent)
    assert (precious / "work.txt").read_text(encoding="utf-8") == "work"


def test_without_a_place_for_temporary_files_the_reason_is_told(made, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(InputError, match="temporary"):
        made.TemporaryFolder("scan")
