"""The figures of the cases that fine-tuning held out, on their own grids."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pcl_core.cancellation import Cancellation
from pcl_core.evaluation.metrics import ClassMetrics, PooledDice, case_metrics
from pcl_core.evaluation.summary import FIGURES, Evaluation
from pcl_core.events import plain
from pcl_core.files import write_text
from pcl_core.inference.predicting import Predictor
from pcl_core.training.finetuning import Annotations
from pcl_core.volumes.cases import Case
from pcl_core.volumes.geometry import canonical_view
from pcl_core.volumes.reading import read_labels, read_volume
from pcl_core.volumes.volume import NOT_ANNOTATED


def judge_held_out(
    predictor: Predictor, annotations: Annotations, cases: Sequence[Case], cancellation: Cancellation | None = None
) -> Evaluation:
    """Compares predictions of the held-out cases with their labels; slices that are not annotated take no part.

    The held-out cases chose nothing: the last weights are kept whatever the figures say.

    Raises:
        InputError: an image or its labels cannot be read.
        CancelledError: somebody asked to stop.
        OutOfMemoryError: with a hint.
    """
    values = [entry.value for entry in annotations.classes]
    held_out = {volume.id for volume in annotations.split.held_out}
    pooled = PooledDice(values)
    figures: dict[str, dict[int, ClassMetrics]] = {}
    for case in cases:
        if case.id in held_out:
            volume = read_volume(case.source)
            truth = _annotated(case, annotations, predictor)
            predicted = predictor.predict(volume, cancellation=cancellation).labels
            figures[case.id] = case_metrics(predicted, truth, volume.geometry.spacing[::-1], values)
            pooled.add(predicted, truth)
    names = {entry.value: entry.name for entry in annotations.classes}
    return Evaluation(figures, tuple(values), pooled.per_class(), names)


def _annotated(case: Case, annotations: Annotations, predictor: Predictor) -> np.ndarray:
    """Labels (z, y, x) with 255 in the slices that are not annotated."""
    truth = read_labels(case.labels, case.source).copy()
    listed = annotations.annotated_slices.get(case.id)
    if listed is not None:
        view = canonical_view(case.source.geometry, predictor.about.plan.slices.axis)
        slices = view.apply(truth)  # a view: what is written into it lands in the labels
        slices[np.setdiff1d(np.arange(len(slices)), listed)] = NOT_ANNOTATED
    return truth


def by_name(held_out: Evaluation) -> dict[str, Any]:
    """Case -> name of the class -> Dice, HD95 and ASSD in mm; None for what is not known."""
    named: dict[str, Any] = plain(
        {
            case: {held_out.name(label): {figure: getattr(found[label], figure) for figure in FIGURES} for label in found}
            for case, found in held_out.cases.items()
        }
    )
    return named


def learned_sentence(learned: Collection[str]) -> str:
    """Says of cases that the model to go on from was trained on that they are no test of it."""
    names = ", ".join(sorted(learned)[:8]) + (" ..." if len(learned) > 8 else "")
    return f"The model gone on from was trained on {names}: figures of these cases would say nothing of new ones."


def write_validation(
    path: Path, held_out: Evaluation, one_out: Evaluation | None = None, learned: Collection[str] = ()
) -> None:
    """Writes validation.json, with the figures of every case when each was left out in turn.

    Args:
        path: of the file.
        held_out: figures of what was held out.
        one_out: figures of what was left out in turn.
        learned: ids of the cases that the model to go on from was trained on.

    Raises:
        InputError: that is impossible.
    """
    note = "Held out from training; no weights were chosen by it."
    if not held_out.cases:
        note = "All cases were trained on; three or more patients are needed to hold one out."
    if learned:
        note += " " + learned_sentence(learned)
    document = {"held_out": by_name(held_out), "pooled_dice": plain(held_out.pooled), "note": note}
    if learned:
        document["learned_before"] = sorted(learned)
    if one_out is not None:
        document["leave_one_out"] = by_name(one_out)
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
