"""The work of the PCLSegmentation panel: cases, fine-tuning, segmenting, review. Knows no widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from slicer.i18n import tr as _

from PCLLib import segmentation_texts as texts
from PCLLib.case_book import CaseBook
from PCLLib.case_folders import SCAN, CaseFolders
from PCLLib.case_states import Case
from PCLLib.dependencies import Dependencies
from PCLLib.engine import Engine
from PCLLib.events import Event, Failed, Measured, Progress, Warned
from PCLLib.finetune_beginning import axis_for, begin_problem, classes_of_model
from PCLLib.finetune_result import FinetuneResult
from PCLLib.finetune_settings import FinetuneSettings
from PCLLib.finetuning import COMPARE, ESTIMATE, TRAIN, Finetuning, Speed, Stopped
from PCLLib.finetuning import Outcome as Finetuned
from PCLLib.graphics import Graphics
from PCLLib.installer import Installer
from PCLLib.job_group import JobGroup
from PCLLib.label_import import ImportLabelsError, classes_of_cases
from PCLLib.messages import Message
from PCLLib.questions import Questions
from PCLLib.scan_report import VolumeRow
from PCLLib.segment_classes import SegmentClass
from PCLLib.segmentation_states import Doing, DoingMachine
from PCLLib.segmenting import FOLDER, Segmenting
from PCLLib.signals import Signal
from PCLLib.worker import WarmWorker


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
        engine = engine or Engine()
        self.states = DoingMachine()
        self.book = CaseBook()
        self.jobs = JobGroup(engine)
        self.worker = WarmWorker(engine)
        self.installer = Installer(questions, dependencies or Dependencies())
        self.graphics = Graphics(self.jobs, self.installer)
        self.finetuning = Finetuning(self.jobs)
        self.segmenting = Segmenting(self.states, self.jobs, self.worker, self.installer, questions, self.tell)
        self.folders = CaseFolders(self.states, self.jobs, self.installer, self.tell)
        self._forget()
        self._connect()

    def _connect(self) -> None:
        self.states.changed.connect(lambda _doing: self.changed.emit())
        self.jobs.happened.connect(self._happened)
        self.jobs.logged.connect(self.logged.emit)
        self.folders.logged.connect(self.logged.emit)
        self.folders.found.connect(self._take_rows)
        self.segmenting.changed.connect(self.changed.emit)
        self.segmenting.cases_changed.connect(self.cases_changed.emit)
        self.segmenting.progressed.connect(self.progressed.emit)
        self.worker.logged.connect(self.logged.emit)
        self.installer.logged.connect(self.logged.emit)
        self.installer.began.connect(self._installing)
        self.installer.ended.connect(self._installed)
        self.finetuning.ended.connect(self._finetuned)
        self.graphics.changed.connect(self.changed.emit)

    def _forget(self) -> None:
        self.message: Message | None = None
        self.result: FinetuneResult | None = None
        self.speed: Speed | None = None
        self.estimated = False  # whether the last estimate came to an end, be it without a figure

    # What is there

    @property
    def doing(self) -> Doing:
        """What is being done."""
        return self.states.doing

    def tell(self, message: Message | None) -> None:
        """Shows a message; None takes it away."""
        self.message = message
        self.changed.emit()

    # Fine-tuning

    def classes_for(self, settings: FinetuneSettings, kept: Sequence[SegmentClass]) -> tuple[SegmentClass, ...]:
        """The class list: of the model that is gone on from, or the one kept in the scene, or of the first annotated case."""
        of_model = classes_of_model(settings, kept, self.segmenting.renamed)
        return of_model if of_model is not None else tuple(kept) or self.book.first_classes()

    def estimate(self, settings: FinetuneSettings, cases: Sequence[Case], classes: Sequence[SegmentClass]) -> None:
        """Times some steps on the first of the cases, when nothing else is done."""
        usable = self.states.idle and not self.installer.needed and not begin_problem(settings)
        if not usable or not cases:
            return
        try:
            classes = tuple(classes) or classes_of_cases(cases[:1])
        except ImportLabelsError as error:
            self.logged.emit(str(error))
            self.estimated = True
            return

        def told(found: Speed | Failed | None) -> None:
            self.speed = found if isinstance(found, Speed) else None
            self.estimated = True
            if isinstance(found, Failed):
                self.logged.emit(found.message)
            self.changed.emit()

        self.speed, self.estimated = None, False
        self.finetuning.estimate(settings, cases[0], classes, axis_for(settings, classes), told)
        self.changed.emit()

    def start(self, settings: FinetuneSettings, cases: Sequence[Case], classes: Sequence[SegmentClass]) -> None:
        """Starts a fine-tuning on annotated cases."""
        if not self.states.idle or not self.installer.ready(lambda: self.start(settings, cases, classes), self._declined):
            return
        problem = begin_problem(settings)
        if problem:
            self.tell(texts.problem(problem, _("Choose another file under Fine-tune.")))
            return
        try:
            classes = tuple(classes) or classes_of_cases(cases)
        except ImportLabelsError as error:
            self.tell(texts.problem(str(error), _("Correct this case, or clear its check box.")))
            return
        self.jobs.leave(ESTIMATE)
        self.worker.leave()  # its memory is wanted
        self.result = self.message = None
        with self.states.beginning(Doing.TRAINING):
            self.classes_fixed.emit(tuple(classes))
            self.began.emit()
            if settings.minutes and self.speed is None:
                self._time_first(settings, cases, classes)
            else:
                self._train(settings, cases, classes)

    def _time_first(self, settings: FinetuneSettings, cases: Sequence[Case], classes: Sequence[SegmentClass]) -> None:
        """Without an estimate nobody knows how many steps the minutes have that a person set."""

        def told(found: Speed | Failed | None) -> None:
            if found is None:
                self._finetuned(Stopped(None))
                return
            self.speed, self.estimated = found if isinstance(found, Speed) else None, True
            if isinstance(found, Failed):
                self.tell(texts.time_unknown(found))
            begun = False
            try:
                self._train(settings, cases, classes)
                begun = True
            finally:
                if not begun:
                    self.states.end()

        self.finetuning.estimate(settings, cases[0], classes, axis_for(settings, classes), told)

    def _train(self, settings: FinetuneSettings, cases: Sequence[Case], classes: Sequence[SegmentClass]) -> None:
        steps = self.speed.steps_in(settings, len(cases)) if self.speed is not None and settings.minutes else None
        self.finetuning.start(settings, cases, classes, axis_for(settings, classes), steps)

    def _finetuned(self, outcome: Finetuned) -> None:
        self.states.end()
        if isinstance(outcome, FinetuneResult):
            self.result = outcome
            self.model_made.emit(outcome.model)
            if outcome.left_out:
                self.tell(texts.left_out(outcome.left_out))
        elif isinstance(outcome, Stopped):
            if outcome.model is not None:
                self.model_made.emit(outcome.model)
            failure = outcome.failure
            self.tell(texts.stopped(outcome.model) if failure is None else texts.failed_later(failure, outcome.finished))
        else:
            actions = (self.installer.offer(lambda: None),) if self.installer.needed else ()
            self.tell(texts.failed(outcome, actions))
        self.cases_changed.emit()  # nothing is read while something runs
        self.changed.emit()

    def offer_packages(self) -> None:
        """Shows a button that installs what is missing, unless there is something else to say: the first click may need it."""
        if self.installer.to_be_asked and self.states.idle and self.message is None:
            self._declined()

    def _declined(self) -> None:
        self.tell(texts.packages_missing(self.installer.offer(lambda: None)))

    # Ends

    def cancel(self) -> None:
        """Cancels what runs."""
        doing = self.states.doing
        if not self.states.can_cancel:
            return
        self.states.begin(Doing.CANCELLING)
        if doing is Doing.TRAINING:
            self.finetuning.cancel()
        elif doing in (Doing.SEGMENTING, Doing.FOLDER):
            self.segmenting.cancel(doing)
        else:
            self.folders.cancel()

    def clear(self) -> None:
        """The scene is closed: what runs is cancelled in the background."""
        for name in (TRAIN, COMPARE, ESTIMATE):
            self.jobs.leave(name)
        self.folders.clear()
        self.segmenting.clear()
        self.worker.leave()
        self.book = CaseBook()
        self._forget()
        self.states.end()
        self.cases_changed.emit()

    def shut_down(self) -> None:
        """The module or the application goes away: returns when no process is left."""
        self.segmenting.forget()
        self.jobs.end_all()
        self.worker.end_now()

    @property
    def busy(self) -> bool:
        """Whether any process is left."""
        return self.jobs.busy or self.worker.busy

    # What happens meanwhile

    def _take_rows(self, rows: tuple[VolumeRow, ...]) -> None:
        self.book.set_rows(rows)
        self.cases_changed.emit()

    def _happened(self, name: str, event: Event) -> None:
        if isinstance(event, Warned):
            self.logged.emit(_("Note: {message}").format(message=event.message))
        elif isinstance(event, Progress) and name in (SCAN, FOLDER, TRAIN, COMPARE):
            self.progressed.emit(event)
        elif isinstance(event, Measured) and name == TRAIN:
            self.measured.emit(event.step, event.values)

    def _installing(self) -> None:
        self.message = None
        self.states.begin(Doing.INSTALLING)

    def _installed(self, problem: Message | None) -> None:
        self.states.end()
        self.tell(problem)
        self.cases_changed.emit()
        self.graphics.look()
