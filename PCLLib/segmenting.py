"""Segmenting by the warm model: one volume by a click, all of them, or a folder; and one step back. Knows no widgets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from pcl_core.inference.familiarity import unlike
from PCLLib import segmentation_texts as texts
from PCLLib.case_states import Case
from PCLLib.events import Cancelled, Done, Last, Progress
from PCLLib.finetuning import ESTIMATE
from PCLLib.installer import Installer
from PCLLib.job_group import JobGroup, Work
from PCLLib.messages import Message
from PCLLib.predictions import Click, undo
from PCLLib.questions import Questions
from PCLLib.segment_run import SegmentOrder, SegmentReport, SegmentRun
from PCLLib.segmentation_states import Doing, DoingMachine
from PCLLib.segmenter import Segmenter
from PCLLib.signals import Signal
from PCLLib.volume_nodes import NotAVolumeError, geometry_of
from PCLLib.weight_files import WeightFile, WeightFileError
from PCLLib.worker import WarmWorker

FOLDER = "folder"
LOG = "segmented.jsonl"


class Segmenting:
    """Everything that the model does.

    Signals:
        changed: something that is shown has changed.
        cases_changed: the cases have to be read again.
        progressed: how far a click is.
        segmented: what a click came to.

    Args:
        states: what is being done.
        jobs: run the engine on folders.
        worker: keeps the model.
        installer: knows whether all packages are there.
        questions: whom to ask.
        tell: shows a message; None takes it away.
    """

    def __init__(
        self,
        states: DoingMachine,
        jobs: JobGroup,
        worker: WarmWorker,
        installer: Installer,
        questions: Questions,
        tell: Callable[[Message | None], None],
    ) -> None:
        self.changed = Signal[[]]()
        self.cases_changed = Signal[[]]()
        self.progressed = Signal[[Progress]]()
        self.segmented = Signal[[SegmentReport]]()
        self.model: WeightFile | None = None
        self.last_click: Click | None = None
        self._states, self._jobs, self._worker, self._installer = states, jobs, worker, installer
        self._questions, self._tell = questions, tell
        self._segmenter = Segmenter(worker)
        self._run: SegmentRun | None = None

    def use_model(self, path: Path | None) -> None:
        """Takes the model that segments."""
        self.model = None
        if path is not None:
            try:
                self.model = WeightFile.read(path, "unet")
            except WeightFileError as error:
                self._tell(texts.problem(str(error), _("Choose another model.")))
        self.changed.emit()

    def warm(self, device: str) -> None:
        """Loads the model into the worker, so that the first click is answered sooner."""
        if self.model is not None and self._states.idle and not self._installer.needed:
            self._worker.ask(device, {"do": "load", "model": self.model.path}, lambda _last: None)

    def unlike(self, volume: Any) -> list[str]:
        """What is unlike the training data in a volume node, in sentences."""
        if self.model is None or volume is None:
            return []
        try:
            geometry = geometry_of(volume)
        except NotAVolumeError as error:
            return [str(error)]
        low, high = volume.GetImageData().GetScalarRange()
        return unlike(geometry, (low, high), self.model.plan)

    def segment(self, cases: Sequence[Case], device: str, confidence: bool) -> None:
        """Segments volumes, one after another, by one click."""
        ready = self._states.idle and self.model is not None and cases
        if not ready or not self._installer.ready(lambda: self.segment(cases, device, confidence), self._declined):
            return
        assert self.model is not None
        self._tell(None)
        self._jobs.leave(ESTIMATE)
        self._states.begin(Doing.SEGMENTING)
        order = SegmentOrder(tuple(cases), self.model.path, device, confidence)
        self._run = SegmentRun(self._segmenter, order, self.progressed.emit, lambda report: self._segmented(report, len(cases)))
        self._run.start()

    def segment_all(self, cases: Sequence[Case], unlike_names: Sequence[str], device: str, confidence: bool) -> None:
        """Segments several volumes; asks first when some are unlike the training data."""
        if not unlike_names:
            self.segment(cases, device, confidence)
            return

        def answered(name: str) -> None:
            if name == "all":
                self.segment(cases, device, confidence)
            elif name == "like":
                self.segment([case for case in cases if case.name not in unlike_names], device, confidence)

        self._questions.ask(texts.about_unlike(unlike_names, len(cases)), answered)

    def _segmented(self, report: SegmentReport, total: int) -> None:
        self._run = None
        self._states.end()
        if report.nodes:
            self.last_click = report.click
        if report.cancelled and report.last is None:
            self._tell(texts.cancelled(len(report.nodes), total))
        elif report.failures and not report.nodes and report.last is not None:
            actions = (self._installer.offer(lambda: None),) if self._installer.needed else ()
            self._tell(texts.failed(report.last, actions))
        elif report.empty:
            self._tell(texts.nothing_found(report.empty))
        elif total > 1 or report.failures:
            self._tell(texts.segmented(len(report.nodes), report.failures))
        self.segmented.emit(report)
        self.cases_changed.emit()
        self.changed.emit()

    def undo(self) -> None:
        """Takes the last click back."""
        if self.last_click is not None and self._states.idle:
            click, self.last_click = self.last_click, None
            undo(click)
            self._tell(None)
            self.cases_changed.emit()
            self.changed.emit()

    def segment_folder(self, folder: Path, out: Path, device: str) -> None:
        """Writes a label file for every volume of a folder; goes on where an earlier run was stopped."""
        ready = self._states.idle and self.model is not None
        if not ready or not self._installer.ready(lambda: self.segment_folder(folder, out, device), self._declined):
            return
        assert self.model is not None
        self._tell(None)
        self._states.begin(Doing.FOLDER)
        words = ["segment", self.model.path, folder, "--out", out, "--log", out / LOG, "--device", device]
        self._jobs.run(FOLDER, Work(words, lambda last: self._folder_ended(last, out), keeps=True))

    def _folder_ended(self, last: Last, out: Path) -> None:
        self._states.end()
        if isinstance(last, Done):
            found = last.summary
            kept = [Path(path).name for path in found["kept"]]
            self._tell(texts.folder_segmented(found["segmented"], found["done_before"], found["skipped"], out, kept))
        elif isinstance(last, Cancelled):
            self._tell(texts.folder_stopped(out))
        else:
            self._tell(texts.failed(last))

    def _declined(self) -> None:
        self._tell(texts.packages_missing(self._installer.offer(lambda: None)))

    def cancel(self, doing: Doing) -> None:
        """Cancels what runs."""
        if doing is Doing.SEGMENTING and self._run is not None:
            self._run.stop()
            self._worker.cancel()
        elif doing is Doing.FOLDER:
            self._jobs.cancel(FOLDER)

    def forget(self) -> None:
        """What runs is of no interest any more."""
        if self._run is not None:
            self._run.forget()
            self._run = None

    def clear(self) -> None:
        """The scene is closed."""
        self._jobs.leave(FOLDER)
        self.forget()
        self.model = self.last_click = None
