"""Fine-tunes on the checked cases: writes them out, runs the engine, once more without the encoder when that is asked for."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from pcl_core.errors import InputError
from pcl_core.files import replacing
from pcl_core.volumes.axes import Axis
from PCLLib.case_states import Case
from PCLLib.events import Cancelled, Done, Event, Failed, Last, Warned
from PCLLib.finetune_result import FinetuneResult
from PCLLib.finetune_settings import FinetuneSettings, next_folder
from PCLLib.job_group import JobGroup, Work
from PCLLib.label_import import ImportLabelsError
from PCLLib.segment_classes import SegmentClass
from PCLLib.signals import Signal
from PCLLib.temporary import TemporaryFolder, temporary_files_in
from PCLLib.training_set import TrainingSet, write_training_set
from PCLLib.volume_nodes import NotAVolumeError

TRAIN, COMPARE, ESTIMATE = "train", "compare", "estimate"
_FEWEST_STEPS = 20
# Where the engine keeps the best weights so far, below the folder of a model.
BEST = Path("state") / "best.safetensors"


@dataclass(frozen=True)
class Speed:
    """How long a fine-tuning takes on this device.

    Attributes:
        steps: that the plan proposes.
        seconds: of one training with so many.
        device: where, in words.
    """

    steps: int
    seconds: float
    device: str

    def total(self, settings: FinetuneSettings, cases: int) -> float:
        """Seconds of everything that the settings ask for."""
        return self.seconds * _trainings(settings, cases)

    def steps_in(self, settings: FinetuneSettings, cases: int) -> int:
        """Steps of one training, so that everything takes the minutes that were set."""
        share = 60 * settings.minutes / _trainings(settings, cases)
        return max(_FEWEST_STEPS, round(self.steps * share / max(self.seconds, 1e-3)))


def _trainings(settings: FinetuneSettings, cases: int) -> int:
    return (1 + cases * settings.leave_one_out) * (1 + settings.compares)


@dataclass(frozen=True)
class Stopped:
    """A fine-tuning did not come to its end.

    Attributes:
        model: that is there all the same; None before the first step.
        failure: why; None when a person cancelled.
        finished: whether the training itself had come to its end.
    """

    model: Path | None
    failure: Failed | None = None
    finished: bool = False


Outcome = FinetuneResult | Stopped | Failed


class Finetuning:
    """One fine-tuning after another.

    Signals:
        ended: how one ended.

    Args:
        jobs: run the engine; their events are told there.
    """

    def __init__(self, jobs: JobGroup) -> None:
        self.ended = Signal[[Outcome]]()
        self._jobs = jobs
        self._began_at = 0.0
        self._warnings: list[Warned] = []
        self._cancelled = False
        jobs.happened.connect(self._happened)

    def estimate(
        self,
        settings: FinetuneSettings,
        case: Case,
        classes: Sequence[SegmentClass],
        axis: Axis,
        told: Callable[[Speed | Failed | None], None],
    ) -> None:
        """Times some steps on one case; ``told`` is called with what it takes, or None when it was cancelled."""
        written = _written("estimate", [case], classes, axis)
        if isinstance(written, Failed):
            told(written)
            return
        folder, found = written

        def ended(last: Last) -> None:
            if isinstance(last, Done):
                told(Speed(last.summary["steps"], last.summary["seconds"], last.summary["device"]))
            else:
                told(last if isinstance(last, Failed) else None)

        words = ["finetune", *found.words, *settings.begin_words(), "--device", settings.device, "--estimate"]
        words += ["--out", found.folder / "nothing"]
        self._jobs.run(ESTIMATE, Work(words, ended, folder.cleanup, variables=temporary_files_in(found.folder)))

    def start(
        self,
        settings: FinetuneSettings,
        cases: Sequence[Case],
        classes: Sequence[SegmentClass],
        axis: Axis,
        steps: int | None,
    ) -> None:
        """Writes the cases out and starts; returns at once. ``steps`` of None follows the plan."""
        self._began_at = time.monotonic()
        self._warnings = []
        self._cancelled = False
        try:
            out = next_folder(settings.out)
        except OSError as error:
            self.ended.emit(Failed("input", str(error), _("Choose another folder for the models.")))
            return
        written = _written("finetune", cases, classes, axis)
        if isinstance(written, Failed):
            self.ended.emit(written)
            return
        folder, found = written
        words: list[object] = ["finetune", *found.words, "--device", settings.device, "--out", out]
        words += settings.begin_words() + ([] if steps is None else ["--steps", steps])
        words += ["--leave-one-out"] * settings.leave_one_out

        compared: list[bool] = []

        def ended(last: Last) -> None:
            if isinstance(last, Done) and settings.compares and not self._cancelled:
                compared.append(True)
                self._compare(settings, found, folder, out, last.summary)
            else:
                self._tell(last, None, found, out, settings.compares)

        def afterwards() -> None:
            if not compared:
                folder.cleanup()

        self._jobs.run(TRAIN, Work(words, ended, afterwards, keeps=True, variables=temporary_files_in(found.folder)))

    def _happened(self, name: str, event: Event) -> None:
        if name == TRAIN and isinstance(event, Warned):
            self._warnings.append(event)

    def cancel(self) -> None:
        """Cancels what runs; it ends as always."""
        self._cancelled = True  # a training that ends well all the same is not compared any more
        self._jobs.cancel(ESTIMATE)
        self._jobs.cancel(TRAIN)
        self._jobs.cancel(COMPARE)

    def _compare(
        self,
        settings: FinetuneSettings,
        found: TrainingSet,
        folder: TemporaryFolder,
        out: Path,
        summary: Mapping[str, Any],
    ) -> None:
        """The same plan on the same cases from random weights."""
        words: list[object] = ["finetune", *found.words, "--device", settings.device, "--plan", out / "plan.json"]
        words += ["--out", found.folder / "without", *["--leave-one-out"] * settings.leave_one_out]

        def ended(last: Last) -> None:
            if isinstance(last, Failed):
                self._jobs.logged.emit(_("The comparison failed: {reason}").format(reason=last.message))
            self._tell(Done(summary), last.summary if isinstance(last, Done) else None, found, out, True)

        self._jobs.run(COMPARE, Work(words, ended, folder.cleanup, keeps=True, variables=temporary_files_in(found.folder)))

    def _tell(self, last: Last, other: Mapping[str, Any] | None, found: TrainingSet, out: Path, wanted: bool = False) -> None:
        if isinstance(last, Done):
            seconds = time.monotonic() - self._began_at
            told = {_case_of(one.path): _with_names(one.message, found) for one in self._warnings if one.path is not None}
            self.ended.emit(FinetuneResult.from_summaries(last.summary, other, found.names, seconds, wanted, told))
            return
        model = out / "model.safetensors"  # is written when the training is over, or cancelled
        finished = model.is_file()
        kept = model if finished or _taken_over(out / BEST, model) else None
        if isinstance(last, Cancelled):
            self.ended.emit(Stopped(kept))
            return
        failure = replace(last, message=_with_names(last.message, found))
        self.ended.emit(failure if kept is None else Stopped(kept, failure, finished))


def _written(
    purpose: str, cases: Sequence[Case], classes: Sequence[SegmentClass], axis: Axis
) -> tuple[TemporaryFolder, TrainingSet] | Failed:
    """The cases as files in a temporary folder, or why that failed; no folder is left then."""
    try:
        folder = TemporaryFolder(purpose)
    except InputError as error:
        return Failed("input", error.message, error.hint)
    hint = _("Correct this case, or clear its check box.")
    written = False
    try:
        found = write_training_set(folder.path, cases, classes, axis)
        written = True
    except (InputError, ImportLabelsError, NotAVolumeError, OSError) as error:
        return Failed("input", str(error), hint)
    except RuntimeError as error:
        return Failed("input", _("Slicer could not load {name}.").format(name=error), _("Clear its check box."))
    finally:
        if not written:
            folder.cleanup()
    return folder, found


def _taken_over(best: Path, model: Path) -> bool:
    """Makes the best weights so far the model of a training that had no time to do so: it was killed, or hung."""
    if not best.is_file():  # there are none before the first look at a held-out case
        return False
    try:
        with replacing(model) as partial:
            shutil.copyfile(best, partial)
    except InputError:  # the disk is full or gone; they stay where they are
        return False
    return True


def _case_of(path: Path) -> str:
    """The engine's name of the case whose image or labels lie there."""
    return path.name.removesuffix(".nrrd")


def _with_names(text: str, found: TrainingSet) -> str:
    """What the engine says, with the names that people know."""
    for name, known in found.names.items():
        for ending in (f"{found.folder / 'labels' / name}.nrrd", f"{found.folder / 'images' / name}.nrrd", name):
            text = text.replace(ending, known)
    return text
