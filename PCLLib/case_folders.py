"""The folders of cases: looks at one after another, and tells which volumes are in them. Knows no widgets."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from PCLLib import segmentation_texts as texts
from PCLLib.events import Cancelled, Done, Failed, Last
from PCLLib.installer import Installer
from PCLLib.job_group import JobGroup, Work
from PCLLib.messages import Message
from PCLLib.scan_report import ScanReport, VolumeRow
from PCLLib.segmentation_states import Doing, DoingMachine
from PCLLib.signals import Signal

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

    def choose(self, folders: Sequence[Path]) -> None:
        """Looks at the folders that are new; the volumes of those that are gone leave the table."""
        if list(folders) == self._folders:
            return
        self._folders = list(folders)
        if not folders:
            self._jobs.leave(SCAN)
            self.found.emit(())
        elif self._states.idle:
            self._look(list(folders), [])

    def _look(self, left: list[Path], found: list[VolumeRow]) -> None:
        """Looks at one folder after another."""
        if self._states.idle:
            self._tell(None)
            self._states.begin(Doing.LOOKING)
        folder = tempfile.TemporaryDirectory(prefix="pcl-scan-", ignore_cleanup_errors=True)
        file = Path(folder.name) / "report.json"

        def ended(last: Last) -> None:
            rows = self._rows_of(last, file, left[0])
            if len(left) > 1 and not isinstance(last, Cancelled):
                self._look(left[1:], [*found, *rows])
                return
            self._states.end()
            self.found.emit((*found, *rows))

        self._jobs.run(SCAN, Work(["scan", left[0], "--json", file], ended, folder.cleanup))

    def _rows_of(self, last: Last, file: Path, folder: Path) -> tuple[VolumeRow, ...]:
        if isinstance(last, Failed):
            actions = (self._installer.offer(lambda: self._look(list(self._folders), [])),) if self._installer.needed else ()
            self._tell(texts.failed(last, actions))
        if not isinstance(last, Done):
            return ()
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
        self._folders = []
