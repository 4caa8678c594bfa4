"""Looking at a folder of volumes: the engine's report of it."""

from __future__ import annotations

from pathlib import Path

from pcl_core.errors import InputError
from PCLLib.events import Done, Failed, Last
from PCLLib.job_group import JobGroup, Work
from PCLLib.scan_report import ScanReport
from PCLLib.settings import PretrainSettings
from PCLLib.signals import Signal
from PCLLib.temporary import TemporaryFolder

SCAN = "scan"


class Scanning:
    """One look after another; a newer one takes the place of an older one.

    Signals:
        found: the report.
        failed: how the look ended without one.

    Args:
        jobs: run the engine.
    """

    def __init__(self, jobs: JobGroup) -> None:
        self.found = Signal[[ScanReport]]()
        self.failed = Signal[[Last]]()
        self._jobs = jobs

    def start(self, settings: PretrainSettings) -> None:
        """Looks at the folder of the settings."""
        try:
            folder = TemporaryFolder("scan")
        except InputError as error:
            self.failed.emit(Failed("input", error.message, error.hint))
            return
        file = folder.path / "report.json"
        words = ["scan", settings.folder, "--axis", settings.axis, "--json", file]
        self._jobs.run(SCAN, Work(words, lambda last: self._ended(last, file), folder.cleanup))

    def cancel(self) -> None:
        """Cancels the look, which then fails."""
        self._jobs.cancel(SCAN)

    def leave(self) -> None:
        """A look is of no interest now."""
        self._jobs.leave(SCAN)

    def _ended(self, last: Last, file: Path) -> None:
        if isinstance(last, Done):
            self.found.emit(ScanReport.read(file))
        else:
            self.failed.emit(last)
