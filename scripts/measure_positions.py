"""How well positions are put right on volumes that were cut off and turned round at random: the figures of Docs/positions.md.

    python scripts/measure_positions.py VOLUMES --axis coronal --seeds 10 11 12 13 14 [--encoder encoder.safetensors]

Up to 40 % of the slices of every volume are cut off, divided at random between both ends, and a fifth of the volumes is turned
round. The truth is m / n of the whole volume, as far as that is true. An error is the mean distance from it, after the one
shift and scale of all volumes together that nobody can know.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch

from pcl_core.cancellation import Cancellation
from pcl_core.events import Reporter
from pcl_core.fingerprinting import take_fingerprint
from pcl_core.inference.embedding import EncoderFeatures
from pcl_core.plan import SlicePlan
from pcl_core.presets import rounded
from pcl_core.slices.atlas import align
from pcl_core.slices.bank import BankItem
from pcl_core.slices.banking import build_bank
from pcl_core.slices.features import PlainFeatures, principal
from pcl_core.volumes.axes import AXES
from pcl_core.volumes.discovery import find_volumes


def main() -> None:
    """Prints one row a seed, and the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("volumes", type=Path)
    parser.add_argument("--axis", choices=AXES, default="auto")
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[10, 11, 12, 13, 14])
    parser.add_argument("--no-flips", action="store_true", help="cut only")
    args = parser.parse_args()
    sources = find_volumes(args.volumes).sources
    if args.encoder is None:
        features, extent = PlainFeatures(), take_fingerprint(sources, args.axis).extent_mm
        plan = SlicePlan(args.axis, rounded(extent / 64), 64)
    else:
        features = EncoderFeatures.load(args.encoder, torch.device("cpu"))
        plan = features.about.plan.slices
    with tempfile.TemporaryDirectory() as folder:
        items = [BankItem(source) for source in sources]
        bank = build_bank(Path(folder) / "bank", items, plan, Reporter(), Cancellation())
        known = features(bank.images)
    rows = []
    for seed in args.seeds:
        parts, truth, flipped = _spoiled(bank.volumes, np.random.default_rng(seed), not args.no_flips)
        placements = align(np.split(principal(known[np.concatenate(parts)]), np.cumsum([len(part) for part in parts])[:-1]))
        relative = [(np.arange(len(part)) + 0.5) / len(part) for part in parts]
        aligned = [one.positions(len(part)) for one, part in zip(placements, parts, strict=True)]
        right = float(np.mean([one.flipped == turned for one, turned in zip(placements, flipped, strict=True)]))
        rows.append((_error(relative, truth), _error(aligned, truth), right))
        _say(f"seed {seed}: m/n {rows[-1][0]:.4f}, aligned {rows[-1][1]:.4f}, direction right in {right:.1%}")
    means = np.mean(rows, axis=0)
    _say(f"mean of {len(rows)}: m/n {means[0]:.4f}, aligned {means[1]:.4f}, direction right in {means[2]:.1%}")


def _spoiled(volumes, rng: np.random.Generator, flips: bool):
    parts, truth, flipped = [], [], []
    for volume in volumes:
        lost = rng.uniform(0, 0.4) * volume.count
        before = round(lost * rng.uniform())
        numbers = np.arange(before, volume.count - (round(lost) - before))
        turned = bool(flips and rng.uniform() < 0.2)
        numbers = numbers[::-1] if turned else numbers
        parts.append(volume.start + numbers)
        truth.append((numbers + 0.5) / volume.count)
        flipped.append(turned)
    return parts, truth, flipped


def _error(found: list[np.ndarray], truth: list[np.ndarray]) -> float:
    ours, theirs = np.concatenate(found), np.concatenate(truth)
    return float(np.abs(np.polyval(np.polyfit(ours, theirs, 1), ours) - theirs).mean())


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 (a script)


if __name__ == "__main__":
    main()
