"""``bench``: every stage on this machine."""

from __future__ import annotations

import argparse
import json
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict

from pcl_core.bench.machine import describe
from pcl_core.bench.stages import STAGES
from pcl_core.cancellation import Cancellation
from pcl_core.commands.planning import start
from pcl_core.errors import CancelledError
from pcl_core.events import Reporter, plain
from pcl_core.files import write_text


def run(args: argparse.Namespace, reporter: Reporter, cancellation: Cancellation) -> None:
    """Times the stages one after the other, each in a process of its own, so that its memory is its own."""
    device = start(args, reporter)
    timings = []
    for done, stage in enumerate(STAGES):
        if cancellation.requested:
            raise CancelledError()
        reporter.progress("bench", done, len(STAGES))
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            timings.append(pool.submit(stage, str(device)).result())
    reporter.progress("bench", len(STAGES), len(STAGES))
    columns = ("Stage", "Seconds", "Floor", "Baseline", "Slices/s", "Peak MiB")
    rows = [
        [
            timing.name,
            f"{timing.seconds:.4f}",
            f"{timing.floor_seconds:.4f}",
            f"{timing.baseline_seconds:.4f}",
            f"{timing.slices_per_second:.0f}",
            "" if timing.peak_bytes is None else f"{timing.peak_bytes / 2**20:.0f}",
        ]
        for timing in timings
    ]
    reporter.table("Time of every stage", columns, rows)
    report = plain({"machine": describe(device), "stages": [asdict(timing) for timing in timings]})
    if args.json is not None:
        write_text(args.json, json.dumps(report, indent=2) + "\n")
        reporter.artifact("bench", args.json)
    reporter.done(**report)
