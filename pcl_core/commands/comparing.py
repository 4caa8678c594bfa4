"""From a folder of volumes to features of all their slices, by which volumes are compared."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from pcl_core.cancellation import Cancellation
from pcl_core.commands.planning import flipped_ids, not_excluded, report_unreadable
from pcl_core.errors import InputError
from pcl_core.events import Reporter
from pcl_core.fingerprinting import take_fingerprint
from pcl_core.inference.embedding import EncoderFeatures
from pcl_core.plan import SlicePlan
from pcl_core.presets import make_plan, rounded
from pcl_core.slices.atlas import Placement
from pcl_core.slices.bank import BankedVolume, BankItem, SliceBank
from pcl_core.slices.banking import build_bank
from pcl_core.slices.features import PlainFeatures, SliceFeatures
from pcl_core.slices.placing import align_turned, feature_parts
from pcl_core.training.devices import device_facts
from pcl_core.volumes.axes import Axis
from pcl_core.volumes.data_sets import slice_axis
from pcl_core.volumes.discovery import find_in_all
from pcl_core.volumes.geometry import canonical_view
from pcl_core.volumes.volume import VolumeSource

# Plain features look at 16 x 16 pixels; a small bank is made in no time.
_PLAIN_SIZE = 64


@dataclass(frozen=True, eq=False)
class Compared:
    """Volumes and the features of their slices.

    Attributes:
        sources: all that were found and not excluded.
        volumes: those that could be used.
        left_out: path and reason of each that could not.
        part_of: of a volume that shares its path with others (frames, series of a folder) which of them it is, from 0; by id.
        parts: for each of them (slices, K) features, in stored order along the slice axis.
        axis: across which the slices lie, as it was asked for.
        flipped: ids of the volumes that are said to run the other way.
    """

    sources: tuple[VolumeSource, ...]
    volumes: tuple[BankedVolume, ...]
    left_out: tuple[tuple[str, str], ...]
    part_of: Mapping[str, int]
    parts: list[np.ndarray]
    axis: Axis
    flipped: frozenset[str]

    @property
    def turned(self) -> list[bool]:
        """Of each volume, whether its slices are said to run the other way."""
        return [volume.id in self.flipped for volume in self.volumes]

    def placements(self) -> list[Placement]:
        """Where the volumes lie in a common frame."""
        return align_turned(self.parts, self.turned)


def compare(
    args: argparse.Namespace,
    device: torch.device,
    reporter: Reporter,
    cancellation: Cancellation,
    also: Callable[[SliceBank], None] = lambda _bank: None,
) -> Compared:
    """Prepares the slices of the inputs in a folder that is then removed, and takes plain features or those of --encoder.

    Args:
        args: of the command.
        device: that an encoder runs on.
        reporter: is told how far this is.
        cancellation: is looked at between volumes.
        also: is called with the bank of slices while it is there.

    Raises:
        InputError: there are fewer than two volumes, or the encoder's file is none.
        CancelledError: somebody asked to stop.
        OutOfMemoryError: with a hint.
    """
    found = find_in_all(args.inputs, args.layout)
    report_unreadable(found.unreadable, args.strict, reporter)
    where = args.inputs[0]
    flipped = flipped_ids(args, found.sources, where) if "flip" in args else frozenset()  # a list may name excluded ones too
    sources = not_excluded(args, found.sources, where) if "exclude" in args else found.sources
    if len(sources) < 2:
        raise InputError(f"There is one volume in {where}, and nothing to compare it with.", "Give a folder of volumes.")
    features: SliceFeatures
    if args.encoder is None:
        features, plan = PlainFeatures(), _plain_plan(args, sources, found.layout, device)
    else:
        loaded = EncoderFeatures.load(args.encoder, device)
        features, plan = loaded, loaded.about.plan.slices
        _warn_of_axis(args, plan.axis, sources, reporter)
    with tempfile.TemporaryDirectory(prefix="pclseg-") as name:
        items = [BankItem(source) for source in sources]
        bank = build_bank(Path(name) / "bank", items, plan, reporter, cancellation, args.strict)
        left_out = (*((str(one.path), one.reason) for one in found.unreadable), *bank.skipped)
        parts = feature_parts(bank, features)
        compared = Compared(sources, bank.volumes, left_out, _parts_of(found.sources), parts, plan.axis, flipped)
        also(bank)
        del bank  # a mapped file cannot be removed everywhere
    return compared


def _warn_of_axis(args: argparse.Namespace, axis: Axis, sources: Sequence[VolumeSource], reporter: Reporter) -> None:
    """Says that an encoder takes slices across another axis than the one asked for."""
    if args.axis == "auto":
        return
    if any(canonical_view(one.geometry, axis).normal != canonical_view(one.geometry, args.axis).normal for one in sources):
        words = f"The slices are not {args.axis}: {args.encoder} was trained on those of the axis {axis}, and compares such."
        reporter.warning(words, args.encoder)


def _parts_of(sources: Sequence[VolumeSource]) -> dict[str, int]:
    """Which of the volumes of its path each is; those that are alone are not in it."""
    paths: dict[Path, list[str]] = {}
    for source in sources:
        paths.setdefault(source.path, []).append(source.id)
    return {name: number for names in paths.values() if len(names) > 1 for number, name in enumerate(names)}


def _plain_plan(args: argparse.Namespace, sources: Sequence[VolumeSource], layout: str, device: torch.device) -> SlicePlan:
    axis = slice_axis(args.axis, layout)  # as scan and pretrain go by
    fingerprint = take_fingerprint(sources, axis)
    plan = make_plan("recommended", fingerprint, device_facts(device), axis, layout)
    # Also finer than native: the slices are to fill the square, or most of the few pixels would be padding.
    return replace(plan.slices, size=_PLAIN_SIZE, resolution_mm=rounded(fingerprint.extent_mm / _PLAIN_SIZE))
