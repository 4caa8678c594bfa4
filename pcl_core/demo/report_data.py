"""What the report of the demo shows, as plain numbers and arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pcl_core.evaluation.summary import Evaluation

HEIGHTS = ("apex", "middle", "base")


@dataclass(frozen=True)
class MethodResult:
    """One way to start the fine-tuning, and what came of it.

    Attributes:
        name: such as "with pretraining".
        evaluation: on the unseen cases.
        history: rows of its metrics.csv, with ``step`` and ``loss``.
    """

    name: str
    evaluation: Evaluation
    history: Sequence[Mapping[str, float]]


@dataclass(frozen=True, eq=False)
class SliceView:
    """One slice of an unseen case: arrays (row, column), ``predictions`` in the order of ReportData.methods."""

    title: str
    image: np.ndarray
    truth: np.ndarray
    predictions: Sequence[np.ndarray]


@dataclass(frozen=True, eq=False)
class CaseView:
    """Slices of one unseen case, from the base to the apex; ``spacing`` is mm along (row, column)."""

    id: str
    spacing: tuple[float, float]
    slices: Sequence[SliceView]


@dataclass(frozen=True)
class ReportData:
    """Everything that the report says.

    Attributes:
        data: what the volumes are, as words: "32 generated short-axis hearts".
        pretraining_volumes: number of volumes without labels.
        pretraining_slices: number of their slices.
        labelled: number of labelled cases that both were fine-tuned on.
        unseen: number of cases that were segmented and compared.
        finetuning_steps: steps of each fine-tuning.
        methods: with pretraining first, then without.
        pretraining: rows of its metrics.csv, with ``step`` and ``loss``.
        collapse_loss: loss at which all embeddings are equal, ln(2N - 1) for N slices a batch; None when not known.
        seconds: time of each stage, in order.
        cases: pictures.
        device: what it ran on.
        notes: further sentences, such as warnings.
    """

    data: str
    pretraining_volumes: int
    pretraining_slices: int
    labelled: int
    unseen: int
    finetuning_steps: int
    methods: Sequence[MethodResult]
    pretraining: Sequence[Mapping[str, float]]
    collapse_loss: float | None
    seconds: Mapping[str, float]
    cases: Sequence[CaseView]
    device: str
    notes: Sequence[str] = field(default_factory=tuple)


def view_case(
    case: str,
    image: np.ndarray,
    truth: np.ndarray,
    predictions: Sequence[np.ndarray],
    spacing: tuple[float, float],
    margin_mm: float = 30.0,
) -> CaseView:
    """Chooses three slices of a case and cuts them to the labelled anatomy and its surroundings.

    Args:
        case: its name.
        image: canonical slices (slice, row, column); the last is nearest the base.
        truth: labels of the same shape; without any label the whole stack is looked at.
        predictions: labels of the same shape, one array a method.
        spacing: mm along (row, column).
        margin_mm: what is shown around the labels.

    Returns:
        slices near the base, in the middle and near the apex of the labelled part, from the base on; fewer when the labelled
        part has fewer.
    """
    marked = truth if ((truth > 0) & (truth < 255)).any() else np.ones_like(truth)
    filled = (marked > 0) & (marked < 255)
    labelled = np.nonzero(filled.any(axis=(1, 2)))[0]
    places = {
        int(labelled[round(part * (len(labelled) - 1))]): name for part, name in zip((0.15, 0.5, 0.85), HEIGHTS, strict=True)
    }
    box = tuple(_range(np.asarray(filled.any(axis=(0, 2 - axis))), margin_mm / spacing[axis]) for axis in range(2))
    slices = [
        SliceView(
            title=f"{name}\nslice {place + 1} of {len(image)}",
            image=image[place][box],
            truth=truth[place][box],
            predictions=tuple(labels[place][box] for labels in predictions),
        )
        for place, name in sorted(places.items(), reverse=True)
    ]
    return CaseView(case, spacing, tuple(slices))


def _range(filled: np.ndarray, margin: float) -> slice:
    """From the first to the last entry that is set, and a margin."""
    where = np.nonzero(filled)[0]
    return slice(max(int(where[0] - margin), 0), int(np.ceil(where[-1] + margin)) + 1)
