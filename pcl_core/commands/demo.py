"""``demo``: the whole of it on generated volumes, or on a folder with imagesTr and labelsTr."""

from __future__ import annotations

import argparse

from pcl_core.cancellation import Cancellation
from pcl_core.commands.planning import start
from pcl_core.demo.run import REPORT_FILE, run_demo
from pcl_core.events import Reporter
from pcl_core.training.context import Context


def run(args: argparse.Namespace, reporter: Reporter, cancellation: Cancellation) -> None:
    """Writes report.html and results.json."""
    device = start(args, reporter)
    report = run_demo(args.out, args.data, Context(device, args.seed, reporter, cancellation))
    for method in report.methods:
        columns, rows = method.evaluation.table()
        reporter.table(f"Unseen volumes, {method.name}", columns, rows)
    reporter.done(
        report=str(args.out / REPORT_FILE),
        dice={method.name: method.evaluation.over_classes("dice") for method in report.methods},
        seconds=sum(report.seconds.values()),
    )
