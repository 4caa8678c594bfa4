"""Tables for Docs/performance.md from what ``pclseg bench --json`` and ``scripts/measure_growth.py`` wrote, on standard output.

    for n in 1 2 3; do pclseg bench --json bench-$n.json; done
    python scripts/performance_tables.py bench-*.json growth.json

Several files of one machine and of the same sizes become one table with the medians; ratios are made within a run before.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the tables of all files."""
    paths = [Path(word) for word in (sys.argv[1:] if arguments is None else arguments)]
    if not paths:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
    for group in _alike([report for report in reports if "stages" in report]):
        sys.stdout.write(bench_table(group) + "\n")
    for report in reports:
        if "rows" in report:
            sys.stdout.write(growth_table(report) + "\n")
    return 0


def bench_table(runs: Sequence[dict[str, Any]]) -> str:
    """Medians of runs with the same stages on one machine."""
    machine = runs[0]["machine"]
    lines = [
        f"{machine_words(machine)} Medians of {len(runs)} run{'s' * (len(runs) > 1)}; "
        f"{_mid(run['machine']['operations_per_second'] for run in runs) / 1e9:.0f} billion operations a second in a large "
        f"product, {_mid(run['machine']['bytes_per_second'] for run in runs) / 1e9:.1f} GB/s in a large copy.",
        "",
        "| stage | seconds | times its floor | plain way / this | busy | slices a second | peak MiB |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for number, stage in enumerate(runs[0]["stages"]):
        rows = [run["stages"][number] for run in runs]
        busy = _mid(run["machine"]["busy"][stage["name"]] for run in runs)
        peak = "" if stage["peak_bytes"] is None else f"{_mid(row['peak_bytes'] for row in rows) / 2**20:.0f}"
        cells = (
            stage["name"],
            f"{_mid(row['seconds'] for row in rows):.4g}",
            f"{_mid(row['seconds'] / row['floor_seconds'] for row in rows):.1f}",
            f"{_mid(row['baseline_seconds'] / row['seconds'] for row in rows):.2f}",
            f"{100 * busy:.0f} %",
            f"{_mid(row['slices_per_second'] for row in rows):.0f}",
            peak,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def growth_table(report: dict[str, Any]) -> str:
    """Time and memory by the number of volumes."""
    lines = [
        f"{machine_words(report['machine'])} {report['side']} x {report['side']}, f = {report['filters']}.",
        "",
        "| volumes | slices | scan s | scan MiB | bank s | bank MiB | epoch s | epoch MiB | of it not mapped MiB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in report["rows"]:
        cells = [str(row["volumes"]), str(row["slices"])]
        for stage in ("scan", "bank", "epoch"):
            cells += [f"{row[stage]['seconds']:.1f}", f"{row[stage]['peak_bytes'] / 2**20:.0f}"]
        lines.append(f"| {' | '.join([*cells, f'''{row['epoch']['own_bytes_at_end'] / 2**20:.0f}'''])} |")
    return "\n".join(lines) + "\n"


def machine_words(machine: dict[str, Any]) -> str:
    """What was measured on, and by which versions."""
    memory = machine["memory_bytes"] / 2**30
    half = "with" if machine["bfloat16"] else "without"
    return (
        f"{machine['device']}, {machine['cores']} cores ({machine['processor']}), {memory:.0f} GiB, {half} bfloat16; "
        f"Python {machine['python']}, PyTorch {machine['torch']}, {machine['system']}."
    )


def _alike(reports: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for report in reports:
        key = (report["machine"]["device"], *(stage["name"] for stage in report["stages"]))
        groups.setdefault(key, []).append(report)
    return list(groups.values())


def _mid(values: Any) -> float:
    return median(values)


if __name__ == "__main__":
    raise SystemExit(main())
