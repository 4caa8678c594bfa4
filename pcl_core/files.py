"""Writing files so that a reader never sees half of one."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pcl_core.errors import InputError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_error(path: Path, error: OSError) -> InputError:
    """Says in words why ``path`` could not be written."""
    if error.errno in _NO_ROOM:
        return InputError(f"No space left to write {path}.", "Free some space or choose another output folder.")
    return InputError(f"Cannot write {path}: {error.strerror or error}.", "Choose a folder that you may write to.")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside ``path`` that is renamed into it when the block ends well.

    The temporary name ends like the final one (``.nii.gz``, ``.nrrd``), so that writers which choose a format by the name
    work on it. When the block fails, nothing is left behind.

    Raises:
        InputError: the folder or the file cannot be written.
    """
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(path)
    except OSError as error:
        raise write_error(path, error) from error
    finally:
        with suppress(OSError):  # the folder may not even exist; what went wrong is raised already
            partial.unlink()


def write_text(path: Path, text: str) -> None:
    """Writes ``text`` as UTF-8, whole or not at all. Raises InputError when that is impossible."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def writable_folder(path: Path) -> Path:
    """Creates ``path`` and makes sure that files can be written in it, before hours of work depend on it.

    What a process that was killed left half written there is removed.

    Raises:
        InputError: the path is a file, or cannot be created or written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".writable-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
        _remove_leftovers(path)
    except FileExistsError as error:
        raise InputError(f"The output {path} is a file, not a folder.", "Choose another output folder.") from error
    except OSError as error:
        raise write_error(path, error) from error
    return path


def _remove_leftovers(folder: Path) -> None:
    for path in folder.glob(".partial-*"):
        owner = path.name.removeprefix(".partial-").partition("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            with suppress(OSError):  # somebody else removed it, or may and we may not
                path.unlink()


def _alive(process: int) -> bool:
    """Whether another process of this number runs; this one has nothing half written when it asks.

    On Windows nobody is asked: open files cannot be removed there anyway.
    """
    return process != os.getpid() and sys.platform != "win32" and is_running(process)


def is_running(process: int) -> bool:
    """Whether a process of this number runs. Not for Windows, where the question, ``os.kill``, would end it."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def require_writable_folder(path: Path) -> None:
    """The same check, before it is known whether anything will be written: folders made for it are taken away again.

    Raises:
        InputError: the path is a file, or cannot be created or written.
    """
    made = [folder for folder in (path, *path.parents) if not folder.exists()]
    writable_folder(path)
    for folder in made:
        with suppress(OSError):  # somebody else uses it by now
            folder.rmdir()


def require_writable_file(path: Path) -> None:
    """Makes sure that a file can be written there. Raises InputError when it is a folder or its folder cannot be written."""
    if path.is_dir():
        raise InputError(f"The output {path} is a folder, not a file.", "Name a file in it.")
    require_writable_folder(path.parent)


def require_space(path: Path, needed_bytes: int) -> None:
    """Raises InputError when the disk of folder ``path`` has less than ``needed_bytes`` free."""
    free = shutil.disk_usage(path).free
    if free < needed_bytes:
        raise InputError(
            f"No space for {path}: {needed_bytes / 2**20:.0f} MiB are needed, {free / 2**20:.0f} MiB are free.",
            "Free some space, choose another output folder, or a smaller --size.",
        )
