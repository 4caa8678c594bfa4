"""Segmenting by the warm model: one volume by a click, all of them, or a folder; and one step back. Knows no widgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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
from PCLLib.keeping import names_of_kept
from PCLLib.messages import Message
from PCLLib.predictions import Click, undo
from PCLLib.questions import Questions
from PCLLib.scene_volumes import node_of
from PCLLib.segment_classes import renamed
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
        self.renamed: Mapping[str, str] = {}
        self._states, self._jobs, self._worker, self._installer = states, jobs, worker, installer
        self._questions, self._tell = questions, tell
        self._segmenter = Segmenter(worker)
        self._run: SegmentRun | None = None
        self._complained = False

    def use_model(self, path: Path | None) -> None:
        """Takes the model that segments."""
        self.model = None
        complained, self._complained = self._complained, False
        if path is not None:
            try:
                found = WeightFile.read(path, "unet")
                self.model = replace(found, classes=renamed(found.classes, self.renamed))
            except WeightFileError as error:
                self._complained = True
                self._tell(texts.problem(str(error), _("Choose another model.")))
        if complained and self.model is not None:
            self._tell(None)
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

    def unlike_case(self, case: Case) -> list[str]:
        """The same of a case; of a file that is not loaded, by what its header and some of its voxels said."""
        if case.loaded:
            return self.unlike(node_of(case))
        geometry = case.row.geometry if case.row is not None else None
        if self.model is None or case.row is None or geometry is None:
            return []
        return unlike(geometry, case.row.intensity, self.model.plan)

    def segment(self, cases: Sequence[Case], device: str, confidence: bool) -> None:
        """Segments volumes, one after another, by one click."""
        ready = self._states.idle and self.model is not None and cases
        if not ready or not self._installer.ready(lambda: self.segment(cases, device, confidence), self._declined):
            return
        assert self.model is not None
        self._tell(None)
        self._jobs.leave(ESTIMATE)
        order = SegmentOrder(tuple(cases), self.model.path, device, confidence, self.model.classes)
        with self._states.beginning(Doing.SEGMENTING):
            self._run = SegmentRun(
                self._segmenter, order, self.progressed.emit, lambda report: self._segmented(report, len(cases))
            )
            self._run.start()

    def segment_all(self, cases: Sequence[Case], unlike_cases: Sequence[Case], device: str, confidence: bool) -> None:
        """Segments several volumes; asks first when some are unlike the training data."""
        if not unlike_cases:
            self.segment(cases, device, confidence)
            return

        def answered(name: str) -> None:
            if name == "all":
                self.segment(cases, device, confidence)
            elif name == "like":
                keys = {case.key for case in unlike_cases}
                self.segment([case for case in cases if case.key not in keys], device, confidence)

        self._questions.ask(texts.about_unlike([case.name for case in unlike_cases], len(cases)), answered)

    def _segmented(self, report: SegmentReport, total: int) -> None:
        self._run = None
        self._states.end()
        if report.nodes:
            self.last_click = report.click
        message = self._about(report, total)
        kept = names_of_kept(report.click.changed)
        if kept:
            message = texts.with_kept(kept, message)
        if message is not None:
            self._tell(message)
        self.segmented.emit(report)
        self.cases_changed.emit()
        self.changed.emit()

    def _about(self, report: SegmentReport, total: int) -> Message | None:
        if report.cancelled and report.last is None:
            return texts.cancelled(len(report.nodes), total)
        if report.failures and not report.nodes and report.last is not None:
            return texts.failed(report.last, (self._installer.offer(lambda: None),) if self._installer.needed else ())
        if report.empty:
            return texts.nothing_found(report.empty)
        left = total - len(report.nodes) - len(report.failures)
        return texts.segmented(len(report.nodes), report.failures, left) if total > 1 or report.failures else None

    def reviewed(self, click: Click) -> None:
        """Takes a step of the review, so that it can be taken back as a click on Segment can."""
        self.last_click = click
        kept = names_of_kept(click.changed)
        self._tell(texts.with_kept(kept, None) if kept else None)
        self.cases_changed.emit()
        self.changed.emit()

    def undo(self) -> None:
        """Takes the last step back: a click on Segment, or of the review."""
        if self.last_click is not None and self._states.idle:
            click, self.last_click = self.last_click, None
            stayed = undo(click)
            self._tell(texts.stayed(stayed) if stayed else None)
            self.cases_changed.emit()
            self.changed.emit()

    def segment_folder(self, folder: Path, out: Path, device: str) -> None:
        """Writes a label file for every volume of a folder; goes on where an earlier run was stopped."""
        ready = self._states.idle and self.model is not None
        if not ready or not self._installer.ready(lambda: self.segment_folder(folder, out, device), self._declined):
            return
        assert self.model is not None
        self._tell(None)
        words = ["segment", self.model.path, folder, "--out", out, "--log", out / LOG, "--device", device]
        with self._states.beginning(Doing.FOLDER):
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
        self.cases_changed.emit()

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
        self.renamed = {}
