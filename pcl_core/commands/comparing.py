"""From a folder of volumes to features of all their slices, by which volumes are compared."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from pcl_core.cancellation import Cancellation
from pcl_core.commands.planning import report_unreadable
from pcl_core.errors import InputError
from pcl_core.events import Reporter
from pcl_core.fingerprinting import take_fingerprint
from pcl_core.inference.embedding import EncoderFeatures
from pcl_core.plan import SlicePlan
from pcl_core.presets import make_plan, rounded
from pcl_core.slices.bank import BankedVolume, BankItem
from pcl_core.slices.banking import build_bank
from pcl_core.slices.features import PlainFeatures, SliceFeatures
from pcl_core.slices.placing import feature_parts
from pcl_core.training.devices import device_facts
from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.volume import VolumeSource

# Plain features look at 16 x 16 pixels; a small bank is made in no time.
_PLAIN_SIZE = 64


@dataclass(frozen=True, eq=False)
class Compared:
    """Volumes and the features of their slices.

    Attributes:
        sources: all that were found.
        volumes: those that could be used.
        parts: for each of them (slices, K) features, in stored order along the slice axis.
    """

    sources: tuple[VolumeSource, ...]
    volumes: tuple[BankedVolume, ...]
    parts: list[np.ndarray]


def compare(args: argparse.Namespace, device: torch.device, reporter: Reporter, cancellation: Cancellation) -> Compared:
    """Prepares the slices of --input in a folder that is then removed, and takes plain features or those of --encoder.

    Raises:
        InputError: there are fewer than two volumes, or the encoder's file is none.
        CancelledError: somebody asked to stop.
        OutOfMemoryError: with a hint.
    """
    found = find_volumes(args.input, args.layout)
    report_unreadable(found.unreadable, args.strict, reporter)
    if len(found.sources) < 2:
        raise InputError(f"There is one volume in {args.input}, and nothing to compare it with.", "Give a folder of volumes.")
    features: SliceFeatures
    if args.encoder is None:
        features, plan = PlainFeatures(), _plain_plan(args, found.sources, found.layout, device)
    else:
        loaded = EncoderFeatures.load(args.encoder, device)
        features, plan = loaded, loaded.about.plan.slices
    with tempfile.TemporaryDirectory(prefix="pclseg-") as name:
        items = [BankItem(source) for source in found.sources]
        bank = build_bank(Path(name) / "bank", items, plan, reporter, cancellation, args.strict)
        compared = Compared(found.sources, bank.volumes, feature_parts(bank, features))
        del bank  # a mapped file cannot be removed everywhere
    return compared


def _plain_plan(args: argparse.Namespace, sources: Sequence[VolumeSource], layout: str, device: torch.device) -> SlicePlan:
    fingerprint = take_fingerprint(sources, args.axis)
    plan = make_plan("recommended", fingerprint, device_facts(device), args.axis, layout)
    # Also finer than native: the slices are to fill the square, or most of the few pixels would be padding.
    return replace(plan.slices, size=_PLAIN_SIZE, resolution_mm=rounded(fingerprint.extent_mm / _PLAIN_SIZE))
