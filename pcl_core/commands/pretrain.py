"""``pretrain INPUT --out DIR``: an encoder from unlabeled volumes."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace

import torch

from pcl_core.cancellation import Cancellation
from pcl_core.commands.estimating import estimate
from pcl_core.commands.planning import fresh_plan, output_folder, overridden, report_unreadable, start
from pcl_core.errors import InputError
from pcl_core.events import Reporter
from pcl_core.files import require_writable_folder
from pcl_core.memory_model import fitted_to_memory
from pcl_core.plan import Plan
from pcl_core.presets import suited_to
from pcl_core.slices.bank import BankItem
from pcl_core.slices.banking import build_bank
from pcl_core.training.context import Context
from pcl_core.training.devices import device_facts, device_name
from pcl_core.training.pretraining import ENCODER_FILE, pretrain
from pcl_core.training.state import STATE_FOLDER
from pcl_core.volumes.frames import each_once
from pcl_core.volumes.gaps import listed
from pcl_core.volumes.scan import ScanReport, scan
from pcl_core.volumes.selecting import names_in, without

BANK_FOLDER = "bank"


def run(args: argparse.Namespace, reporter: Reporter, cancellation: Cancellation) -> None:
    """Writes encoder.safetensors, metrics.csv, plan.json and state/ into the output folder."""
    device = start(args, reporter)
    require_writable_folder(args.out)
    found = scan(args.input, args.layout, args.axis or "auto", reporter)
    report_unreadable(found.unreadable, args.strict, reporter)
    _require_some(found)
    found = _each_once(_without_excluded(args, found))
    _report_doubts(found, reporter)
    plan = _plan(args, found, device)
    reporter.plan(plan.to_json())
    if args.estimate:
        reporter.done(**asdict(estimate(found.sources, plan, device, reporter, cancellation)), device=device_name(device))
        return
    out = output_folder(args, ENCODER_FILE, reporter)
    items = [BankItem(source) for source in found.sources]
    bank = build_bank(out / STATE_FOLDER / BANK_FOLDER, items, plan.slices, reporter, cancellation, args.strict)
    result = pretrain(bank, plan, out, Context(device, args.seed, reporter, cancellation), args.resume)
    reporter.artifact("encoder", result.encoder)
    reporter.done(
        encoder=str(result.encoder),
        volumes=len(bank.volumes),
        skipped=len(bank.skipped) + len(found.unreadable),
        slices=len(bank.rows),
        steps=result.steps,
        loss=result.loss,
        collapse=result.collapse,
    )


def _plan(args: argparse.Namespace, found: ScanReport, device: torch.device) -> Plan:
    """The plan of the preset or of a file, as the method needs it, with the options that were given."""
    plan = fresh_plan(args, found.sources, found.layout, device, found.ranges)
    if args.method is not None:
        plan = suited_to(plan, args.method)
    soft = args.threshold == "soft"
    plan = overridden(plan, args, "pretrain").override(
        pretrain__method=args.method,
        pretrain__threshold=None if soft else args.threshold,
        pretrain__weighting="soft" if soft else None,
        pretrain__position=args.position,
        pretrain__temperature=args.temperature,
    )
    return plan if args.plan is not None else fitted_to_memory(plan, device_facts(device))


def _without_excluded(args: argparse.Namespace, found: ScanReport) -> ScanReport:
    """The report without the volumes that --exclude and --exclude-from name."""
    names = [*args.exclude, *(names_in(args.exclude_from) if args.exclude_from else ())]
    kept = set(without(found.sources, names, args.input))
    return replace(found, volumes=tuple(row for row in found.volumes if row.source in kept))


def _each_once(found: ScanReport) -> ScanReport:
    """The report without copies of frames."""
    once = set(each_once(found.sources, found.layout))
    return replace(found, volumes=tuple(row for row in found.volumes if row.source in once))


def _require_some(found: ScanReport) -> None:
    """Raises InputError when no volume can be used."""
    if found.sources:
        return
    if not found.unreadable:
        raise InputError(f"There are only label files in {found.inputs}.", "Give the folder of the images.")
    first = found.unreadable[0]
    raise InputError(f"No volume in {found.inputs} can be used; {first.path}: {first.reason}.", "Copy or export it again.")


def _report_doubts(found: ScanReport, reporter: Reporter) -> None:
    for path, message in found.warnings:
        reporter.warning(message, path)
    if missing := listed(found.missing_images):
        reporter.warning(missing, found.inputs)
    doubtful = sum(bool(row.warnings) for row in found.volumes)
    if doubtful:
        reporter.warning(f"{doubtful} of {len(found.volumes)} volumes look doubtful; the command scan says why.", found.inputs)
