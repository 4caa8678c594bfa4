"""Compares fine-tuning from a PCL encoder with fine-tuning from random weights, through the project's own commands.

Patients are divided once into a test set and a pool; the encoder is pretrained on the pool's images only. For each draw the
pool is shuffled, and its first M patients are the labelled cases, so that smaller sets lie inside larger ones and are the same
for both initialisations. The test patients are labelled once, at the end. Cells that are done are not done again, so the
script goes on after an interruption.

    python scripts/compare_initialisations.py IMAGES LABELS --out DIR --test 20 --labelled 1 2 4 --draws 3 [--options ...]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pcl_core.volumes.cases import Case, find_cases


def main() -> None:
    """Runs what is missing and writes results.csv and table.md."""
    args = _arguments()
    cases = find_cases(args.images, args.labels, args.layout).cases
    patients = sorted({case.source.patient for case in cases})
    random.Random(0).shuffle(patients)
    test, pool = set(patients[: args.test]), patients[args.test :]
    args.out.mkdir(parents=True, exist_ok=True)
    _link([case for case in cases if case.source.patient not in test], args.out / "pool")
    _link([case for case in cases if case.source.patient in test], args.out / "test")
    encoder = args.out / "pretrain" / "encoder.safetensors"
    _call("pretrain", args.out / "pool", "--out", encoder.parent, "--resume", *args.options)  # at once when it is done
    rows = [
        _cell(args, encoder, pool, draw, labelled, start)
        for draw in range(args.draws)
        for labelled in args.labelled
        for start in ("random", "pcl")
    ]
    _write(args.out, rows)


def _cell(args: argparse.Namespace, encoder: Path, pool: Sequence[str], draw: int, labelled: int, start: str) -> dict[str, str]:
    """One fine-tuning and its figures on the test patients."""
    order = list(pool)
    random.Random(draw + 1).shuffle(order)
    folder = args.out / f"draw{draw}_m{labelled}_{start}"
    figures = folder / "evaluation.json"
    if not figures.exists():
        begin = ["--encoder", encoder] if start == "pcl" else ["--plan", encoder.parent / "plan.json"]
        where = [args.images, args.labels, "--layout", args.layout, "--out", folder]
        steps = ["--steps", str(args.steps)] if args.steps else []
        _call(
            "finetune",
            *where,
            *begin,
            *steps,
            "--hold-out",
            "none",
            "--resume",
            "--seed",
            str(draw),
            "--cases",
            *order[:labelled],
        )
        _call("segment", folder / "model.safetensors", args.out / "test", "--out", folder / "labels", "--overwrite")
        _call("evaluate", folder / "labels", args.out / "test_truth", "--json", figures)
    found = json.loads(figures.read_text(encoding="utf-8"))
    mean = found["mean"]
    row = {"draw": str(draw), "labelled": str(labelled), "start": start, "cases": " ".join(sorted(order[:labelled]))}
    row["dice"] = f"{mean['all']['dice']:.4f}"
    row["pooled_dice"] = f"{found['pooled_dice']['all']:.4f}"
    row["hd95_mm"] = f"{mean['all']['hd95_mm']:.2f}"
    row |= {f"dice {found['classes'][label]}": f"{mean[label]['dice']:.4f}" for label in found["classes"]}
    print(row["draw"], row["labelled"], row["start"], row["dice"], flush=True)  # noqa: T201 (a script)
    return row


def _link(cases: Sequence[Case], folder: Path) -> None:
    """Folders of links to images and to labels, so that the commands see these patients only."""
    truth = folder.with_name(folder.name + "_truth")
    for into in (folder, truth):
        into.mkdir(exist_ok=True)
    for case in cases:
        for source, into in ((case.source.path, folder), (case.labels.path, truth)):
            link = into / source.name
            if not link.exists():
                link.symlink_to(os.path.relpath(source.resolve(), into.resolve()))


def _call(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "pcl_core", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def _write(out: Path, rows: Sequence[dict[str, str]]) -> None:
    with (out / "results.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    lines = ["| labelled | random | PCL | PCL - random, a draw |", "| --- | --- | --- | --- |"]
    for labelled in dict.fromkeys(row["labelled"] for row in rows):
        got = {
            start: np.array([float(r["dice"]) for r in rows if r["labelled"] == labelled and r["start"] == start])
            for start in ("random", "pcl")
        }
        cells = [f"{got[start].mean():.3f}({got[start].std(ddof=1):.3f})" for start in ("random", "pcl")]
        gains = ", ".join(f"{gain:+.3f}" for gain in got["pcl"] - got["random"])
        lines.append(f"| {labelled} | {cells[0]} | {cells[1]} | {gains} |")
    (out / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--layout", default="auto")
    parser.add_argument("--test", type=int, default=20, help="patients that are kept for testing")
    parser.add_argument("--labelled", type=int, nargs="+", default=[1, 2, 4], help="numbers of labelled patients")
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--steps", type=int, help="of the fine-tuning")
    parser.add_argument("--options", nargs=argparse.REMAINDER, default=[], help="last: what follows goes to pretrain")
    return parser.parse_args()


if __name__ == "__main__":
    main()
