"""Segments one volume after another by one click, and keeps what that changed so that it is one step to undo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from PCLLib.case_states import Case
from PCLLib.events import Cancelled, Failed, Progress
from PCLLib.predictions import Click, add_confidence, add_prediction
from PCLLib.scene_volumes import node_of
from PCLLib.segment_classes import SegmentClass
from PCLLib.segmenter import Outcome, Segmented, Segmenter, unexpected


@dataclass(frozen=True)
class SegmentOrder:
    """What is to be done.

    Attributes:
        cases: one after another.
        model: weight file.
        device: auto, cpu or cuda.
        confidence: whether a map of it is wanted.
        classes: of the model, as people call them now.
    """

    cases: tuple[Case, ...]
    model: Path
    device: str
    confidence: bool
    classes: tuple[SegmentClass, ...] = ()


@dataclass
class SegmentReport:
    """What came of it.

    Attributes:
        click: what changed in the scene.
        nodes: the new segmentation nodes, each with its volume and millilitres by the name of the class.
        empty: names of the cases in which nothing was found.
        failures: names of the cases that could not be segmented, each with the reason.
        cancelled: whether somebody stopped it.
        last: the failure of the last case that failed.
    """

    click: Click = field(default_factory=Click)
    nodes: list[tuple[Any, Any, dict[str, float]]] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    cancelled: bool = False
    last: Failed | None = None


class SegmentRun:
    """One click.

    Args:
        segmenter: does it.
        order: what.
        progressed: how far it is, in slices or in volumes.
        ended: called once.
    """

    def __init__(
        self,
        segmenter: Segmenter,
        order: SegmentOrder,
        progressed: Callable[[Progress], None],
        ended: Callable[[SegmentReport], None],
    ) -> None:
        self._segmenter, self._order = segmenter, order
        self._progressed, self._ended = progressed, ended
        self._waiting: list[Case] = list(order.cases)
        self._stop = self._over = False
        self.report = SegmentReport()

    def start(self) -> None:
        """Begins and returns."""
        self._next()

    def stop(self) -> None:
        """Nothing more is begun; what runs has to be cancelled at the worker."""
        self._stop = True

    def forget(self) -> None:
        """Nothing is told any more, and nothing is put into the scene: it is closed."""
        self._over = True

    def _next(self) -> None:
        if self._stop or not self._waiting:
            self._end()
            return
        case = self._waiting.pop(0)
        try:
            volume = node_of(case)
        except RuntimeError:
            self.report.failures.append((case.name, _("Slicer could not load it.")))
            self._next()
            return
        order = self._order
        self._segmenter.segment(
            volume, order.model, order.device, order.confidence, lambda outcome: self._take(case, volume, outcome), self._tell
        )

    def _end(self) -> None:
        self.report.cancelled = self._stop
        if not self._over:
            self._over = True
            self._ended(self.report)

    def _take(self, case: Case, volume: Any, outcome: Outcome) -> None:
        if self._over:
            return
        taken = False
        try:
            self._keep(case, volume, outcome)
            self._next()
            taken = True
        finally:  # nobody else would end it: what is raised here goes to Slicer's own log
            if not taken:
                self.report.last = unexpected()
                self.report.failures.append((case.name, self.report.last.message))
                self._end()

    def _keep(self, case: Case, volume: Any, outcome: Outcome) -> None:
        if isinstance(outcome, Segmented):
            outcome = outcome.called(self._order.classes)
            node = add_prediction(volume, outcome, self._order.model, self.report.click)
            if outcome.confidence is not None:
                add_confidence(volume, outcome.confidence, self.report.click)
            self.report.nodes.append((node, volume, dict(outcome.millilitres)))
            if outcome.empty:
                self.report.empty.append(case.name)
        elif isinstance(outcome, Cancelled):
            self._stop = True
        else:
            hint = outcome.hint if outcome.kind != "killed" else ""  # what it says of settings is of trainings
            self.report.failures.append((case.name, f"{outcome.message} {hint}".strip()))
            self.report.last = outcome
            self._stop = self._stop or outcome.kind in ("packages", "killed")

    def _tell(self, progress: Progress) -> None:
        if self._over:
            return
        total = len(self._order.cases)
        if total > 1:
            progress = Progress("segment all", total - len(self._waiting) - 1, total, None)
        self._progressed(progress)
