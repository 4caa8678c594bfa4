"""``bench``: every stage on this machine, beside what it takes at least and what the plain way takes."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from pcl_core.bench.floors import Rates
from pcl_core.bench.machine import describe
from pcl_core.bench.material import Setting
from pcl_core.bench.stages import STAGES
from pcl_core.bench.timing import Stage
from pcl_core.cancellation import Cancellation
from pcl_core.commands.planning import start
from pcl_core.errors import CancelledError
from pcl_core.events import Reporter, plain
from pcl_core.files import require_writable_file, write_text

# Side, filters and batch that are timed unless others are asked for.
_USUAL = {"cpu": (64, 16, 32), "cuda": (256, 32, 32)}
_COLUMNS = ("Stage", "Seconds", "Floor", "x floor", "Plain way", "Faster", "Busy", "Slices/s", "Peak MiB")


def run(args: argparse.Namespace, reporter: Reporter, cancellation: Cancellation) -> None:
    """Times the stages one after the other in this process, so that all ratios are of one run."""
    device = start(args, reporter)
    if args.json is not None:
        require_writable_file(args.json)
    side, filters, batch = _USUAL[device.type]
    setting = Setting(device, args.size or side, args.filters or filters, args.batch or batch)
    reporter.progress("bench", 0, len(STAGES))
    rates = Rates.of(device)
    stages: list[Stage] = []
    for done, stage in enumerate(STAGES, start=1):
        if cancellation.requested:
            raise CancelledError()
        stages += stage(setting, rates)
        reporter.progress("bench", done, len(STAGES))
    reporter.table("Time of every stage", _COLUMNS, [_row(stage) for stage in stages])
    report = plain(
        {
            "machine": {
                **describe(device),
                "operations_per_second": rates.operations,
                "bytes_per_second": rates.bytes,
                "busy": {stage.timing.name: round(stage.busy, 3) for stage in stages},
            },
            "stages": [asdict(stage.timing) for stage in stages],
        }
    )
    if args.json is not None:
        write_text(args.json, json.dumps(report, indent=2) + "\n")
        reporter.artifact("bench", args.json)
    reporter.done(**report)


def _row(stage: Stage) -> list[str]:
    timing = stage.timing
    return [
        timing.name,
        f"{timing.seconds:.5f}",
        f"{timing.floor_seconds:.5f}",
        f"{timing.seconds / timing.floor_seconds:.1f}",
        f"{timing.baseline_seconds:.5f}",
        f"{timing.baseline_seconds / timing.seconds:.1f} x",
        f"{100 * stage.busy:.0f} %",
        f"{timing.slices_per_second:.0f}",
        "" if timing.peak_bytes is None else f"{timing.peak_bytes / 2**20:.0f}",
    ]
