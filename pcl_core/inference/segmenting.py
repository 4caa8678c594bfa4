"""Labels every volume of a folder and writes one label volume each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pcl_core.cancellation import Cancellation
from pcl_core.errors import CancelledError, InputError, OutOfMemoryError
from pcl_core.events import Reporter
from pcl_core.files import writable_folder
from pcl_core.inference.predicting import Prediction, Predictor
from pcl_core.training.devices import more_memory
from pcl_core.volumes.geometry import canonical_view
from pcl_core.volumes.reading import read_volume
from pcl_core.volumes.volume import VolumeSource
from pcl_core.volumes.writing import write_volume


@dataclass(frozen=True)
class Segmented:
    """What came of a folder.

    Attributes:
        written: the label volumes.
        skipped: ids of the volumes that could not be labelled.
    """

    written: tuple[Path, ...]
    skipped: tuple[str, ...]


def segment(
    predictor: Predictor,
    sources: Sequence[VolumeSource],
    out: Path,
    reporter: Reporter,
    cancellation: Cancellation,
    tta: bool = False,
    probabilities: bool = False,
    strict: bool = False,
) -> Segmented:
    """Writes ``<id>_seg.nrrd`` for each volume, on its own grid; with probabilities also ``<id>_probability_<value>.nrrd``.

    Raises:
        InputError: no volume could be labelled, or (strict) one could not, or a file cannot be written.
        CancelledError: the volumes that were written are kept.
        OutOfMemoryError: names the volume.
    """
    writable_folder(out)
    axis = predictor.about.plan.slices.axis
    # Progress counts slices, and the writing of a volume as one more.
    counts = [canonical_view(source.geometry, axis).shape[0] + 1 for source in sources]
    written: list[Path] = []
    skipped: list[str] = []
    first: InputError | None = None
    for number, source in enumerate(sources):
        before = sum(counts[:number])

        def advanced(slices: int, before: int = before) -> None:
            reporter.progress("segment", before + slices, sum(counts))

        advanced(0)
        try:
            prediction = predictor.predict(read_volume(source), tta, probabilities, cancellation, advanced)
        except CancelledError as error:
            raise CancelledError(out if written else None) from error
        except (MemoryError, OutOfMemoryError) as error:
            hint = more_memory(predictor.device)
            raise OutOfMemoryError(f"The memory is not enough to segment {source.path}.", hint) from error
        except InputError as error:
            if strict or len(sources) == 1:
                raise
            skipped.append(source.id)
            first = first or error
            reporter.warning(f"{error.message} It is left out.", source.path)
        else:
            written.append(_write(prediction, predictor, source, out))
            reporter.artifact("labels", written[-1])
        advanced(counts[number])
    if first and not written:
        raise InputError(f"None of the {len(sources)} volumes can be segmented; the first: {first.message}", first.hint)
    return Segmented(tuple(written), tuple(skipped))


def _write(prediction: Prediction, predictor: Predictor, source: VolumeSource, out: Path) -> Path:
    """Writes the labels, and the probabilities when there are any. Returns the path of the labels."""
    if prediction.probabilities is not None:
        for value, channel in zip(predictor.values, prediction.probabilities, strict=True):
            write_volume(out / f"{source.id}_probability_{value}.nrrd", channel, source.geometry)
    path = out / f"{source.id}_seg.nrrd"
    write_volume(path, prediction.labels, source.geometry)
    return path
