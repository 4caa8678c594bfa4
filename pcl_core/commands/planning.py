"""From the options of a command to a plan and a device."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch

from pcl_core import __version__
from pcl_core.errors import InputError
from pcl_core.events import Reporter
from pcl_core.files import writable_folder
from pcl_core.fingerprinting import take_fingerprint
from pcl_core.plan import Fingerprint, Plan, SlicePlan, load_plan
from pcl_core.plan_limits import require_sensible
from pcl_core.presets import fit_size, make_plan, native_resolution, rounded
from pcl_core.processes import World
from pcl_core.slices.preparing import largest_side
from pcl_core.training.choosing import choose_device, unserved
from pcl_core.training.devices import device_facts, device_name, use_cores
from pcl_core.volumes.data_sets import slice_axis
from pcl_core.volumes.selecting import named, names_in, without
from pcl_core.volumes.volume import Unreadable, VolumeSource

# So much smaller in training than at prediction is within what the views' random scale makes up for.
_SHRUNK = 1.15
# Commands that several processes can do together.
_TOGETHER = ("pretrain",)


def start(args: argparse.Namespace, reporter: Reporter) -> torch.device:
    """Chooses the device and sends the first event; of several processes on a machine each takes its own GPU.

    Raises:
        InputError: there is no such device, it does not work, or torchrun started a command that runs in one process.
        OutOfMemoryError: other programs have all memory of the GPU.
    """
    world = World.of_environment()
    if world.count > 1 and args.command not in _TOGETHER:
        raise InputError(f"The command {args.command} runs in one process.", "Call it without torchrun.")
    number = world.local if world.count > 1 else None
    device = choose_device(args.device, number)
    if world.local > 0 and args.device == str(device) and device.type == "cuda":  # the first process took it
        raise InputError(f"Several processes cannot share {device}.", "Choose --device cuda: each takes a GPU of its own.")
    use_cores()
    reporter.started(args.command, __version__, device_name(device))
    if words := unserved(device, args.device, number):
        reporter.warning(words)
    return device


def report_unreadable(unreadable: Sequence[Unreadable], strict: bool, reporter: Reporter) -> None:
    """Warns of files that are left out, or raises InputError on the first when ``strict``."""
    for entry in unreadable:
        if strict:
            raise InputError(f"{entry.path}: {entry.reason}.", "Repair it, or leave out --strict to skip it.")
        reporter.warning(f"{entry.path}: {entry.reason}. It is left out.", entry.path)


def flipped_ids(args: argparse.Namespace, sources: Sequence[VolumeSource], folder: Path) -> frozenset[str]:
    """The ids of the volumes that --flip and --flip-from name. Raises InputError when a name means none."""
    names = [*args.flip, *(names_in(args.flip_from) if args.flip_from else ())]
    return named(sources, names, folder, "flip")


def not_excluded(args: argparse.Namespace, sources: Sequence[VolumeSource], folder: Path) -> tuple[VolumeSource, ...]:
    """The volumes without those that --exclude and --exclude-from name. Raises InputError when a name means none."""
    names = [*args.exclude, *(names_in(args.exclude_from) if args.exclude_from else ())]
    return tuple(without(sources, names, folder))


def output_folder(args: argparse.Namespace, result: str, reporter: Reporter) -> Path:
    """The folder --out, created; warns when it holds the result of an earlier run that is not to be resumed.

    Raises:
        InputError: it cannot be written.
    """
    out = writable_folder(args.out)
    if not args.resume and (out / result).exists():
        reporter.warning(f"{out / result} is of an earlier run and will be replaced.", out / result)
    return out


def fresh_plan(
    args: argparse.Namespace,
    sources: Sequence[VolumeSource],
    layout: str,
    device: torch.device,
    ranges: Sequence[tuple[float, float]] = (),
) -> Plan:
    """The plan from --plan, or from the volumes by --preset.

    A --size without --resolution makes the pixels so large that the slices fit; a --resolution without --size makes the
    square so large that they fit.

    Raises:
        InputError: the plan file cannot be used.
    """
    if args.plan is not None:
        return load_plan(args.plan)
    axis = slice_axis(args.axis or "auto", layout)
    fingerprint = take_fingerprint(sources, axis, ranges)
    plan = make_plan(args.preset or "recommended", fingerprint, device_facts(device), axis, layout)
    return with_fitting_grid(plan, fingerprint, args.size, args.resolution)


def with_fitting_grid(plan: Plan, fingerprint: Fingerprint, size: int | None, resolution_mm: float | None) -> Plan:
    """The plan with what follows from a size in pixels without a resolution in mm, or the other way round."""
    if size is not None and resolution_mm is None:
        needed = rounded(fingerprint.extent_mm / size)
        return plan.override(slices__resolution_mm=max(native_resolution(fingerprint), needed))
    if resolution_mm is not None and size is None:
        return plan.override(slices__size=fit_size(fingerprint.extent_mm, resolution_mm))
    return plan


def warn_of_shrinking(sources: Sequence[VolumeSource], plan: SlicePlan, reporter: Reporter) -> None:
    """Warns when slices are so large that fine-tuning sees them smaller than segmenting does.

    In a training all slices have one size, so that larger ones are shrunk to fit; at prediction nothing needs to be shrunk.
    """
    shrunk = {source: largest_side(source.geometry, plan) / plan.size for source in sources}
    most = max(shrunk.values(), default=1.0)
    if most <= _SHRUNK:
        return
    extent = plan.size * plan.resolution_mm
    count = sum(factor > _SHRUNK for factor in shrunk.values())
    reporter.warning(
        f"{count} of {len(sources)} volumes are wider than the {extent:.0f} mm of a training slice ({plan.size} pixels of "
        f"{plan.resolution_mm:g} mm). They are shrunk up to {most:.2f} times for the training, but segmented at full size, "
        "which may cost accuracy: choose a larger size or a coarser resolution."
    )


def overridden(plan: Plan, args: argparse.Namespace, section: str) -> Plan:
    """The plan with every option that was given; ``section`` (pretrain or finetune) takes those of the training."""
    plan = plan.override(
        slices__axis=args.axis,
        slices__resolution_mm=args.resolution,
        slices__size=args.size,
        network__filters=args.filters,
        **{f"{section}__batch": args.batch, f"{section}__learning_rate": args.learning_rate},
    )
    if args.steps is not None or args.epochs is not None:
        plan = _budget(plan, section, args.steps, args.epochs)
    require_sensible(plan, "The plan with your options")
    return plan


def _budget(plan: Plan, section: str, steps: int | None, epochs: int | None) -> Plan:
    part = dataclasses.replace(getattr(plan, section), steps=steps, epochs=epochs)
    reasons = {**plan.reasons, f"{section}.{'steps' if steps else 'epochs'}": "Set by the user."}
    return dataclasses.replace(plan, **{section: part, "reasons": reasons})
