"""Whether "annotate next" beats other choices of slices, by simulated annotation: the figures of Docs/results/suggestions.

    python scripts/measure_suggestions.py IMAGES LABELS --axis coronal --out DIR

For each seed, a pool of unannotated patients is drawn; some test patients are the same for all seeds. A strategy chooses cases
of the pool and a few slices of each, which are annotated by their true labels; a network is trained on these slices from random
weights, with the same plan, seed and number of steps whatever the strategy, and labels the test patients. Strategies:

* random: cases and slices at random;
* even: cases at random, slices at even distances;
* suggest: as the command ``suggest`` ranks them, by plain features;
* model: the same, but from the second round on with the uncertainty of the network of the round before.

Cells that are done are not done again, so the script goes on after an interruption.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean, stdev

from calling import call, dice_of, link, say, write_rows

from pcl_core.volumes.axes import AXES
from pcl_core.volumes.cases import Case, find_cases
from pcl_core.volumes.geometry import canonical_view

Drawn = dict[str, list[int]]
STRATEGIES = ("random", "suggest", "model", "even")


def main() -> None:
    """Runs what is missing and writes results.csv and table.md."""
    args = _arguments()
    cases = {case.id: case for case in find_cases(args.images, args.labels, args.layout).cases}
    names = sorted(cases)
    random.Random(0).shuffle(names)
    link([cases[name] for name in names[: args.test]], args.out / "test")
    rows: list[dict[str, object]] = []
    for seed in args.seeds:
        chosen = random.Random(seed + 1).sample(names[args.test :], args.pool)
        one = _Seed(args, seed, {name: cases[name] for name in chosen})
        for strategy in STRATEGIES:
            for annotated, drawn, dice in one.rounds(strategy):
                slices = sum(map(len, drawn.values()))
                rows.append({"strategy": strategy, "seed": seed, "cases": annotated, "slices": slices, "dice": round(dice, 4)})
                say(f"seed {seed}, {strategy}, {annotated} cases: {dice:.4f}")
                write_rows(args.out / "results.csv", rows)
    _write_table(args.out, rows)


class _Seed:
    """The pool of one seed, and what is annotated of it."""

    def __init__(self, args: argparse.Namespace, seed: int, cases: Mapping[str, Case]) -> None:
        self.args, self.seed, self.cases = args, seed, cases
        self.folder = args.out / f"seed{seed}"
        link(list(cases.values()), self.folder / "pool")
        axis = args.axis
        self.counts = {name: canonical_view(case.source.geometry, axis).shape[0] for name, case in cases.items()}

    def rounds(self, strategy: str):
        """For each round: number of annotated cases, their slices, Dice."""
        drawn: Drawn = {}
        model: Path | None = None
        for annotated in self.args.cases:
            known = "suggest" if strategy == "model" and model is None else strategy  # without a model they are the same
            drawn |= self._choose(known, drawn, annotated - len(drawn), model if known == "model" else None)
            folder = self.folder / f"{known}_{annotated}"
            yield annotated, drawn, dice_of(folder, self.args.out / "test", self._finetune(folder, drawn))
            model = folder / "model.safetensors"

    def _choose(self, strategy: str, drawn: Drawn, count: int, model: Path | None) -> Drawn:
        if strategy in ("random", "even"):
            draw = random.Random(f"{self.seed} {len(drawn)}")
            names = draw.sample(sorted(set(self.cases) - set(drawn)), count)
            return {name: self._some(name, strategy, draw) for name in names}
        file, already = self.folder / f"{strategy}_{len(drawn)}.json", self.folder / f"{strategy}_{len(drawn)}_drawn.json"
        if not file.exists():
            already.write_text(json.dumps(drawn), encoding="utf-8")
            words = ["suggest", self.folder / "pool" / "images", "--axis", self.args.axis, "--json", file]
            words += ["--cases", count, "--slices", self.args.slices, "--drawn", already]
            call(*words, *([] if model is None else ["--model", model]))
        found = json.loads(file.read_text(encoding="utf-8"))["suggestions"]
        return {row["id"]: row["slices"] for row in found}

    def _some(self, name: str, strategy: str, draw: random.Random) -> list[int]:
        count, wanted = self.counts[name], min(self.args.slices, self.counts[name])
        if strategy == "random":
            return sorted(draw.sample(range(count), wanted))
        return [int((number + 0.5) * count / wanted) for number in range(wanted)]

    def _finetune(self, folder: Path, drawn: Drawn) -> Sequence[object]:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "drawn.json").write_text(json.dumps(drawn), encoding="utf-8")
        where = [self.folder / "pool" / "images", self.folder / "pool" / "labels", "--cases", *sorted(drawn)]
        what = ["--annotated-slices", folder / "drawn.json", "--classes", *self.args.classes, "--axis", self.args.axis]
        return [*where, *what, *self.args.options, "--steps", self.args.steps, "--seed", self.seed]


def _write_table(out: Path, rows: Sequence[dict[str, object]]) -> None:
    lines = ["| cases (slices) | " + " | ".join(STRATEGIES) + " |", "| --- |" + " --- |" * len(STRATEGIES)]
    for annotated in dict.fromkeys(row["cases"] for row in rows):
        found = {name: [r["dice"] for r in rows if (r["cases"], r["strategy"]) == (annotated, name)] for name in STRATEGIES}
        slices = next(row["slices"] for row in rows if row["cases"] == annotated)
        figures = [f"{mean(values):.3f}({stdev(values):.3f})" for values in found.values()]
        lines.append(f"| {annotated} ({slices}) | " + " | ".join(figures) + " |")
    (out / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", type=Path)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--layout", default="auto")
    parser.add_argument("--axis", choices=AXES, default="auto")
    parser.add_argument("--classes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--test", type=int, default=40, help="patients that are kept for testing")
    parser.add_argument("--pool", type=int, default=40, help="patients to choose from")
    parser.add_argument("--cases", type=int, nargs="+", default=[2, 4, 8], help="annotated cases, round by round")
    parser.add_argument("--slices", type=int, default=3, help="drawn of each case")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--steps", type=int, default=400, help="of each training")
    parser.add_argument("--options", nargs=argparse.REMAINDER, default=[], help="last: what follows goes to finetune")
    return parser.parse_args()


if __name__ == "__main__":
    main()
