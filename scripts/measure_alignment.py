"""Dice after pretraining by m/n and by learned positions on volumes that were cut off and turned round: Docs/positions.md.

    python scripts/measure_alignment.py IMAGES LABELS --axis coronal --out DIR

For each seed, up to 40 % of the slices of every volume are cut off, divided at random between both ends, and a fifth of the
volumes is stored the other way round, images and labels alike; some patients are kept for testing and spoiled, too. Encoders
are pretrained on the others' images, once by each rule of positions, with the same plan and seed; networks are then fine-tuned
on the same few annotated cases and label the test patients. Cells that are done are not done again.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

import numpy as np
from calling import call, dice_of, say, write_rows

from pcl_core.volumes.axes import AXES
from pcl_core.volumes.cases import Case, find_cases
from pcl_core.volumes.geometry import canonical_view
from pcl_core.volumes.reading import read_labels, read_volume
from pcl_core.volumes.writing import write_volume

RULES = ("none", "relative", "learned")


def main() -> None:
    """Runs what is missing and writes results.csv and table.md."""
    args = _arguments()
    cases = {case.id: case for case in find_cases(args.images, args.labels, args.layout).cases}
    names = sorted(cases)
    random.Random(0).shuffle(names)
    rows: list[dict[str, object]] = []
    for seed in range(args.seeds):
        folder = args.out / f"seed{seed}"
        _spoil_all(
            {name: cases[name] for name in names}, folder, args.axis, np.random.default_rng(seed), set(names[: args.test])
        )
        chosen = random.Random(seed + 1).sample(names[args.test :], max(args.labelled))
        for rule in RULES:
            begin = _begin(folder, rule, args, seed)
            for count in args.labelled:
                where = [folder / "pool" / "images", folder / "pool" / "labels", "--axis", args.axis]
                what = ["--cases", *chosen[:count], *begin, "--steps", args.steps, "--seed", seed, "--classes", *args.classes]
                dice = dice_of(folder / f"{rule}_{count}", folder / "test", [*where, *what])
                rows.append({"positions": rule, "seed": seed, "labelled": count, "dice": round(dice, 4)})
                say(f"seed {seed}, {rule}, {count} labelled: {dice:.4f}")
                write_rows(args.out / "results.csv", rows)
    _write_table(args, rows)


def _begin(folder: Path, rule: str, args: argparse.Namespace, seed: int) -> Sequence[object]:
    """The words of ``finetune`` for the weights to begin with; pretrains them when they are missing."""
    plan = ["--size", args.size, "--resolution", args.resolution]
    if rule == "none":
        return plan
    encoder = folder / f"encoder_{rule}" / "encoder.safetensors"
    if not encoder.exists():
        words = [folder / "pool" / "images", "--out", encoder.parent, "--position", rule, "--axis", args.axis, "--resume"]
        call("pretrain", *words, *plan, "--steps", args.pretrain_steps, "--seed", seed)
    return ["--encoder", encoder]


def _spoil_all(cases: dict[str, Case], folder: Path, axis: str, rng: np.random.Generator, test: set[str]) -> None:
    for name, case in cases.items():
        into = folder / ("test" if name in test else "pool")
        lost, before, turned = rng.uniform(0, 0.4), rng.uniform(), rng.uniform() < 0.2
        if not (into / "labels" / f"{name}.nrrd").exists():
            _spoil(case, into, name, (lost, before, turned), axis)


def _spoil(case: Case, into: Path, name: str, how: tuple[float, float, bool], axis: str) -> None:
    """Writes image and labels without some slices; turned, they run against what the file says of its grid."""
    lost, before, turned = how
    view = canonical_view(case.source.geometry, axis)
    count = view.shape[0]
    first = round(round(lost * count) * before)
    kept = slice(first, count - (round(lost * count) - first))
    stored = view.order[0]  # of (z, y, x)
    size = list(case.source.geometry.size)
    size[2 - stored] = kept.stop - kept.start
    geometry = type(case.source.geometry)((size[0], size[1], size[2]), *_rest(case))
    for kind, voxels in (("images", read_volume(case.source).voxels), ("labels", read_labels(case.labels))):
        canonical = view.apply(voxels)[kept]
        part = canonical[::-1] if turned else canonical
        write_volume(into / kind / f"{name}.nrrd", np.ascontiguousarray(view.invert(part)), geometry)


def _rest(case: Case) -> tuple[tuple[float, ...], ...]:
    grid = case.source.geometry
    return grid.spacing, grid.origin, grid.direction


def _write_table(args: argparse.Namespace, rows: Sequence[dict[str, object]]) -> None:
    lines = ["| annotated | no encoder | m/n | learned | learned - m/n, a seed |", "| --- | --- | --- | --- | --- |"]
    for count in args.labelled:
        found = {rule: [row["dice"] for row in rows if (row["labelled"], row["positions"]) == (count, rule)] for rule in RULES}
        figures = [f"{mean(values):.3f}({stdev(values):.3f})" for values in found.values()]
        gains = ", ".join(f"{b - a:+.3f}" for a, b in zip(found["relative"], found["learned"], strict=True))
        lines.append(f"| {count} | " + " | ".join(figures) + f" | {gains} |")
    (args.out / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--layout", default="auto")
    parser.add_argument("--axis", choices=AXES, default="auto")
    parser.add_argument("--classes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--test", type=int, default=40, help="patients that are kept for testing")
    parser.add_argument("--labelled", type=int, nargs="+", default=[2, 4], help="annotated cases")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--resolution", type=float, default=1.0, help="mm a pixel")
    parser.add_argument("--pretrain-steps", type=int, default=800)
    parser.add_argument("--steps", type=int, default=600, help="of the fine-tuning")
    return parser.parse_args()


if __name__ == "__main__":
    main()
