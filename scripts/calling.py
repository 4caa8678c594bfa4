"""What the measuring scripts share: the project's own commands as processes, folders of links, and Dice of a cell."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pcl_core.volumes.cases import Case


def call(*words: object) -> None:
    """Runs a command of the engine to its end; its output is thrown away, its errors are shown."""
    subprocess.run([sys.executable, "-m", "pcl_core", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def link(cases: Sequence[Case], folder: Path) -> None:
    """Makes ``folder/images`` and ``folder/labels`` of links, so that commands see these cases only."""
    for case in cases:
        for source, kind in ((case.source.path, "images"), (case.labels.path, "labels")):
            into = folder / kind
            into.mkdir(parents=True, exist_ok=True)
            if not (into / source.name).exists():
                (into / source.name).symlink_to(os.path.relpath(source.resolve(), into.resolve()))


def dice_of(folder: Path, test: Path, finetune: Sequence[object]) -> float:
    """Mean Dice on the cases of ``test`` after ``finetune`` with these words; what is done already is not done again."""
    figures = folder / "evaluation.json"
    if not figures.exists():
        call("finetune", *finetune, "--out", folder, "--hold-out", "none", "--resume")
        call("segment", folder / "model.safetensors", test / "images", "--out", folder / "predicted")
        call("evaluate", folder / "predicted", test / "labels", "--json", figures)
        for file in (folder / "predicted").iterdir():
            file.unlink()
    return float(json.loads(figures.read_text(encoding="utf-8"))["mean"]["all"]["dice"])


def write_rows(path: Path, rows: Sequence[dict[str, object]]) -> None:
    """Writes rows of the same keys as CSV."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def say(text: str) -> None:
    """One line for whoever waits."""
    print(text, flush=True)  # noqa: T201 (a script)
