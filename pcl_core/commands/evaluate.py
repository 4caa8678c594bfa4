"""``evaluate PREDICTIONS TRUTH``: Dice, HD95 and ASSD a class and a case, and the pooled Dice."""

from __future__ import annotations

import argparse

from pcl_core import __version__
from pcl_core.cancellation import Cancellation
from pcl_core.evaluation.evaluate import evaluate
from pcl_core.events import Reporter
from pcl_core.files import require_writable_file


def run(args: argparse.Namespace, reporter: Reporter, _cancellation: Cancellation) -> None:
    """Shows the figures, and writes them when a file is named."""
    reporter.started(args.command, __version__, "cpu")
    if args.json is not None:
        require_writable_file(args.json)
    result = evaluate(args.predictions, args.truth, reporter, args.strict, args.layout)
    figures = result.to_json()
    if args.json is not None:
        result.save(args.json)
        reporter.artifact("evaluation", args.json)
    reporter.done(cases=len(result.cases), mean=figures["mean"], pooled_dice=figures["pooled_dice"])
