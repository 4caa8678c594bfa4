"""The work of the PCLPretrain panel: looks at a folder, estimates, trains, and knows how to go on. Knows no widgets."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import qt
from slicer.i18n import tr as _

from PCLLib import gpu
from PCLLib.dependencies import Dependencies, InstallError
from PCLLib.engine import Engine, EngineNotFoundError
from PCLLib.estimates import Estimate
from PCLLib.events import Cancelled, Done, Event, Failed, Last, Measured, Planned, Progress, Warned
from PCLLib.job import Job
from PCLLib.messages import Action, Message, Tone
from PCLLib.output_folder import Interrupted, OutputFolder
from PCLLib.proposal import Proposal
from PCLLib.questions import Choice, Question, Questions
from PCLLib.results import Result
from PCLLib.scan_report import ScanReport
from PCLLib.settings import PretrainSettings
from PCLLib.signals import Signal
from PCLLib.states import State, StateMachine

# An estimate starts a process of some seconds; it waits until a person has stopped typing.
_PATIENCE_MS = 800


class PretrainSession:
    """Everything that happens between a folder of volumes and an encoder.

    Signals:
        changed: something that is shown has changed; look at the attributes.
        scanned: there is a new report.
        proposed: there is a new proposal of the plan.
        progressed: how far the work is.
        began: a training begins; losses of an earlier part of it, as (step, loss).
        measured: step and loss of the training.
        logged: a line for the log.
        finished: there is an encoder.
        settings_wanted: an offer was taken that needs other settings, by name.

    Args:
        questions: whom to ask for consent.
        engine: starts processes.
        dependencies: the packages that the engine needs.
    """

    def __init__(self, questions: Questions, engine: Engine | None = None, dependencies: Dependencies | None = None) -> None:
        self.changed = Signal[[]]()
        self.scanned = Signal[[]]()
        self.proposed = Signal[[]]()
        self.progressed = Signal[[Progress]]()
        self.began = Signal[[list[tuple[int, float]]]]()
        self.measured = Signal[[int, float]]()
        self.logged = Signal[[str]]()
        self.finished = Signal[[Path]]()
        self.settings_wanted = Signal[[Mapping[str, object]]]()
        self.states = StateMachine()
        self.report: ScanReport | None = None
        self.proposal: Proposal | None = None
        self.estimate: Estimate | None = None
        self.estimating = False
        self.devices: gpu.DeviceReport | None = None
        self.cards: tuple[gpu.Gpu, ...] = ()
        self.message: Message | None = None
        self.result: Result | None = None
        self._questions = questions
        self._engine = engine or Engine()
        self._dependencies = dependencies or Dependencies()
        self._declined = False
        self._looked_at: Path | None = None
        self._settings: PretrainSettings | None = None
        self._jobs: dict[str, Job] = {}
        self._leaving: list[Job] = []
        self._began_at = 0.0
        self._first_loss: float | None = None
        self._driver = gpu.Driver()
        self._driver.answered.connect(self._cards_known)
        self._pause = qt.QTimer()
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._estimate)
        self.states.changed.connect(lambda _state: self.changed.emit())

    # What is there

    @property
    def state(self) -> State:
        """The present state."""
        return self.states.state

    @property
    def folder(self) -> Path | None:
        """The folder that is or was looked at; None when none is chosen."""
        return self._looked_at

    @property
    def can_resume(self) -> bool:
        """Whether a run can be resumed now."""
        return (
            self.states.view.start and self._settings is not None and OutputFolder(self._settings.out).interrupted() is not None
        )

    @property
    def torch_installed(self) -> bool:
        """Whether PyTorch is installed."""
        return self._dependencies.torch_installed

    def device_sentence(self, chosen: str) -> str:
        """Which graphics card there is and whether it will be used."""
        return gpu.sentence(self.devices, self.cards, chosen, self.torch_installed)

    def look_for_gpu(self) -> None:
        """Asks the driver and, when it is installed, PyTorch."""
        self._driver.ask()
        if self.torch_installed and self.devices is None and "devices" not in self._jobs:
            self._run("devices", ["devices"], self._devices_known)

    # The folder

    def choose(self, settings: PretrainSettings, ask: bool = True) -> None:
        """Looks at the folder of the settings, after what is missing was installed or that was declined.

        Args:
            settings: of the panel.
            ask: whether a person has just chosen it, so that a question is no surprise.
        """
        self._settings = settings
        self._looked_at = settings.folder
        if not settings.folder.exists():
            self._say_missing_folder(settings.folder)
        elif not self._dependencies.missing() or self._declined or not ask:
            self._scan()
        else:
            self._ask_to_install(self._scan, declined=self._scan)

    def clear(self) -> None:
        """No folder is chosen any more."""
        for name in tuple(self._jobs):
            self._leave(name)
        self._pause.stop()
        self.report = self.proposal = self.estimate = self.result = self.message = None
        self.estimating = False
        self._looked_at = None
        self.states.to(State.NO_FOLDER)
        self.scanned.emit()

    def reconsider(self, settings: PretrainSettings) -> None:
        """Takes settings that have changed; estimates again when they matter for that."""
        before, self._settings = self._settings, settings
        if before == settings or not self.states.idle:
            return
        if before is None or before.out != settings.out:
            self._offer_to_resume()
        if self.report is not None and self.report.volumes:
            self._pause.start(_PATIENCE_MS)

    def tell(self, message: Message | None) -> None:
        """Shows a message; None takes it away."""
        self.message = message
        self.changed.emit()

    def _say_missing_folder(self, folder: Path) -> None:
        self._leave("scan")
        self._leave("estimate")
        self.report = self.proposal = self.estimate = self.result = None
        self.scanned.emit()
        self.states.to(State.SCANNING)
        self.states.to(State.NOTHING_USABLE)
        self.tell(Message(_("There is no folder {folder}.").format(folder=folder), _("Choose another one."), Tone.ERROR))

    def _scan(self) -> None:
        assert self._settings is not None
        settings = self._settings
        self._leave("scan")
        self._leave("estimate")
        self.report = self.proposal = self.estimate = self.result = self.message = None
        self.states.to(State.SCANNING)
        folder = tempfile.TemporaryDirectory(prefix="pcl-scan-")
        file = Path(folder.name) / "report.json"

        def ended(last: Last) -> None:
            self._scan_ended(last, file)
            folder.cleanup()

        self._run("scan", ["scan", settings.folder, "--axis", settings.axis, "--json", file], ended)

    def _scan_ended(self, last: Last, file: Path) -> None:
        if isinstance(last, Cancelled):
            self.states.to(State.NO_FOLDER)
            self.tell(Message(_("The look at the folder was cancelled."), _("Choose the folder again to look at it.")))
        elif isinstance(last, Failed):
            self._fail(last, State.NOTHING_USABLE)
        else:
            self.report = ScanReport.read(file)
            self.scanned.emit()
            if self.report.volumes:
                self.states.to(State.READY)
                self._offer_to_install()
                self._offer_to_resume()
                self._estimate()
            else:
                self.states.to(State.NOTHING_USABLE)
                self.tell(
                    Message(
                        _("No volume in this folder can be used."),
                        _("The table says why for each file. Repair them, or choose another folder."),
                        Tone.ERROR,
                        self._installing(),
                    )
                )

    # The estimate

    def _estimate(self) -> None:
        settings, report = self._settings, self.report
        self._leave("estimate")
        self.estimate = None
        self.estimating = False
        if settings is None or report is None or not report.kept(settings.left_out) or not self.states.idle:
            self.changed.emit()
            return
        if self._dependencies.missing():
            self.changed.emit()
            return
        folder = tempfile.TemporaryDirectory(prefix="pcl-estimate-")
        left_out = Path(folder.name) / "left_out.txt"
        left_out.write_text("".join(f"{name}\n" for name in report.names_of(settings.left_out)), encoding="utf-8")
        words = ["pretrain", settings.folder, "--out", Path(folder.name) / "nothing", "--estimate"]

        def ended(last: Last) -> None:
            folder.cleanup()
            self._estimated(last)

        self.estimating = True
        self._run("estimate", [*words, *settings.plan_words(), "--exclude-from", left_out], ended)
        self.changed.emit()

    def _estimated(self, last: Last) -> None:
        self.estimating = False
        if isinstance(last, Done):
            self.estimate = Estimate.from_summary(last.summary)
        elif isinstance(last, Failed) and self.state is State.READY:
            self.tell(self._message_of(last))
        self.changed.emit()

    # The training

    def start(self, settings: PretrainSettings, replace: bool = False) -> None:
        """Starts a training, after what is missing was installed and what is there may be replaced.

        Args:
            settings: of the panel.
            replace: results in the output folder were allowed to be replaced already.
        """
        self._settings = settings
        if self._dependencies.missing():
            self._ask_to_install(lambda: self.start(settings, replace))
            return
        out = OutputFolder(settings.out)
        interrupted = out.interrupted()
        if replace or not (out.holds_encoder or interrupted):
            self._begin(settings, out)
        elif interrupted:
            self._ask_about_interrupted(settings, out, interrupted)
        else:
            self._ask_to_replace(settings, out)

    def resume(self) -> None:
        """Goes on with the run that stopped in the output folder."""
        settings = self._settings
        interrupted = OutputFolder(settings.out).interrupted() if settings else None
        if settings is None or interrupted is None:
            self.tell(Message(_("There is nothing to resume in the output folder."), _("Start the pretraining anew.")))
            return
        if self._dependencies.missing():
            self._ask_to_install(self.resume)
            return
        out = OutputFolder(settings.out)
        words = ["pretrain", interrupted.folder or settings.folder, "--out", out.path, "--plan", out.plan, "--resume"]
        if out.left_out.is_file():
            words += ["--exclude-from", out.left_out]
        earlier = [(step, loss) for step, loss in out.losses() if step <= interrupted.step]
        self._train([*words, "--device", interrupted.device], earlier)

    def cancel(self) -> None:
        """Cancels what runs: a training keeps its last step, a look at a folder keeps nothing."""
        if self.state is State.RUNNING:
            self.states.to(State.CANCELLING)
            self._jobs["train"].cancel()
        elif self.state is State.SCANNING:
            self._jobs["scan"].abandon()

    def _begin(self, settings: PretrainSettings, out: OutputFolder) -> None:
        assert self.report is not None
        try:
            out.write_record(settings.folder, settings.device, self.report.names_of(settings.left_out))
        except OSError as error:
            text = _("Nothing can be written to {folder}: {reason}.").format(folder=out.path, reason=error.strerror or error)
            self.states.to(State.FAILED)
            self.tell(Message(text, _("Choose an output folder that you may write to."), Tone.ERROR))
            return
        words = ["pretrain", settings.folder, "--out", out.path, *settings.plan_words(), "--exclude-from", out.left_out]
        self._train(words, [])

    def _train(self, words: Sequence[object], earlier: list[tuple[int, float]]) -> None:
        self._pause.stop()
        self._leave("estimate")
        self.estimating = False
        self.result = self.message = None
        self._began_at = time.monotonic()
        self._first_loss = earlier[0][1] if earlier else None
        self.states.to(State.RUNNING)
        self.began.emit(earlier)
        self._run("train", words, self._trained)

    def _trained(self, last: Last) -> None:
        if isinstance(last, Done):
            self.result = Result.from_summary(last.summary, self._first_loss, time.monotonic() - self._began_at)
            self.states.to(State.DONE)
            self.finished.emit(self.result.encoder)
        elif isinstance(last, Cancelled):
            self.states.to(State.STOPPED)
            self.tell(self._stopped())
        else:
            self._fail(last, State.FAILED)

    # The end of everything

    def close_scene(self) -> None:
        """The scene is closed: what runs is cancelled in the background, what was shown is forgotten."""
        self.clear()

    def shut_down(self) -> None:
        """The module or the application goes away: returns when no process is left."""
        self._pause.stop()
        for name in tuple(self._jobs):
            self._leave(name)
        for job in tuple(self._leaving):
            job.end_now()

    # Parts

    def _run(self, name: str, words: Sequence[object], ended: Callable[[Last], None]) -> None:
        """Starts a job under a name; a job that is left says nothing any more."""
        try:
            job = Job(self._engine, words)
        except EngineNotFoundError as error:
            ended(Failed("failure", str(error), ""))
            return

        def over(last: Last) -> None:
            if self._jobs.get(name) is job:
                del self._jobs[name]
                ended(last)
            elif job in self._leaving:
                self._leaving.remove(job)

        def happened(event: Event) -> None:
            if self._jobs.get(name) is job:
                self._happened(name, event)

        job.happened.connect(happened)
        job.logged.connect(self.logged.emit)
        job.ended.connect(over)
        self._jobs[name] = job
        job.start()

    def _leave(self, name: str) -> None:
        """A job is of no interest any more: a training is asked to keep what it has, the rest keeps nothing."""
        job = self._jobs.pop(name, None)
        if job is None or not job.running:
            return
        self._leaving.append(job)
        if name in ("train", "estimate"):
            job.cancel()
        else:
            job.abandon()

    def _happened(self, name: str, event: Event) -> None:
        if isinstance(event, Warned):
            self.logged.emit(_("Note: {message}").format(message=event.message))
        elif isinstance(event, Planned) and name == "estimate" and self._settings is not None:
            fresh = Proposal.from_plan(event.plan)
            self.proposal = self.proposal.updated(fresh, self._settings) if self.proposal else fresh
            self.proposed.emit()
        elif isinstance(event, Progress) and name != "estimate":
            self.progressed.emit(event)
        elif isinstance(event, Measured) and name == "train" and "loss" in event.values:
            loss = event.values["loss"]
            self._first_loss = loss if self._first_loss is None else self._first_loss
            self.measured.emit(event.step, loss)

    def _fail(self, failed: Failed, state: State) -> None:
        self.states.to(state)
        self.tell(self._message_of(failed))

    def _message_of(self, failed: Failed) -> Message:
        actions: list[Action] = []
        if failed.smaller:
            said = ", ".join(f"{name} {value:g}" for name, value in failed.smaller.items())
            actions.append(Action(_("Try again with {smaller}").format(smaller=said), lambda: self._again(failed.smaller)))
        if failed.kind == "packages":
            actions.extend(self._installing())
        elif self.state is State.FAILED:
            actions.extend(self._resuming())
        return Message(failed.message, failed.hint, Tone.ERROR, tuple(actions[:2]))

    def _again(self, smaller: Mapping[str, float]) -> None:
        self.settings_wanted.emit(dict(smaller))
        if self._settings is not None:
            self.start(self._settings, replace=True)

    def _stopped(self) -> Message:
        found = OutputFolder(self._settings.out).interrupted() if self._settings else None
        if found is None:
            return Message(_("Cancelled before the first step; nothing was kept."), _("Start again whenever you like."))
        text = _("Cancelled. Step {step} of {total} is kept in the output folder.").format(step=found.step, total=found.total)
        return Message(text, _("The pretraining can go on from there."), Tone.NOTE, self._resuming())

    def _offer_to_resume(self) -> None:
        found = OutputFolder(self._settings.out).interrupted() if self._settings else None
        if found is None:
            return
        text = _("A pretraining in this output folder stopped at step {step} of {total}.").format(
            step=found.step, total=found.total
        )
        if self.report is not None and self.report.volumes:
            self.tell(
                Message(text, _("It can go on from there, with the settings it was started with."), Tone.NOTE, self._resuming())
            )
        elif found.folder is not None and self.report is None:
            folder = found.folder
            look = Action(_("Open its volumes"), lambda: self.settings_wanted.emit({"folder": str(folder)}))
            self.tell(Message(text, _("Its volumes are in {folder}.").format(folder=folder), Tone.NOTE, (look,)))

    def _resuming(self) -> tuple[Action, ...]:
        found = OutputFolder(self._settings.out).interrupted() if self._settings else None
        return (Action(_("Resume"), self.resume),) if found else ()

    # Installing

    def _offer_to_install(self) -> None:
        if self._dependencies.missing():
            self.tell(
                Message(
                    _("The volumes can be looked at, but not learned from: Python packages are missing."),
                    _("Install them whenever you like."),
                    Tone.WARNING,
                    self._installing(),
                )
            )

    def _installing(self) -> tuple[Action, ...]:
        missing = self._dependencies.missing()
        if not missing:
            return ()
        then: Callable[[], None] = self._scan if self._settings else self.changed.emit
        return (Action(_("Install packages ..."), lambda: self._ask_to_install(then)),)

    def _ask_to_install(self, then: Callable[[], None], declined: Callable[[], None] | None = None) -> None:
        choices = (
            Choice("install", _("Install")),
            Choice("wheels", _("From a folder ...")),
            Choice("no", _("Not now")),
        )

        def answered(name: str) -> None:
            if name == "install":
                self._install(None, then)
            elif name == "wheels":
                self._questions.choose_folder(_("Folder of wheels"), lambda wheels: self._install(wheels, then))
            else:
                self._declined = True
                (declined or self._offer_to_install)()

        self._questions.ask(
            Question(_("Python packages are needed"), self._dependencies.missing().question(), choices), answered
        )

    def _install(self, wheels: Path | None, then: Callable[[], None]) -> None:
        before = self.state
        self.tell(None)
        self.states.to(State.INSTALLING)
        try:
            self._dependencies.install(wheels)
        except InstallError as error:
            self.states.to(before)
            for line in error.lines:
                self.logged.emit(line)
            text = _("The packages could not be installed. pip said:\n{lines}").format(lines="\n".join(error.lines))
            self.tell(Message(text, error.hint, Tone.ERROR, self._installing()))
            return
        self.states.to(before)
        self.look_for_gpu()
        then()

    # Questions

    def _ask_about_interrupted(self, settings: PretrainSettings, out: OutputFolder, found: Interrupted) -> None:
        text = _(
            "The output folder holds a pretraining that stopped at step {step} of {total}.\n\n"
            "Resume it with the settings it was started with, or start anew and lose it?"
        ).format(step=found.step, total=found.total)
        choices = (
            Choice("resume", _("Resume")),
            Choice("anew", _("Start anew")),
            Choice("no", _("Cancel")),
        )

        def answered(name: str) -> None:
            if name == "resume":
                self.resume()
            elif name == "anew":
                self._begin(settings, out)

        self._questions.ask(Question(_("A stopped pretraining is there"), text, choices), answered)

    def _ask_to_replace(self, settings: PretrainSettings, out: OutputFolder) -> None:
        text = _("There is an encoder in the output folder already:\n{path}\n\nReplace it?").format(path=out.encoder)
        choices = (Choice("replace", _("Replace")), Choice("no", _("Cancel")))

        def answered(name: str) -> None:
            if name == "replace":
                self._begin(settings, out)

        self._questions.ask(Question(_("Replace the encoder?"), text, choices), answered)

    def _devices_known(self, last: Last) -> None:
        if isinstance(last, Done):
            self.devices = gpu.DeviceReport.from_summary(last.summary)
        elif isinstance(last, Failed):
            self.devices = gpu.DeviceReport(
                (), "", _("No graphics card could be looked for: {reason}").format(reason=last.message)
            )
        self.changed.emit()

    def _cards_known(self, cards: tuple[gpu.Gpu, ...]) -> None:
        self.cards = cards
        self.changed.emit()
