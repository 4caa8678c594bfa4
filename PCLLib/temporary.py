"""Folders for files that a process reads or writes: they hold images of patients, so nothing of them may outlive a crash."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from slicer.i18n import tr as _

from pcl_core.errors import InputError
from pcl_core.files import is_running

_NAME = re.compile(r"pcl-[a-z-]+-(\d+)-\w+")
_MARK = "in-use"


class TemporaryFolder:
    """A new folder, named after its purpose and the process that it belongs to.

    What an application that crashed left behind is removed with it.

    Args:
        purpose: small letters, part of its name.

    Attributes:
        path: of it.

    Raises:
        InputError: it cannot be made.
    """

    def __init__(self, purpose: str) -> None:
        try:
            remove_left_behind(Path(tempfile.gettempdir()))
            prefix = f"pcl-{purpose}-{os.getpid()}-"
            self._folder = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
            self.path = Path(self._folder.name)
            self._mark = (self.path / _MARK).open("wb")
        except OSError as error:
            raise InputError(
                _("No folder for temporary files can be made: {reason}.").format(reason=error),
                _("Free some space on the disk, or see to it that the folder for temporary files is there."),
            ) from error

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_raised: object) -> None:
        self.cleanup()

    def cleanup(self) -> None:
        """Removes it; what cannot be removed stays until the next one is made."""
        self._mark.close()
        self._folder.cleanup()


def temporary_files_in(folder: Path) -> dict[str, str]:
    """Variables by which a process keeps its temporary files in a folder, so that nothing of them outlives it."""
    return dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))


def remove_left_behind(parent: Path) -> None:
    """Removes the folders of processes that are gone. Raises OSError when ``parent`` cannot be looked into."""
    for folder in parent.iterdir():
        named = _NAME.fullmatch(folder.name)
        if named and not folder.is_symlink() and not _in_use(folder, int(named.group(1))):
            shutil.rmtree(folder, ignore_errors=True)  # another person's cannot be removed, and need not be


def _in_use(folder: Path, process: int) -> bool:
    if sys.platform == "win32":  # os.kill would end it there; but a file that is open cannot be removed
        with suppress(FileNotFoundError):
            try:
                (folder / _MARK).unlink()
            except OSError:
                return True
        return False
    return is_running(process)
