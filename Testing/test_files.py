from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pcl_core.errors import InputError
from pcl_core.files import replacing, require_space, writable_folder, write_error, write_text


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_file_appears_whole_when_the_block_ends(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "er" / "a.nii.gz"
    with replacing(target) as partial:
        partial.write_bytes(b"half")
        assert not target.exists()
        assert partial.parent == target.parent
        assert partial.name.endswith(".nii.gz")
    assert target.read_bytes() == b"half"
    assert left_in(target.parent) == ["a.nii.gz"]


def test_an_older_file_is_replaced_at_the_end_only(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with replacing(target) as partial:
        partial.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, InputError])
def test_a_block_that_fails_leaves_the_older_file_and_nothing_else(failure: type[BaseException], tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail() -> None:
        with replacing(target) as partial:
            partial.write_text("new")
            raise failure("stop")

    with pytest.raises(failure):
        fail()
    assert target.read_text() == "old"
    assert left_in(tmp_path) == ["a.txt"]


def test_a_file_where_a_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="Cannot write") as caught:
        write_text(tmp_path / "file" / "a.txt", "text")
    assert str(tmp_path / "file" / "a.txt") in caught.value.message
    assert caught.value.hint


def test_a_folder_in_the_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(InputError, match="Cannot write"):
        write_text(tmp_path / "a.txt", "text")
    assert left_in(tmp_path) == ["a.txt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk_is_said_in_words() -> None:
    with pytest.raises(OSError, match="No space") as caught:
        Path("/dev/full").write_bytes(b"x")
    assert write_error(Path("a.txt"), caught.value).message == "No space left to write a.txt."


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_quotas_and_limits_count_as_no_space(number: int) -> None:
    assert "No space left" in write_error(Path("a"), OSError(number, os.strerror(number))).message


def test_text_is_written_in_utf8(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "Herz: ♥\n")
    assert (tmp_path / "a.txt").read_bytes() == "Herz: ♥\n".encode()


def test_files_get_the_permissions_that_the_user_set(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_a_writable_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    folder = writable_folder(tmp_path / "a" / "b")
    assert left_in(folder) == []


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="is a file, not a folder"):
        writable_folder(tmp_path / "out")
    with pytest.raises(InputError, match="Cannot write"):
        writable_folder(tmp_path / "out" / "deeper")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="an administrator may write anywhere")
def test_a_folder_without_write_permission_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="Cannot write"):
        writable_folder(tmp_path)


def test_too_little_space_is_said_before_anything_is_written(tmp_path: Path) -> None:
    require_space(tmp_path, 1)
    with pytest.raises(InputError, match="No space for") as caught:
        require_space(tmp_path, 2**60)
    assert str(tmp_path) in caught.value.message
    assert "MiB are free" in caught.value.message
