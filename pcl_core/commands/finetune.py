"""``finetune IMAGES LABELS --out DIR``: a U-Net from a few annotated cases."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from pcl_core.cancellation import Cancellation
from pcl_core.commands.annotating import annotations_of
from pcl_core.commands.planning import fresh_plan, output_folder, overridden, report_unreadable, start
from pcl_core.commands.pretrain import BANK_FOLDER
from pcl_core.errors import InputError
from pcl_core.evaluation.metrics import case_metrics
from pcl_core.events import Reporter, plain
from pcl_core.files import require_writable_folder, write_text
from pcl_core.inference.predicting import Predictor
from pcl_core.plan import Plan
from pcl_core.slices.bank import BankItem
from pcl_core.slices.banking import build_bank
from pcl_core.training.context import Context
from pcl_core.training.finetuning import MODEL_FILE, Annotations, finetune
from pcl_core.training.state import STATE_FOLDER
from pcl_core.training.weights import load_weights
from pcl_core.volumes.cases import Case, find_cases
from pcl_core.volumes.reading import read_labels, read_volume
from pcl_core.volumes.volume import VolumeSource

VALIDATION_FILE = "validation.json"


def run(args: argparse.Namespace, reporter: Reporter, cancellation: Cancellation) -> None:
    """Writes model.safetensors, metrics.csv, plan.json, validation.json and state/ into the output folder."""
    device = start(args, reporter)
    require_writable_folder(args.out)
    found = find_cases(args.images, args.labels, args.layout)
    report_unreadable(found.unreadable, args.strict, reporter)
    if found.unmatched_labels:
        reporter.warning(f"{_listed(found.unmatched_labels)} in {args.labels} match no image and are left out.", args.labels)
    cases = _chosen(found.cases, args.cases)
    out = output_folder(args, MODEL_FILE, reporter)
    plan = _plan(args, cases, found.layout, device)
    reporter.plan(plan.to_json())
    items = [BankItem(case.source, case.labels) for case in cases]
    bank = build_bank(out / STATE_FOLDER / BANK_FOLDER, items, plan.slices, reporter, cancellation, args.strict)
    annotations = annotations_of(args, cases, bank, reporter)
    context = Context(device, args.seed, reporter, cancellation)
    result = finetune(annotations, plan, out, context, args.encoder, args.resume)
    reporter.artifact("model", result.model)
    held_out = _validate(result.model, annotations, cases, device)
    write_text(out / VALIDATION_FILE, json.dumps(plain(held_out), indent=2) + "\n")
    reporter.artifact("validation", out / VALIDATION_FILE)
    reporter.done(
        model=str(result.model),
        trained_on=[volume.id for volume in annotations.split.train],
        held_out=held_out["held_out"],
        tensors_transferred=result.transferred,
        steps=result.steps,
        loss=result.loss,
    )


def _listed(sources: Sequence[VolumeSource]) -> str:
    names = ", ".join(source.path.name for source in sources[:3])
    return f"{len(sources)} label file{'s' * (len(sources) > 1)} ({names}{', ...' if len(sources) > 3 else ''})"


def _chosen(cases: Sequence[Case], wanted: Sequence[str] | None) -> list[Case]:
    """The cases that are called, by their own or their patient's name."""
    if wanted is None:
        return list(cases)
    known = {case.id for case in cases} | {case.source.patient for case in cases}
    missing = [name for name in wanted if name not in known]
    if missing:
        some = ", ".join(sorted(case.id for case in cases)[:6])
        raise InputError(f"There is no annotated case '{missing[0]}'.", f"Among the annotated cases are: {some}.")
    return [case for case in cases if case.id in wanted or case.source.patient in wanted]


def _plan(args: argparse.Namespace, cases: Sequence[Case], layout: str, device: torch.device) -> Plan:
    """The encoder's own plan, so that slices and network fit it, or a new one."""
    if args.encoder is None:
        return overridden(fresh_plan(args, [case.source for case in cases], layout, device), args, "finetune")
    _, about = load_weights(args.encoder, "encoder")
    plan = about.plan
    if args.plan is not None or args.preset is not None:
        asked = fresh_plan(args, [case.source for case in cases], layout, device)
        plan = replace(plan, preset=asked.preset, finetune=asked.finetune)
    return overridden(plan, args, "finetune")


def _validate(model: Path, annotations: Annotations, cases: Sequence[Case], device: torch.device) -> dict[str, Any]:
    """Figures of the held-out case on its own grid. It chose nothing: the last weights are kept whatever it says."""
    held_out = {volume.id for volume in annotations.split.held_out}
    if not held_out:
        return {"held_out": {}, "note": "All cases were trained on; three or more are needed to hold one out."}
    predictor = Predictor.load(model, device)
    values = [entry.value for entry in annotations.classes]
    report: dict[str, Any] = {}
    for case in cases:
        if case.id in held_out:
            volume = read_volume(case.source)
            truth = read_labels(case.labels, case.source.geometry)
            spacing = volume.geometry.spacing[::-1]
            metrics = case_metrics(predictor.predict(volume).labels, truth, spacing, values)
            report[case.id] = {
                entry.name: {"dice": metrics[entry.value].dice, "hd95_mm": metrics[entry.value].hd95_mm}
                for entry in annotations.classes
            }
    return {"held_out": report, "note": "Held out from training; no weights were chosen by it."}
