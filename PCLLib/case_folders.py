"""The folders of cases: looks at one after another, and tells which volumes are in them. Knows no widgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pcl_core.errors import InputError
from PCLLib import segmentation_texts as texts
from PCLLib.events import Cancelled, Done, Failed, Last
from PCLLib.installer import Installer
from PCLLib.job_group import JobGroup, Work
from PCLLib.messages import Message
from PCLLib.scan_report import ScanReport, VolumeRow
from PCLLib.segmentation_states import Doing, DoingMachine
from PCLLib.signals import Signal
from PCLLib.temporary import TemporaryFolder

SCAN = "scan"


class CaseFolders:
    """The chosen folders.

    Signals:
        found: the volumes of all of them.
        logged: a line for the log.

    Args:
        states: what is being done.
        jobs: run the engine.
        installer: what a folder of some formats needs.
        tell: shows a message; None takes it away.
    """

    def __init__(
        self, states: DoingMachine, jobs: JobGroup, installer: Installer, tell: Callable[[Message | None], None]
    ) -> None:
        self.found = Signal[[tuple[VolumeRow, ...]]]()
        self.logged = Signal[[str]]()
        self._states, self._jobs, self._installer, self._tell = states, jobs, installer, tell
        self._folders: list[Path] = []
        self._rows: dict[Path, tuple[VolumeRow, ...]] = {}

    def choose(self, folders: Sequence[Path], again: Path | None = None) -> None:
        """Looks at the folders that are new; the volumes of those that are gone leave the table.

        Args:
            folders: all of them.
            again: one of them that is looked at although it was looked at before.
        """
        self._folders = list(folders)
        gone = self._rows.keys() - set(folders)
        for folder in gone:
            del self._rows[folder]
        if gone:
            self._tell_rows()
        self._look([folder for folder in folders if folder == again or folder not in self._rows])

    def _look(self, folders: list[Path]) -> None:
        if folders and self._states.idle:
            self._tell(None)
            with self._states.beginning(Doing.LOOKING):
                self._next(folders)

    def _next(self, left: list[Path]) -> None:
        """Looks at one folder after another."""
        try:
            folder = TemporaryFolder("scan")
        except InputError as error:
            self._end(Failed("input", error.message, error.hint))
            return
        file = folder.path / "report.json"

        def ended(last: Last) -> None:
            read = False
            try:
                if isinstance(last, Done):
                    self._rows[left[0]] = self._rows_of(file, left[0])
                read = True
            finally:
                if not read:
                    self._end(None)
            if len(left) > 1 and not isinstance(last, Cancelled):
                self._fail(last)
                self._next(left[1:])
            else:
                self._end(last)

        self._jobs.run(SCAN, Work(["scan", left[0], "--json", file], ended, folder.cleanup))

    def _end(self, last: Last | None) -> None:
        self._states.end()
        self._fail(last)
        self._tell_rows()

    def _fail(self, last: Last | None) -> None:
        if isinstance(last, Failed):
            actions = (self._installer.offer(self._look_at_the_rest),) if self._installer.needed else ()
            self._tell(texts.failed(last, actions))

    def _look_at_the_rest(self) -> None:
        self._look([folder for folder in self._folders if folder not in self._rows])

    def _tell_rows(self) -> None:
        self.found.emit(tuple(row for folder in self._folders for row in self._rows.get(folder, ())))

    def _rows_of(self, file: Path, folder: Path) -> tuple[VolumeRow, ...]:
        report = ScanReport.read(file)
        for bad in report.bad:
            self.logged.emit(f"{bad.path}: {bad.reason}")
        if not report.volumes:
            self._tell(texts.nothing_in_folder(folder))
        elif report.bad:
            self._tell(texts.some_bad(len(report.bad)))
        return report.volumes

    def cancel(self) -> None:
        """Cancels the look; what was found before it stays."""
        self._jobs.cancel(SCAN)

    def clear(self) -> None:
        """The scene is closed."""
        self._jobs.leave(SCAN)
        self._folders, self._rows = [], {}
