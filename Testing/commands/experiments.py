"""What the tests of ``experiment`` share: a small plan, the rows of results, a stop in the middle."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

from pcl_core import cli, events

PLAN = {
    "slices": {"size": 32},
    "network": {"filters": 4},
    "pretrain": {"steps": 4, "batch": 8},
    "finetune": {"steps": 4, "batch": 4},
}


def rows_of(out: Path) -> list[dict[str, str]]:
    """The rows of results.csv without what no two runs share."""
    with (out / "results.csv").open(newline="", encoding="utf-8") as stream:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(stream)]


def cancel_at(stage, done, monkeypatch):
    """Asks the next command to stop when a stage reports that so many units are done."""
    asked = []
    real = cli.Cancellation

    def made():
        asked.append(real())
        return asked[-1]

    def progress(self, name, count, total):
        if name == stage and count >= done:
            asked[-1].request()

    monkeypatch.setattr(cli, "Cancellation", made)
    monkeypatch.setattr(events.Reporter, "progress", progress)


def committed(out: Path, to: Path) -> Path:
    """What of an experiment can be kept under version control: no weights, no slices, no logs of cells."""
    to.mkdir()
    for name in ("results.csv", "experiment.json"):
        shutil.copy(out / name, to)
    for path in out.glob("cells/*/evaluation.json"):
        shutil.copytree(path.parent, to / "cells" / path.parent.name, ignore=shutil.ignore_patterns("[!e]*"))
    return to
