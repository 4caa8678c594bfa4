"""Dice on every annotated case: as many trainings as there are patients, each without one of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pcl_core.commands.held_out import judge_held_out
from pcl_core.errors import CancelledError, InputError
from pcl_core.evaluation.summary import Evaluation
from pcl_core.inference.predicting import Predictor
from pcl_core.plan import Plan
from pcl_core.training.cases import split_cases
from pcl_core.training.context import Context
from pcl_core.training.finetuning import Annotations, finetune
from pcl_core.training.starting import Start
from pcl_core.training.state import FILE, STATE_FOLDER
from pcl_core.volumes.cases import Case

FOLDER = "leave_one_out"


def require_several(annotations: Annotations) -> None:
    """Raises InputError when there is nobody to train on without the one patient; to be known before hours of training."""
    if annotations.new_patients and len({volume.patient for volume in annotations.bank.volumes}) < 2:
        raise InputError("One patient alone cannot be left out.", "Annotate another, or do without --leave-one-out.")


def leave_one_out(
    annotations: Annotations, plan: Plan, out: Path, context: Context, begin: Start | None, cases: Sequence[Case]
) -> Evaluation | None:
    """Trains without each patient in turn and judges the cases of that patient.

    Patients that the model to go on from has learned from are not left out: it knows them all the same. None when there are
    no others.

    Args:
        annotations: of all cases; whom they hold out does not matter here.
        plan: of every training.
        out: folder of the fine-tuning; what is left there of a run that was stopped is gone on with.
        context: of every training.
        begin: weights to begin with.
        cases: with the files.

    Raises:
        InputError: there is one patient only, or a training failed.
        CancelledError: somebody asked to stop; checkpoints are kept.
        OutOfMemoryError: with a hint.
    """
    require_several(annotations)
    patients = annotations.new_patients
    if not patients:
        return None
    parts = []
    for number, patient in enumerate(patients):
        context.reporter.progress("leave one out", number, len(patients))
        folder = out / FOLDER / patient
        split = split_cases(annotations.bank.volumes, patient, context.seed)
        try:
            begun = (folder / STATE_FOLDER / FILE).exists()
            trained = finetune(replace(annotations, split=split), plan, folder, context, begin, begun)
            judged = replace(annotations, split=split)
            predictor = Predictor.load(trained.model, context.device)
            parts.append(judge_held_out(predictor, judged, cases, context.cancellation))
        except CancelledError as error:
            raise CancelledError(out) from error
    context.reporter.progress("leave one out", len(patients), len(patients))
    return joined(parts)


def joined(parts: Sequence[Evaluation]) -> Evaluation:
    """The figures of all cases; the pooled Dice of each training is its own, and of all together not known."""
    figures = {case: metrics for part in parts for case, metrics in part.cases.items()}
    return replace(parts[0], cases=figures, pooled=dict.fromkeys(parts[0].classes, math.nan))
