"""``scan INPUT``: what is in a folder, before anything is trained."""

from __future__ import annotations

import argparse
import json

from pcl_core import __version__
from pcl_core.cancellation import Cancellation
from pcl_core.errors import InputError
from pcl_core.events import Reporter
from pcl_core.files import require_writable_file, write_text
from pcl_core.volumes.gaps import listed
from pcl_core.volumes.scan import Row, ScanReport, scan

_COLUMNS = ("Volume", "Size", "Spacing (mm)", "Axis", "Slices", "Range", "Labels", "Warnings")


def run(args: argparse.Namespace, reporter: Reporter, _cancellation: Cancellation) -> None:
    """Shows one row a volume, and writes the report when a file is named."""
    reporter.started(args.command, __version__, "cpu")
    if args.json is not None:
        require_writable_file(args.json)
    report = scan(args.input, args.layout, args.axis, reporter, thorough=args.voxels)
    if args.strict and report.unreadable:
        first = report.unreadable[0]
        raise InputError(f"{first.path}: {first.reason}.", "Repair it, or leave out --strict to skip it.")
    for entry in report.unreadable:
        reporter.warning(f"{entry.path}: {entry.reason}.", entry.path)
    for path, message in report.warnings:
        reporter.warning(message, path)
    if missing := listed((*report.missing_images, *report.missing_labels)):
        reporter.warning(missing, report.inputs)
    reporter.table(f"{report.inputs} (layout {report.layout})", _COLUMNS, [_row(row) for row in report.volumes])
    if args.json is not None:
        write_text(args.json, json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n")
        reporter.artifact("scan", args.json)
    reporter.done(**_summary(report))


def _row(row: Row) -> list[str]:
    return [
        row.source.id,
        " x ".join(map(str, row.source.geometry.size)),
        " x ".join(f"{value:.3g}" for value in row.source.geometry.spacing),
        row.view.normal,
        str(row.view.shape[0]),
        "" if row.intensity is None else f"{row.intensity[0]:.4g} to {row.intensity[1]:.4g}",
        "yes" if row.labels else "",
        " ".join(row.warnings),
    ]


def _summary(report: ScanReport) -> dict[str, int]:
    return {
        "volumes": len(report.volumes),
        "slices": sum(row.view.shape[0] for row in report.volumes),
        "with_labels": sum(row.labels is not None for row in report.volumes),
        "with_warnings": sum(bool(row.warnings) for row in report.volumes),
        "unreadable": len(report.unreadable),
    }
