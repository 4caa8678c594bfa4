"""Segments a volume of the scene: out to a file, to the warm worker, and back as label map on the volume's own grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from pcl_core.errors import InputError
from pcl_core.volumes.cases import find_labels
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.reading import SAME_GRID, read_volume
from PCLLib.events import Cancelled, Done, Event, Failed, Last, Progress
from PCLLib.segment_classes import SegmentClass, class_from
from PCLLib.temporary import TemporaryFolder
from PCLLib.volume_nodes import NotAVolumeError, geometry_of, write_volume_node
from PCLLib.worker import WarmWorker


@dataclass(frozen=True)
class Segmented:
    """What was found in a volume.

    Attributes:
        labels: (z, y, x) on the volume's grid.
        classes: of the model.
        millilitres: by the name of the class.
        confidence: (z, y, x) probability of the label in percent; None unless asked for.
    """

    labels: np.ndarray
    classes: tuple[SegmentClass, ...]
    millilitres: Mapping[str, float]
    confidence: np.ndarray | None

    @property
    def empty(self) -> bool:
        """Whether nothing was found."""
        return not self.labels.any()

    def called(self, classes: Sequence[SegmentClass]) -> Segmented:
        """The same with classes as they are called now, by their values; those that are not listed keep their names."""
        now = {entry.value: entry for entry in classes}
        names = {entry.name: now.get(entry.value, entry).name for entry in self.classes}
        return replace(
            self,
            classes=tuple(now.get(entry.value, entry) for entry in self.classes),
            millilitres={names.get(name, name): amount for name, amount in self.millilitres.items()},
        )


Outcome = Segmented | Cancelled | Failed


class Segmenter:
    """Asks the worker, one volume after another.

    Args:
        worker: that answers.
    """

    def __init__(self, worker: WarmWorker) -> None:
        self._worker = worker

    def segment(
        self,
        volume: Any,
        model: Path,
        device: str,
        confidence: bool,
        ended: Callable[[Outcome], None],
        progressed: Callable[[Progress], None] = lambda _progress: None,
    ) -> None:
        """Starts to segment a volume node and returns; ``ended`` is called with what came of it."""
        try:
            folder = TemporaryFolder("segment")
        except InputError as error:
            ended(Failed("input", error.message, error.hint))
            return
        path = folder.path
        try:
            geometry = write_volume_node(volume, path / "in" / "volume.nrrd", compressed=False)
        except (NotAVolumeError, InputError, OSError) as error:
            folder.cleanup()
            ended(Failed("input", str(error), ""))
            return

        def answered(last: Last) -> None:
            outcome: Outcome = unexpected()
            try:
                outcome = _outcome(last, path / "out", geometry, confidence)
            finally:  # whoever asked must hear of an end; what is raised here goes to Slicer's own log
                folder.cleanup()
                told(outcome)

        def told(outcome: Outcome) -> None:
            if isinstance(outcome, Segmented) and not _still(volume, geometry):
                outcome = Failed(
                    "input", _("The volume was changed or removed while it was segmented."), _("Segment it again.")
                )
            ended(outcome)

        def happened(event: Event) -> None:
            if isinstance(event, Progress):
                progressed(event)

        fields = {
            "do": "segment",
            "model": model,
            "input": path / "in" / "volume.nrrd",
            "out": path / "out",
            "confidence": confidence,
        }
        self._worker.ask(device, fields, answered, happened)


def unexpected() -> Failed:
    """What to say when a fault of the software was raised."""
    return Failed("failure", _("Something unexpected went wrong."), _("Slicer's error log says more; please report it."))


def _outcome(last: Last, out: Path, geometry: Geometry, confidence: bool) -> Outcome:
    if not isinstance(last, Done):
        return last
    try:
        return Segmented(
            labels=_read(out / "volume_seg.nrrd", geometry),
            classes=tuple(class_from(entry) for entry in last.summary["classes"]),
            millilitres=last.summary["millilitres"]["volume"],
            confidence=_read(out / "volume_confidence.nrrd", geometry) if confidence else None,
        )
    except (InputError, KeyError) as error:
        return Failed("failure", _("The result could not be read: {reason}").format(reason=error), _("Segment again."))


def _read(path: Path, geometry: Geometry) -> np.ndarray:
    (source,) = find_labels(path, "folder").sources
    difference = source.geometry.differs_from(geometry, SAME_GRID)
    if difference:
        raise InputError(f"{path.name} does not lie on the grid of its volume: {difference}.")
    return read_volume(source).voxels


def _still(volume: Any, geometry: Geometry) -> bool:
    """Whether the volume is in the scene with the same grid."""
    try:
        return bool(slicer.mrmlScene.IsNodePresent(volume)) and not geometry_of(volume).differs_from(geometry, SAME_GRID)
    except NotAVolumeError:
        return False
