"""Labels every volume of a folder and writes one label volume each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pcl_core.cancellation import Cancellation
from pcl_core.errors import CancelledError, InputError
from pcl_core.events import Reporter
from pcl_core.files import writable_folder
from pcl_core.inference.predicting import Predictor
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
    """
    writable_folder(out)
    written: list[Path] = []
    skipped: list[str] = []
    first: InputError | None = None
    for done, source in enumerate(sources):
        if cancellation.requested:
            raise CancelledError(out if written else None)
        reporter.progress("segment", done, len(sources))
        try:
            volume = read_volume(source)
            prediction = predictor.predict(volume, tta, probabilities, cancellation)
        except InputError as error:
            if strict or len(sources) == 1:
                raise
            skipped.append(source.id)
            first = first or error
            reporter.warning(f"{error.message} It is left out.", source.path)
            continue
        path = out / f"{source.id}_seg.nrrd"
        write_volume(path, prediction.labels, source.geometry)
        written.append(path)
        reporter.artifact("labels", path)
        if prediction.probabilities is not None:
            for value, channel in zip(predictor.values, prediction.probabilities, strict=True):
                write_volume(out / f"{source.id}_probability_{value}.nrrd", channel, source.geometry)
    if first and not written:
        raise InputError(f"None of the {len(sources)} volumes can be segmented; the first: {first.message}", first.hint)
    reporter.progress("segment", len(sources), len(sources))
    return Segmented(tuple(written), tuple(skipped))
