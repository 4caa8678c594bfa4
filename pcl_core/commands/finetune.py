"""``finetune IMAGES LABELS --out DIR``: a U-Net from a few annotated cases."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import torch

from pcl_core.cancellation import Cancellation
from pcl_core.commands.annotating import annotations_of
from pcl_core.commands.estimating import estimate_finetuning
from pcl_core.commands.held_out import by_name, judge_held_out, learned_sentence, write_validation
from pcl_core.commands.leave_one_out import FOLDER, leave_one_out, require_several
from pcl_core.commands.patients import with_patients
from pcl_core.commands.planning import fresh_plan, output_folder, overridden, report_unreadable, start, warn_of_shrinking
from pcl_core.commands.pretrain import BANK_FOLDER
from pcl_core.errors import InputError
from pcl_core.events import Reporter
from pcl_core.files import require_writable_folder
from pcl_core.inference.predicting import Predictor
from pcl_core.plan import Plan
from pcl_core.slices.bank import BankItem
from pcl_core.slices.banking import build_bank
from pcl_core.training.context import Context
from pcl_core.training.devices import device_name
from pcl_core.training.finetuning import MODEL_FILE, finetune
from pcl_core.training.starting import Start
from pcl_core.training.state import STATE_FOLDER
from pcl_core.volumes.cases import Case, find_cases
from pcl_core.volumes.data_sets import slice_axis
from pcl_core.volumes.formats import NotReadableError
from pcl_core.volumes.gaps import listed
from pcl_core.volumes.sampling import sample
from pcl_core.volumes.volume import VolumeSource

VALIDATION_FILE = "validation.json"


def run(args: argparse.Namespace, reporter: Reporter, cancellation: Cancellation) -> None:
    """Writes model.safetensors, metrics.csv, plan.json, validation.json and state/ into the output folder."""
    device = start(args, reporter)
    require_writable_folder(args.out)
    found = find_cases(args.images, args.labels, args.layout)
    report_unreadable(found.unreadable, args.strict, reporter)
    if found.stray_labels:
        reporter.warning(f"{_listed(found.stray_labels)} in {args.labels} match no image and are left out.", args.labels)
    if missing := listed(found.gaps):
        reporter.warning(missing, args.labels)
    cases = _chosen(with_patients(found.cases, args.patients), args.cases)
    plan = _plan(args, cases, found.layout, device)
    reporter.plan(plan.to_json())
    warn_of_shrinking([case.source for case in cases], plan.slices, reporter)
    if args.estimate:
        _tell_estimate(args, cases, plan, Context(device, args.seed, reporter, cancellation))
        return
    out = output_folder(args, MODEL_FILE, reporter)
    items = [BankItem(case.source, case.labels) for case in cases]
    bank = build_bank(out / STATE_FOLDER / BANK_FOLDER, items, plan.slices, reporter, cancellation, args.strict)
    annotations = annotations_of(args, cases, bank, reporter)
    if args.leave_one_out:
        require_several(annotations)
    learned = annotations.learned.ids
    if learned:
        reporter.warning(learned_sentence(learned), args.model)
    context = Context(device, args.seed, reporter, cancellation)
    begin = _begin(args)
    result = finetune(annotations, plan, out, context, begin, args.resume)
    reporter.artifact("model", result.model)
    held_out = judge_held_out(Predictor.load(result.model, device), annotations, cases)
    one_out = leave_one_out(annotations, plan, out, context, begin, cases) if args.leave_one_out else None
    write_validation(out / VALIDATION_FILE, held_out, one_out, learned)
    shutil.rmtree(out / FOLDER, ignore_errors=True)
    reporter.artifact("validation", out / VALIDATION_FILE)
    if held_out.cases:
        known = " (learned from earlier)" if learned & held_out.cases.keys() else ""
        reporter.table(f"Held out from training: {', '.join(held_out.cases)}{known}", *held_out.table())
    if one_out is not None:
        reporter.table("Each patient left out in turn", *one_out.table())
    reporter.done(
        model=str(result.model),
        trained_on=[volume.id for volume in annotations.split.train],
        held_out=by_name(held_out),
        leave_one_out={} if one_out is None else by_name(one_out),
        learned_before=sorted(learned),
        tensors_transferred=result.transferred,
        steps=result.steps,
        loss=result.loss,
    )


def _tell_estimate(args: argparse.Namespace, cases: Sequence[Case], plan: Plan, context: Context) -> None:
    """Times some steps, tells what the training will take, and leaves nothing behind."""
    with tempfile.TemporaryDirectory(prefix="pclseg-") as name:
        items = [BankItem(case.source, case.labels) for case in cases]
        bank = build_bank(Path(name) / BANK_FOLDER, items, plan.slices, context.reporter, context.cancellation, args.strict)
        annotations = annotations_of(args, cases, bank, context.reporter)
        taken = estimate_finetuning(annotations, plan, context.device, _begin(args), context.reporter, context.cancellation)
        del bank, annotations  # a mapped file cannot be removed everywhere
    context.reporter.done(**asdict(taken), device=device_name(context.device))


def _begin(args: argparse.Namespace) -> Start | None:
    """The weights that the options say to begin with."""
    if args.model is not None:
        return Start.model(args.model)
    return None if args.encoder is None else Start.encoder(args.encoder)


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
    """The plan of the weights to begin with, so that slices and network fit them, or a new one."""
    begin = _begin(args)
    if begin is None:
        sources = [case.source for case in cases]
        return overridden(fresh_plan(args, sources, layout, device, _ranges(sources)), args, "finetune")
    about = begin.about()
    plan = about.plan.override(slices__axis=slice_axis(about.plan.slices.axis, layout))
    if args.plan is not None or args.preset is not None:
        asked = fresh_plan(args, [case.source for case in cases], layout, device)
        plan = replace(plan, preset=asked.preset, finetune=asked.finetune)
    return overridden(plan, args, "finetune")


def _ranges(sources: Sequence[VolumeSource]) -> list[tuple[float, float]]:
    """Sampled intensities of the volumes; one that cannot be read is met again when it is prepared, and told then."""
    found = []
    for source in sources:
        with suppress(NotReadableError):
            seen = sample(source)
            if seen is not None and seen.low <= seen.high:
                found.append((seen.low, seen.high))
    return found
