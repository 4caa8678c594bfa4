"""``segment MODEL INPUT --out DIR``: a label volume an input, on its own grid."""

from __future__ import annotations

import argparse

from pcl_core.cancellation import Cancellation
from pcl_core.commands.planning import report_unreadable, start
from pcl_core.events import Reporter
from pcl_core.files import require_writable_folder
from pcl_core.inference.predicting import Predictor
from pcl_core.inference.segmenting import segment
from pcl_core.volumes.discovery import find_volumes


def run(args: argparse.Namespace, reporter: Reporter, cancellation: Cancellation) -> None:
    """Writes ``<input>_seg.nrrd`` for each volume."""
    device = start(args, reporter)
    require_writable_folder(args.out)
    predictor = Predictor.load(args.model, device)
    found = find_volumes(args.input, args.layout)
    report_unreadable(found.unreadable, args.strict, reporter)
    result = segment(
        predictor, found.sources, args.out, reporter, cancellation, args.tta, args.probabilities, args.strict
    )  # fmt: skip
    reporter.done(
        out=str(args.out), segmented=len(result.written), skipped=len(result.skipped) + len(found.unreadable)
    )  # fmt: skip
