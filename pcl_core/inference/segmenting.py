"""Labels every volume of a folder and writes one label volume each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pcl_core.cancellation import Cancellation
from pcl_core.errors import CancelledError, InputError, OutOfMemoryError
from pcl_core.events import Reporter
from pcl_core.files import writable_folder
from pcl_core.inference.familiarity import unlike_training
from pcl_core.inference.own_results import mark_of
from pcl_core.inference.predicting import Prediction, Predictor
from pcl_core.training.devices import more_memory
from pcl_core.volumes.geometry import canonical_view
from pcl_core.volumes.reading import read_volume
from pcl_core.volumes.volume import VolumeSource
from pcl_core.volumes.writing import write_volume

# Whether the label file of a volume, which is there, may be replaced.
Replaceable = Callable[[VolumeSource, Path], bool]


@dataclass(frozen=True)
class Options:
    """How to segment, and what to write.

    Attributes:
        tta: averages over five looks at each slice.
        probabilities: writes ``<id>_probability_<value>.nrrd`` too, 0 to 255.
        confidence: writes ``<id>_confidence.nrrd`` too: probability of the label in percent.
        strict: a volume that cannot be labelled is an error, not a warning.
    """

    tta: bool = False
    probabilities: bool = False
    confidence: bool = False
    strict: bool = False


@dataclass(frozen=True)
class Found:
    """What was found in one volume.

    Attributes:
        id: of the volume.
        path: of its label volume.
        millilitres: volume of each class, by its value; 0 for a class that was not found.
    """

    id: str
    path: Path
    millilitres: Mapping[int, float]


@dataclass(frozen=True)
class Segmented:
    """What came of a folder.

    Attributes:
        found: in each volume that was labelled.
        skipped: ids of the volumes that could not be labelled.
        kept: label files that were there before and may not be replaced; their volumes were not labelled.
    """

    found: tuple[Found, ...]
    skipped: tuple[str, ...]
    kept: tuple[Path, ...] = ()

    @property
    def written(self) -> tuple[Path, ...]:
        """The label volumes."""
        return tuple(one.path for one in self.found)


def segment(
    predictor: Predictor,
    sources: Sequence[VolumeSource],
    out: Path,
    reporter: Reporter,
    cancellation: Cancellation,
    options: Options | None = None,
    finished: Callable[[VolumeSource, Found], None] = lambda _source, _found: None,
    replaceable: Replaceable = lambda _source, _labels: True,
) -> Segmented:
    """Writes ``<id>_seg.nrrd`` for each volume, on its own grid, and what else the options ask for.

    Volumes that are unlike those that the model was trained on, and those in which nothing was found, are warned about.
    ``finished`` is called after each volume that was labelled. A label file that is there already is replaced when
    ``replaceable`` says so; otherwise its volume is left out with a warning, and (strict) is an error.

    Raises:
        InputError: no volume could be labelled, or (strict) one could not, or a file cannot be written.
        CancelledError: the volumes that were written are kept.
        OutOfMemoryError: names the volume.
    """
    options = options or Options()
    writable_folder(out)
    axis = predictor.about.plan.slices.axis
    # Progress counts slices, and the writing of a volume as one more.
    counts = [canonical_view(source.geometry, axis).shape[0] + 1 for source in sources]
    found: list[Found] = []
    skipped: list[str] = []
    kept: list[Path] = []
    first: InputError | None = None
    for number, source in enumerate(sources):
        before = sum(counts[:number])

        def advanced(slices: int, before: int = before) -> None:
            reporter.progress("segment", before + slices, sum(counts))

        advanced(0)
        if _stays(source, out, replaceable, options, reporter):
            kept.append(labels_path(out, source))
            advanced(counts[number])
            continue
        try:
            prediction = _predict(predictor, source, options, reporter, cancellation, advanced)
        except CancelledError as error:
            raise CancelledError(out if found else None) from error
        except InputError as error:
            if options.strict or len(sources) == 1:
                raise
            skipped.append(source.id)
            first = first or error
            reporter.warning(f"{error.message} It is left out.", source.path)
        else:
            found.append(_write(prediction, predictor, source, out))
            reporter.artifact("labels", found[-1].path)
            finished(source, found[-1])
            if not any(found[-1].millilitres.values()):
                reporter.warning(f"Nothing was found in {source.path}: all of it is background.", source.path)
        advanced(counts[number])
    if first and not found and not kept:
        raise InputError(f"None of the {len(sources)} volumes can be segmented; the first: {first.message}", first.hint)
    return Segmented(tuple(found), tuple(skipped), tuple(kept))


def labels_path(out: Path, source: VolumeSource) -> Path:
    """Where the labels of a volume go."""
    return out / f"{source.id}_seg.nrrd"


def require_replaceable(sources: Iterable[VolumeSource], out: Path, replaceable: Replaceable) -> None:
    """Raises InputError for the first of the volumes whose label file is there and may not be replaced."""
    for source in sources:
        labels = labels_path(out, source)
        if labels.exists() and not replaceable(source, labels):
            raise InputError(
                f"{source.path} is not segmented: {labels} is there already, and is no unchanged result of it.",
                "Choose another folder for the results, or move that file; --overwrite replaces it.",
            )


def _stays(source: VolumeSource, out: Path, replaceable: Replaceable, options: Options, reporter: Reporter) -> bool:
    """Whether there is a label file of a volume that may not be replaced; warns of it."""
    try:
        require_replaceable([source], out, replaceable)
    except InputError as error:
        if options.strict:
            raise
        reporter.warning(f"{error.message} {error.hint}", labels_path(out, source))
        return True
    return False


def _predict(
    predictor: Predictor,
    source: VolumeSource,
    options: Options,
    reporter: Reporter,
    cancellation: Cancellation,
    advanced: Callable[[int], None],
) -> Prediction:
    try:
        volume = read_volume(source)
        _warn_of_unlike(source, predictor, reporter)
        return predictor.predict(volume, options.tta, options.probabilities, cancellation, advanced, options.confidence)
    except (MemoryError, OutOfMemoryError) as error:
        hint = more_memory(predictor.device)
        raise OutOfMemoryError(f"The memory is not enough to segment {source.path}.", hint) from error


def _warn_of_unlike(source: VolumeSource, predictor: Predictor, reporter: Reporter) -> None:
    for sentence in unlike_training(source, predictor.about.plan):
        reporter.warning(f"{source.path}: {sentence}", source.path)


def _write(prediction: Prediction, predictor: Predictor, source: VolumeSource, out: Path) -> Found:
    """Writes the labels, and probabilities and confidence when there are any."""
    if prediction.probabilities is not None:
        for value, channel in zip(predictor.values, prediction.probabilities, strict=True):
            write_volume(out / f"{source.id}_probability_{value}.nrrd", channel, source.geometry)
    if prediction.confidence is not None:
        write_volume(out / f"{source.id}_confidence.nrrd", prediction.confidence, source.geometry)
    path = labels_path(out, source)
    write_volume(path, prediction.labels, source.geometry, notes=mark_of(source, prediction.labels))
    millilitre = math.prod(source.geometry.spacing) / 1000
    counts = {entry.value: int((prediction.labels == entry.value).sum()) for entry in predictor.classes}
    return Found(source.id, path, {value: count * millilitre for value, count in counts.items()})
