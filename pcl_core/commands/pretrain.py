"""``pretrain INPUT --out DIR``: an encoder from unlabeled volumes."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass, replace

import torch

from pcl_core.cancellation import Cancellation
from pcl_core.commands.estimating import estimate
from pcl_core.commands.planning import (
    flipped_ids,
    fresh_plan,
    not_excluded,
    output_folder,
    overridden,
    report_unreadable,
    start,
)
from pcl_core.errors import InputError
from pcl_core.events import Reporter
from pcl_core.files import require_writable_folder
from pcl_core.plan import Plan
from pcl_core.presets import suited_to
from pcl_core.pretext.contrastive import COLLAPSED
from pcl_core.processes import World
from pcl_core.slices.bank import BankItem, open_bank
from pcl_core.slices.banking import build_bank
from pcl_core.training.context import Context
from pcl_core.training.devices import device_name
from pcl_core.training.pretraining import ENCODER_FILE, pretrain
from pcl_core.training.state import STATE_FOLDER
from pcl_core.training.suiting import suited_to_machine
from pcl_core.training.team import Team, team_on
from pcl_core.volumes.frames import each_once
from pcl_core.volumes.gaps import listed
from pcl_core.volumes.geometry import canonical_view
from pcl_core.volumes.scan import ScanReport, scan

BANK_FOLDER = "bank"


def run(args: argparse.Namespace, reporter: Reporter, cancellation: Cancellation) -> None:
    """Writes encoder.safetensors, metrics.csv, plan.json and state/ into the output folder."""
    device = start(args, reporter)
    world = World.of_environment()
    if args.estimate and world.count > 1:
        raise InputError("--estimate runs in one process.", "Call it without torchrun.")
    with team_on(device, world) as team:
        text = team.first_does(lambda: _prepare(args, device, team, reporter, cancellation))
        if not args.estimate:
            _train(args, _Prepared.from_text(text), device, team, reporter, cancellation)


@dataclass(frozen=True)
class _Prepared:
    """What the first process tells the others.

    Attributes:
        plan: of the training.
        unreadable: files that are no volumes.
        flipped: ids of the volumes whose slices are counted from the other end.
    """

    plan: Plan
    unreadable: int = 0
    flipped: tuple[str, ...] = ()

    def to_text(self) -> str:
        return json.dumps({"plan": self.plan.to_json(), "unreadable": self.unreadable, "flipped": self.flipped})

    @classmethod
    def from_text(cls, text: str) -> _Prepared:
        data = json.loads(text)
        return cls(Plan.from_json(data["plan"]), data["unreadable"], tuple(data["flipped"]))


def _prepare(args: argparse.Namespace, device: torch.device, team: Team, reporter: Reporter, cancellation: Cancellation) -> str:
    """Finds the volumes, decides the plan and makes the slice bank, or tells an estimate."""
    require_writable_folder(args.out)
    found = scan(args.input, args.layout, args.axis or "auto", reporter)
    report_unreadable(found.unreadable, args.strict, reporter)
    _require_some(found)
    flipped = flipped_ids(args, found.sources, args.input)  # before others are left out: a list may name both
    found = _each_once(_without_excluded(args, found))
    _report_doubts(found, reporter)
    plan = _plan(args, found, device, team.world.count)
    reporter.plan(plan.to_json())
    if args.estimate:
        reporter.done(**asdict(estimate(found.sources, plan, device, reporter, cancellation)), device=device_name(device))
        return _Prepared(plan).to_text()
    out = output_folder(args, ENCODER_FILE, reporter)
    items = [BankItem(source) for source in found.sources]
    bank = build_bank(out / STATE_FOLDER / BANK_FOLDER, items, plan.slices, reporter, cancellation, args.strict)
    turned = tuple(sorted(flipped & {volume.id for volume in bank.volumes}))
    return _Prepared(plan, len(found.unreadable), turned).to_text()


def _train(
    args: argparse.Namespace,
    prepared: _Prepared,
    device: torch.device,
    team: Team,
    reporter: Reporter,
    cancellation: Cancellation,
) -> None:
    folder = args.out / STATE_FOLDER / BANK_FOLDER
    bank = open_bank(folder)
    if bank is None:
        raise InputError(f"The slice bank {folder} cannot be read.", "Choose an --out that all machines of the run share.")
    bank = replace(bank, flipped=frozenset(prepared.flipped))
    context = Context(device, args.seed, reporter, team.agreed(cancellation), team.first)
    with team.training():
        result = pretrain(bank, prepared.plan, args.out, context, args.resume)
    reporter.artifact("encoder", result.encoder)
    reporter.done(
        encoder=str(result.encoder),
        volumes=len(bank.volumes),
        flipped=sorted(bank.flipped),
        skipped=len(bank.skipped) + prepared.unreadable,
        slices=len(bank.rows),
        steps=result.steps,
        loss=result.loss,
        collapse=result.collapse,
        collapsed=result.collapse > COLLAPSED,
    )


def _plan(args: argparse.Namespace, found: ScanReport, device: torch.device, processes: int) -> Plan:
    """The plan of the preset or of a file, as the method needs it, with the options that were given."""
    plan = fresh_plan(args, found.sources, found.layout, device, found.ranges)
    if args.method is not None:
        plan = suited_to(plan, args.method)
    soft = args.threshold == "soft"
    plan = overridden(plan, args, "pretrain").override(
        pretrain__method=args.method,
        pretrain__threshold=None if soft else args.threshold,
        pretrain__weighting="soft" if soft else args.weighting,
        pretrain__position=args.position,
        pretrain__temperature=args.temperature,
    )
    if args.plan is not None:
        return plan
    slices = sum(canonical_view(source.geometry, plan.slices.axis).shape[0] for source in found.sources)
    return suited_to_machine(plan, device, slices, processes)


def _without_excluded(args: argparse.Namespace, found: ScanReport) -> ScanReport:
    """The report without the volumes that --exclude and --exclude-from name."""
    kept = set(not_excluded(args, found.sources, args.input))
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
