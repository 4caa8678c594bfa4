"""The work of the PCLPretrain panel: looks at a folder, estimates, trains, and knows how to go on. Knows no widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from slicer.i18n import tr as _

from PCLLib import pretrain_calls as calls
from PCLLib import pretrain_texts as texts
from PCLLib.dependencies import Dependencies
from PCLLib.engine import Engine
from PCLLib.estimating import ESTIMATE, Estimating
from PCLLib.events import Event, Failed, Last, Progress, Warned, Written
from PCLLib.graphics import Graphics
from PCLLib.installer import Installer
from PCLLib.job_group import JobGroup
from PCLLib.messages import Action, Message
from PCLLib.output_folder import Interrupted, OutputFolder, exists
from PCLLib.pretraining import TRAIN, Pretraining
from PCLLib.questions import Questions
from PCLLib.results import Result
from PCLLib.scan_report import ScanReport
from PCLLib.scanning import SCAN, Scanning
from PCLLib.settings import PretrainSettings
from PCLLib.signals import Signal
from PCLLib.states import State, StateMachine


class PretrainSession:
    """Everything that happens between a folder of volumes and an encoder.

    Signals:
        changed: something that is shown has changed; look at the attributes.
        scanned: there is a new report, or none any more.
        progressed: how far the work is.
        logged: a line for the log.
        finished: there is an encoder.
        settings_wanted: an offer was taken that needs other settings, by name.

    Args:
        questions: whom to ask.
        engine: starts processes.
        dependencies: the packages that the engine needs.
    """

    def __init__(self, questions: Questions, engine: Engine | None = None, dependencies: Dependencies | None = None) -> None:
        self.changed = Signal[[]]()
        self.scanned = Signal[[]]()
        self.progressed = Signal[[Progress]]()
        self.logged = Signal[[str]]()
        self.finished = Signal[[Path]]()
        self.settings_wanted = Signal[[Mapping[str, object]]]()
        self.states = StateMachine()
        self.jobs = JobGroup(engine or Engine())
        self.installer = Installer(questions, dependencies or Dependencies())
        self.graphics = Graphics(self.jobs, self.installer)
        self.scanning = Scanning(self.jobs)
        self.estimating = Estimating(self.jobs)
        self.training = Pretraining(self.jobs)
        self._questions = questions
        self._settings: PretrainSettings | None = None
        self._before_installing = State.NO_FOLDER
        self._anew: Path | None = None
        self._about_estimate: Message | None = None
        self.folder: Path | None = None
        self._forget()
        self._connect()

    def _connect(self) -> None:
        self.scanning.found.connect(self._show_report)
        self.scanning.failed.connect(self._not_scanned)
        self.training.ended.connect(self._trained)
        self.estimating.wanted.connect(self._estimate)
        self.estimating.changed.connect(self.changed.emit)
        self.estimating.failed.connect(self._not_estimated)
        self.states.changed.connect(lambda _state: self.changed.emit())
        self.jobs.happened.connect(self._happened)
        self.jobs.logged.connect(self.logged.emit)
        self.installer.logged.connect(self.logged.emit)
        self.installer.began.connect(self._installing)
        self.installer.ended.connect(self._installed)
        self.graphics.changed.connect(self.changed.emit)

    def _forget(self) -> None:
        self.report: ScanReport | None = None
        self.estimating.forget()
        self.training.forget()
        self.message: Message | None = None

    # What is there

    @property
    def state(self) -> State:
        """The present state."""
        return self.states.state

    @property
    def result(self) -> Result | None:
        """What the last training ended with."""
        return self.training.result

    @property
    def can_resume(self) -> bool:
        """Whether a run can be resumed now."""
        return self.states.view.start and self._interrupted() is not None

    def tell(self, message: Message | None) -> None:
        """Shows a message; None takes it away."""
        self.message = message
        self.changed.emit()

    # The folder

    def choose(self, settings: PretrainSettings, ask: bool = True) -> None:
        """Looks at the folder of the settings, after what is missing was installed or that was declined.

        Args:
            settings: of the panel.
            ask: whether a person has just chosen it, so that a question is no surprise.
        """
        self._settings = settings
        self.folder = settings.folder
        if not exists(settings.folder):
            self._show_nothing(texts.no_folder(settings.folder))
        elif ask and self.installer.to_be_asked:
            self._show_other_folder(State.NO_FOLDER)
            self.installer.ask(self._scan, self._scan)
        else:
            self._scan()

    def clear(self) -> None:
        """No folder is chosen any more, or the scene is closed: what runs is cancelled in the background."""
        self.scanning.leave()
        self.training.leave()
        self._forget()
        self.folder = None
        self.states.to(State.NO_FOLDER)
        self.scanned.emit()

    def reconsider(self, settings: PretrainSettings) -> None:
        """Takes settings that have changed; estimates again when they matter for that."""
        before, self._settings = self._settings, settings
        if before == settings or not self.states.idle:
            return
        if before is None or before.out != settings.out:
            if before is not None and self.report is not None and not self.installer.needed:
                self.message = None  # it was about the earlier output folder
            self._offer_to_resume()
        if self.report is not None and self.report.volumes and not self.installer.needed:
            self.estimating.soon()

    def _show_nothing(self, message: Message) -> None:
        self._show_other_folder(State.NOTHING_USABLE)
        self.tell(message)

    def _show_other_folder(self, state: State) -> None:
        """What was found in an earlier folder is not shown under the name of this one."""
        self.scanning.leave()
        self._forget()
        self.scanned.emit()
        self.states.to(state)

    def _scan(self) -> None:
        assert self._settings is not None
        self._show_other_folder(State.SCANNING)
        self.scanning.start(self._settings)

    def _not_scanned(self, last: Last) -> None:
        if isinstance(last, Failed):
            self.states.to(State.NOTHING_USABLE)
            self.tell(texts.failed(last, self._install_offer()))
        else:
            self.states.to(State.NO_FOLDER)
            self.tell(texts.scan_cancelled())

    def _show_report(self, report: ScanReport) -> None:
        self.report = report
        self.scanned.emit()
        if not report.volumes:
            self.states.to(State.NOTHING_USABLE)
            self.tell(texts.nothing_usable(self._install_offer()))
            return
        self.states.to(State.READY)
        if self.installer.needed:
            self._offer_to_install()
        else:
            self._offer_to_resume()
        self._estimate()

    # The estimate

    def _estimate(self) -> None:
        settings, report = self._settings, self.report
        self.estimating.leave()
        if self.message is self._about_estimate:
            self.message = None
        can = self.states.view.start and not self.installer.needed
        if can and settings is not None and report is not None and report.kept(settings.left_out):
            self.estimating.start(settings, report)
        self.changed.emit()

    def _not_estimated(self, last: Failed) -> None:
        if self.state is State.READY:
            self.message = self._about_estimate = texts.failed(last, ())

    # The training

    def start(self, settings: PretrainSettings) -> None:
        """Starts a training, after what is missing was installed and what is there may be replaced."""
        self._settings = settings
        out = OutputFolder(settings.out)
        interrupted = out.interrupted()
        if self.installer.needed:
            self.installer.ask(lambda: self.start(settings), self._offer_to_install)
        elif interrupted is not None:
            answers = {"resume": self.resume, "anew": self._begin}
            self._questions.ask(texts.about_stopped_run(interrupted), lambda name: answers.get(name, self.changed.emit)())
        elif out.holds_encoder:
            question = texts.about_replacing(out.encoder)
            self._questions.ask(question, lambda name: self._begin() if name == "replace" else None)
        else:
            self._begin()

    def resume(self) -> None:
        """Goes on with the run that stopped in the output folder, with the settings that it was started with."""
        settings, interrupted = self._settings, self._interrupted()
        if settings is None or interrupted is None:
            self.tell(texts.nothing_to_resume())
            return
        if self.installer.needed:
            self.installer.ask(self.resume, self._offer_to_install)
            return
        out = OutputFolder(settings.out)
        earlier = [(step, loss) for step, loss in out.losses() if step <= interrupted.step]
        self._anew = None
        self._train(calls.resume_words(settings, interrupted), earlier)

    def cancel(self) -> None:
        """Cancels what runs: a training keeps its last step, a look at a folder keeps nothing."""
        if self.state is State.RUNNING:
            self.states.to(State.CANCELLING)
            self.training.cancel()
        elif self.state is State.SCANNING:
            self.scanning.cancel()

    def _begin(self) -> None:
        """Starts anew; what is in the output folder may be replaced."""
        settings, report = self._settings, self.report
        assert settings is not None
        assert report is not None
        try:
            words = calls.train_words(settings, report)
        except OSError as error:
            self.states.to(State.FAILED)
            self.tell(texts.not_writable(settings.out, error.strerror or str(error)))
            return
        self._anew = settings.out
        self._train(words, [])

    def _train(self, words: Sequence[object], earlier: list[tuple[int, float]]) -> None:
        self.estimating.leave()
        self.training.forget()
        self.message = None
        self.states.to(State.RUNNING)
        self.training.start(words, earlier)

    def _trained(self, last: Last) -> None:
        if self.result is not None:
            self.states.to(State.DONE)
            self.finished.emit(self.result.encoder)
            if self.result.collapsed:
                self.tell(texts.nothing_learned())
        elif isinstance(last, Failed):
            self.states.to(State.FAILED)
            self.tell(texts.failed(last, self._offers_after(last)))
        else:
            self.states.to(State.STOPPED)
            self.tell(texts.stopped(self._interrupted()))

    def shut_down(self) -> None:
        """The module or the application goes away: returns when no process is left."""
        self.estimating.leave()
        self.jobs.end_all()

    # What happens meanwhile

    def _happened(self, name: str, event: Event) -> None:
        if isinstance(event, Warned) and name != ESTIMATE:
            self.logged.emit(_("Note: {message}").format(message=event.message))
        elif isinstance(event, Written) and name == TRAIN and event.kind == "plan" and self._anew is not None:
            OutputFolder(self._anew).begin_record()
        elif isinstance(event, Progress) and name in (SCAN, TRAIN):
            self.progressed.emit(event)

    def _installing(self) -> None:
        self._before_installing = self.state
        self.message = None
        self.states.to(State.INSTALLING)

    def _installed(self, problem: Message | None) -> None:
        self.states.to(self._before_installing)
        self.tell(problem)
        self.graphics.look()

    # Offers

    def _interrupted(self) -> Interrupted | None:
        return OutputFolder(self._settings.out).interrupted() if self._settings is not None else None

    def _offer_to_resume(self) -> None:
        found = self._interrupted()
        if found is None:
            return
        if self.report is not None and self.report.volumes:
            self.tell(texts.can_be_resumed(found))
        elif self.report is None and found.folder is not None:
            wanted = {"folder": str(found.folder)}
            self.tell(texts.volumes_elsewhere(found, Action(_("Open its volumes"), lambda: self.settings_wanted.emit(wanted))))

    def _offer_to_install(self) -> None:
        self.tell(texts.packages_missing(self.installer.offer(self._scan)))

    def _install_offer(self) -> tuple[Action, ...]:
        return (self.installer.offer(self._scan),) if self.installer.needed else ()

    def _offers_after(self, last: Failed) -> tuple[Action, ...]:
        if last.smaller:
            return (Action(texts.smaller_setting(last), lambda: self._start_smaller(last.smaller)),)
        return self._install_offer()

    def _start_smaller(self, smaller: Mapping[str, float]) -> None:
        """Starts again with other settings, which the panel writes into the parameters.

        What may be replaced was asked when the run was begun anew; steps that it has kept, and another folder, are asked about.
        """
        self.settings_wanted.emit(dict(smaller))
        settings = self._settings
        assert settings is not None
        if settings.out == self._anew and self._interrupted() is None:
            self._begin()
        else:
            self.start(settings)
