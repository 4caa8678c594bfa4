"""Time and memory of a pretraining, and the plan that is proposed for it: told by the engine after a short pause."""

from __future__ import annotations

import qt

from pcl_core.errors import InputError
from PCLLib import pretrain_calls as calls
from PCLLib.estimates import Estimate
from PCLLib.events import Done, Event, Failed, Last, Planned
from PCLLib.job_group import JobGroup, Work
from PCLLib.proposal import Proposal
from PCLLib.scan_report import ScanReport
from PCLLib.settings import PretrainSettings
from PCLLib.signals import Signal
from PCLLib.temporary import TemporaryFolder, temporary_files_in

# An estimate starts a process of some seconds; it waits until a person has stopped changing settings.
_PATIENCE_MS = 800
ESTIMATE = "estimate"


class Estimating:
    """One estimate after another; a newer one takes the place of an older one.

    Signals:
        wanted: the pause is over.
        changed: there is an estimate, or none any more.
        proposed: there is a new proposal of the plan.
        failed: why there is no estimate.

    Args:
        jobs: run the engine.
    """

    def __init__(self, jobs: JobGroup) -> None:
        self.wanted = Signal[[]]()
        self.changed = Signal[[]]()
        self.proposed = Signal[[]]()
        self.failed = Signal[[Failed]]()
        self.estimate: Estimate | None = None
        self.proposal: Proposal | None = None
        self._jobs = jobs
        self._settings: PretrainSettings | None = None
        self._pause = qt.QTimer()
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self.wanted.emit)
        jobs.happened.connect(self._happened)

    @property
    def running(self) -> bool:
        """Whether it is being estimated, or will be in a moment."""
        return ESTIMATE in self._jobs or self._pause.isActive()

    def soon(self) -> None:
        """The settings are others: asks for an estimate when nobody has changed them for a while."""
        self.estimate = None  # it was of other settings
        self._pause.start(_PATIENCE_MS)

    def start(self, settings: PretrainSettings, report: ScanReport) -> None:
        """Estimates."""
        self.leave()
        self.estimate = None
        self._settings = settings
        try:
            folder = TemporaryFolder("estimate")
        except InputError as error:
            self._ended(Failed("input", error.message, error.hint))
            return
        words = calls.estimate_words(settings, report, folder.path)
        variables = temporary_files_in(folder.path)
        self._jobs.run(ESTIMATE, Work(words, self._ended, folder.cleanup, variables=variables))

    def leave(self) -> None:
        """An estimate is of no interest now."""
        self._pause.stop()
        self._jobs.leave(ESTIMATE)

    def forget(self) -> None:
        """The volumes are others, or none."""
        self.leave()
        self.estimate = self.proposal = None

    def _ended(self, last: Last) -> None:
        if isinstance(last, Done):
            self.estimate = Estimate.from_summary(last.summary)
        elif isinstance(last, Failed):
            self.failed.emit(last)
        self.changed.emit()

    def _happened(self, name: str, event: Event) -> None:
        if name == ESTIMATE and isinstance(event, Planned) and self._settings is not None:
            fresh = Proposal.from_plan(event.plan)
            self.proposal = self.proposal.updated(fresh, self._settings) if self.proposal else fresh
            self.proposed.emit()
