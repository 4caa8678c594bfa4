"""``segment MODEL INPUT --out DIR``: a label volume an input, on its own grid."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from pcl_core.cancellation import Cancellation
from pcl_core.commands.planning import report_unreadable, start
from pcl_core.events import Reporter
from pcl_core.files import require_writable_folder
from pcl_core.inference.own_results import is_own_result
from pcl_core.inference.predicting import Predictor
from pcl_core.inference.segment_log import SegmentLog
from pcl_core.inference.segmenting import Found, Options, require_replaceable, segment
from pcl_core.training.weights import SegmentClass
from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.volume import VolumeSource


def run(args: argparse.Namespace, reporter: Reporter, cancellation: Cancellation) -> None:
    """Writes ``<input>_seg.nrrd`` for each volume; of those that are there it replaces unchanged results."""
    device = start(args, reporter)
    require_writable_folder(args.out)
    predictor = Predictor.load(args.model, device)
    found = find_volumes(args.input, args.layout)
    report_unreadable(found.unreadable, args.strict, reporter)
    options = Options(args.tta, args.probabilities, args.confidence, args.strict)
    log = None if args.log is None else SegmentLog(args.log, args.model)
    sources = [source for source in found.sources if log is None or not log.has(source)]

    def finished(source: VolumeSource, one: Found) -> None:
        if log is not None:
            log.add(source, one.path, by_class(one, predictor.classes))

    def replaceable(source: VolumeSource, labels: Path) -> bool:
        return bool(args.overwrite) or is_own_result(labels, source)

    if not args.input.is_dir():  # who names one file wants to know at once
        require_replaceable(sources, args.out, replaceable)
    result = segment(predictor, sources, args.out, reporter, cancellation, options, finished, replaceable)
    logged = {} if log is None else {"done_before": len(found.sources) - len(sources)}
    reporter.done(
        out=str(args.out),
        segmented=len(result.found),
        **logged,
        kept=[str(path) for path in result.kept],
        skipped=len(result.skipped) + len(found.unreadable),
        empty=sum(not any(one.millilitres.values()) for one in result.found),
        millilitres={one.id: by_class(one, predictor.classes) for one in result.found},
    )


def by_class(found: Found, classes: Sequence[SegmentClass]) -> dict[str, float]:
    """Millilitres by the name of the class."""
    return {entry.name: round(found.millilitres[entry.value], 3) for entry in classes}
