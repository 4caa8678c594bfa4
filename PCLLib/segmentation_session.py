"""The work of the PCLSegmentation panel: cases, fine-tuning, segmenting, review. Knows no widgets."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from pcl_core.inference.familiarity import unlike
from pcl_core.volumes.axes import Axis
from PCLLib import gpu
from PCLLib import segmentation_texts as texts
from PCLLib.case_book import CaseBook
from PCLLib.case_states import Case
from PCLLib.dependencies import Dependencies
from PCLLib.engine import Engine
from PCLLib.events import Cancelled, Done, Event, Failed, Last, Measured, Progress, Warned
from PCLLib.finetune_result import FinetuneResult
from PCLLib.finetune_settings import FinetuneSettings
from PCLLib.finetuning import COMPARE, ESTIMATE, TRAIN, Finetuning, Speed, Stopped
from PCLLib.finetuning import Outcome as Finetuned
from PCLLib.installer import Installer
from PCLLib.job_group import JobGroup, Work
from PCLLib.messages import Message
from PCLLib.predictions import Click, undo
from PCLLib.questions import Questions
from PCLLib.scan_report import ScanReport, VolumeRow
from PCLLib.segment_classes import SegmentClass, joined
from PCLLib.segment_run import SegmentOrder, SegmentReport, SegmentRun
from PCLLib.segmentation_states import Doing, DoingMachine
from PCLLib.segmenter import Segmenter
from PCLLib.signals import Signal
from PCLLib.volume_nodes import NotAVolumeError, geometry_of
from PCLLib.weight_files import WeightFile, WeightFileError
from PCLLib.worker import WarmWorker

_SCAN, _DEVICES, _FOLDER = "scan", "devices", "folder"
LOG = "segmented.jsonl"


class SegmentationSession:
    """Everything that happens between a few annotated cases and all of them segmented.

    Signals:
        changed: something that is shown has changed; look at the attributes.
        cases_changed: the cases have to be read again.
        progressed: how far the work is.
        began: a fine-tuning begins.
        measured: step and figures of the training.
        logged: a line for the log.
        classes_fixed: the class list of a fine-tuning that begins.
        model_made: there is a new model.
        segmented: what a click came to.

    Args:
        questions: whom to ask.
        engine: starts processes.
        dependencies: the packages that the engine needs.
    """

    def __init__(self, questions: Questions, engine: Engine | None = None, dependencies: Dependencies | None = None) -> None:
        self.changed = Signal[[]]()
        self.cases_changed = Signal[[]]()
        self.progressed = Signal[[Progress]]()
        self.began = Signal[[]]()
        self.measured = Signal[[int, Mapping[str, float]]]()
        self.logged = Signal[[str]]()
        self.classes_fixed = Signal[[tuple[SegmentClass, ...]]]()
        self.model_made = Signal[[Path]]()
        self.segmented = Signal[[SegmentReport]]()
        engine = engine or Engine()
        self.states = DoingMachine()
        self.book = CaseBook()
        self.jobs = JobGroup(engine)
        self.worker = WarmWorker(engine)
        self.installer = Installer(questions, dependencies or Dependencies())
        self.finetuning = Finetuning(self.jobs)
        self._segmenter = Segmenter(self.worker)
        self._questions = questions
        self._driver = gpu.Driver()
        self._run: SegmentRun | None = None
        self.devices: gpu.DeviceReport | None = None
        self.cards: tuple[gpu.Gpu, ...] = ()
        self._forget()
        self._connect()

    def _connect(self) -> None:
        self.states.changed.connect(lambda _doing: self.changed.emit())
        self.jobs.happened.connect(self._happened)
        self.jobs.logged.connect(self.logged.emit)
        self.worker.logged.connect(self.logged.emit)
        self.installer.logged.connect(self.logged.emit)
        self.installer.began.connect(self._installing)
        self.installer.ended.connect(self._installed)
        self.finetuning.ended.connect(self._finetuned)
        self._driver.answered.connect(self._cards_known)

    def _forget(self) -> None:
        self.message: Message | None = None
        self.result: FinetuneResult | None = None
        self.speed: Speed | None = None
        self.model: WeightFile | None = None
        self.last_click: Click | None = None
        self._folders: list[Path] = []

    # What is there

    @property
    def doing(self) -> Doing:
        """What is being done."""
        return self.states.doing

    def device_sentence(self, chosen: str) -> str:
        """Which graphics card there is and whether it will be used; ``chosen`` is auto, cpu or cuda."""
        return gpu.sentence(self.devices, self.cards, chosen, self.installer.torch_installed)

    def look_for_gpu(self) -> None:
        """Asks the driver and, when it is installed, PyTorch."""
        self._driver.ask()
        if self.installer.torch_installed and self.devices is None and _DEVICES not in self.jobs:
            self.jobs.run(_DEVICES, Work(["devices"], self._devices_known))

    def tell(self, message: Message | None) -> None:
        """Shows a message; None takes it away."""
        self.message = message
        self.changed.emit()

    def _installed_first(self, then: Any) -> bool:
        """Whether all packages are there; asks for them otherwise, and calls ``then`` when they are."""
        if not self.installer.needed:
            return True
        self.installer.ask(then, lambda: self.tell(texts.packages_missing(self.installer.offer(lambda: None))))
        return False

    # Folders of cases

    def set_folders(self, folders: Sequence[Path]) -> None:
        """Looks at the folders that are new; the volumes of those that are gone leave the table."""
        if list(folders) == self._folders:
            return
        self._folders = list(folders)
        if not folders:
            self.jobs.leave(_SCAN)
            self.book.set_rows(())
            self.cases_changed.emit()
        elif self.states.idle:
            self._look(list(folders), [])

    def _look(self, left: list[Path], found: list[VolumeRow]) -> None:
        """Looks at one folder after another."""
        if self.states.idle:
            self.tell(None)
            self.states.begin(Doing.LOOKING)
        folder = tempfile.TemporaryDirectory(prefix="pcl-scan-")
        file = Path(folder.name) / "report.json"

        def ended(last: Last) -> None:
            rows = self._rows_of(last, file, left[0])
            if len(left) > 1 and not isinstance(last, Cancelled):
                self._look(left[1:], [*found, *rows])
                return
            self.book.set_rows([*found, *rows])
            self.states.end()
            self.cases_changed.emit()

        self.jobs.run(_SCAN, Work(["scan", left[0], "--json", file], ended, folder.cleanup))

    def _rows_of(self, last: Last, file: Path, folder: Path) -> tuple[VolumeRow, ...]:
        if isinstance(last, Failed):
            actions = (self.installer.offer(lambda: self._look(list(self._folders), [])),) if self.installer.needed else ()
            self.message = texts.failed(last, actions)
        if not isinstance(last, Done):
            return ()
        report = ScanReport.read(file)
        for bad in report.bad:
            self.logged.emit(f"{bad.path}: {bad.reason}")
        if not report.volumes:
            self.message = texts.nothing_in_folder(folder)
        elif report.bad:
            self.message = texts.some_bad(len(report.bad))
        return report.volumes

    # Fine-tuning

    def classes_for(self, settings: FinetuneSettings, kept: Sequence[SegmentClass]) -> tuple[SegmentClass, ...]:
        """The class list: of the model that is gone on from, or the one kept in the scene, or of the first annotated case."""
        if settings.begin == "model":
            try:
                return joined(WeightFile.read(settings.model, "unet").classes, kept)
            except WeightFileError:
                return tuple(kept)
        return tuple(kept) or self.book.first_classes()

    def axis_for(self, settings: FinetuneSettings) -> Axis:
        """Across which slices are counted: as the weights to begin with do."""
        try:
            if settings.begin == "encoder":
                return WeightFile.read(settings.encoder, "encoder").plan.slices.axis
            if settings.begin == "model":
                return WeightFile.read(settings.model, "unet").plan.slices.axis
        except WeightFileError:
            pass
        return "auto"

    def begin_problem(self, settings: FinetuneSettings) -> str:
        """What is wrong with the weights to begin with; empty when nothing is."""
        try:
            if settings.begin == "encoder":
                WeightFile.read(settings.encoder, "encoder")
            if settings.begin == "model":
                WeightFile.read(settings.model, "unet")
        except WeightFileError as error:
            return str(error)
        return ""

    def estimate(self, settings: FinetuneSettings, cases: Sequence[Case], classes: Sequence[SegmentClass]) -> None:
        """Times some steps on the first of the cases, when nothing else is done."""
        usable = self.states.idle and not self.installer.needed and not self.begin_problem(settings)
        if not usable or not cases or not classes:
            return

        def told(found: Speed | Failed) -> None:
            self.speed = found if isinstance(found, Speed) else None
            if isinstance(found, Failed):
                self.logged.emit(found.message)
            self.changed.emit()

        self.speed = None
        self.finetuning.estimate(settings, cases[0], classes, self.axis_for(settings), told)
        self.changed.emit()

    def start(self, settings: FinetuneSettings, cases: Sequence[Case], classes: Sequence[SegmentClass]) -> None:
        """Starts a fine-tuning on annotated cases."""
        if not self.states.idle or not self._installed_first(lambda: self.start(settings, cases, classes)):
            return
        problem = self.begin_problem(settings)
        if problem:
            self.tell(texts.problem(problem, _("Choose another file under Fine-tune.")))
            return
        self.jobs.leave(ESTIMATE)
        self.worker.leave()  # its memory is wanted
        self.result = self.message = None
        self.states.begin(Doing.TRAINING)
        self.classes_fixed.emit(tuple(classes))
        self.began.emit()
        steps = self.speed.steps_in(settings, len(cases)) if self.speed is not None and settings.minutes else None
        self.finetuning.start(settings, cases, classes, self.axis_for(settings), steps)

    def _finetuned(self, outcome: Finetuned) -> None:
        self.states.end()
        if isinstance(outcome, FinetuneResult):
            self.result = outcome
            self.model_made.emit(outcome.model)
        elif isinstance(outcome, Stopped):
            if outcome.model is not None:
                self.model_made.emit(outcome.model)
            self.tell(texts.stopped(outcome.model))
        else:
            actions = (self.installer.offer(lambda: None),) if self.installer.needed else ()
            self.tell(texts.failed(outcome, actions))
        self.changed.emit()

    # Segmenting

    def use_model(self, path: Path | None) -> None:
        """Takes the model that segments."""
        self.model = None
        if path is not None:
            try:
                self.model = WeightFile.read(path, "unet")
            except WeightFileError as error:
                self.tell(texts.problem(str(error), _("Choose another model.")))
        self.changed.emit()

    def warm(self, device: str) -> None:
        """Loads the model into the worker, so that the first click is answered sooner."""
        if self.model is not None and self.states.idle and not self.installer.needed:
            self.worker.ask(device, {"do": "load", "model": self.model.path}, lambda _last: None)

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
        ready = self.states.idle and self.model is not None and cases
        if not ready or not self._installed_first(lambda: self.segment(cases, device, confidence)):
            return
        assert self.model is not None
        self.message = None
        self.jobs.leave(ESTIMATE)
        self.states.begin(Doing.SEGMENTING)
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
        self.states.end()
        if report.nodes:
            self.last_click = report.click
        if report.cancelled and report.last is None:
            self.message = texts.cancelled(len(report.nodes), total)
        elif report.failures and not report.nodes and report.last is not None:
            actions = (self.installer.offer(lambda: None),) if self.installer.needed else ()
            self.message = texts.failed(report.last, actions)
        elif report.empty:
            self.message = texts.nothing_found(report.empty)
        elif total > 1 or report.failures:
            self.message = texts.segmented(len(report.nodes), report.failures)
        self.segmented.emit(report)
        self.cases_changed.emit()
        self.changed.emit()

    def undo(self) -> None:
        """Takes the last click back."""
        if self.last_click is not None and self.states.idle:
            click, self.last_click = self.last_click, None
            undo(click)
            self.message = None
            self.cases_changed.emit()
            self.changed.emit()

    def segment_folder(self, folder: Path, out: Path, device: str) -> None:
        """Writes a label file for every volume of a folder; goes on where an earlier run was stopped."""
        ready = self.states.idle and self.model is not None
        if not ready or not self._installed_first(lambda: self.segment_folder(folder, out, device)):
            return
        assert self.model is not None
        self.message = None
        self.states.begin(Doing.FOLDER)
        words = ["segment", self.model.path, folder, "--out", out, "--log", out / LOG, "--device", device]
        self.jobs.run(_FOLDER, Work(words, lambda last: self._folder_ended(last, out), keeps=True))

    def _folder_ended(self, last: Last, out: Path) -> None:
        self.states.end()
        if isinstance(last, Done):
            found = last.summary
            self.tell(texts.folder_segmented(found["segmented"], found["done_before"], found["skipped"], out))
        elif isinstance(last, Cancelled):
            self.tell(texts.folder_stopped(out))
        else:
            self.tell(texts.failed(last))

    # Ends

    def cancel(self) -> None:
        """Cancels what runs."""
        doing = self.states.doing
        if not self.states.can_cancel:
            return
        self.states.begin(Doing.CANCELLING)
        if doing is Doing.TRAINING:
            self.finetuning.cancel()
        elif doing is Doing.SEGMENTING and self._run is not None:
            self._run.stop()
            self.worker.cancel()
        elif doing is Doing.FOLDER:
            self.jobs.cancel(_FOLDER)
        else:
            self.jobs.cancel(_SCAN)

    def clear(self) -> None:
        """The scene is closed: what runs is cancelled in the background."""
        for name in (_SCAN, _FOLDER, TRAIN, COMPARE, ESTIMATE):
            self.jobs.leave(name)
        if self._run is not None:
            self._run.forget()
            self._run = None
        self.worker.leave()
        self.book = CaseBook()
        self._forget()
        self.states.end()
        self.cases_changed.emit()

    def shut_down(self) -> None:
        """The module or the application goes away: returns when no process is left."""
        if self._run is not None:
            self._run.forget()
        self.jobs.end_all()
        self.worker.end_now()

    @property
    def busy(self) -> bool:
        """Whether any process is left."""
        return self.jobs.busy or self.worker.busy

    # What happens meanwhile

    def _happened(self, name: str, event: Event) -> None:
        if isinstance(event, Warned):
            self.logged.emit(_("Note: {message}").format(message=event.message))
        elif isinstance(event, Progress) and name != ESTIMATE:
            self.progressed.emit(event)
        elif isinstance(event, Measured) and name == TRAIN:
            self.measured.emit(event.step, event.values)

    def _devices_known(self, last: Last) -> None:
        if isinstance(last, Done):
            self.devices = gpu.DeviceReport.from_summary(last.summary)
        elif isinstance(last, Failed):
            self.devices = gpu.DeviceReport.unknown(last.message)
        self.changed.emit()

    def _cards_known(self, cards: tuple[gpu.Gpu, ...]) -> None:
        self.cards = cards
        self.changed.emit()

    def _installing(self) -> None:
        self.message = None
        self.states.begin(Doing.INSTALLING)

    def _installed(self, problem: Message | None) -> None:
        self.states.end()
        self.tell(problem)
        self.look_for_gpu()
