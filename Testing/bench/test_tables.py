"""The tables of Docs/performance.md are made of files, not typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scripts.performance_tables import bench_table, growth_table, main

MACHINE = {
    "processor": "x86_64", "cores": 2, "memory_bytes": 8 * 2**30, "device": "cpu (2 threads)", "bfloat16": True,
    "python": "3.12.1", "torch": "2.13.0", "system": "Linux", "operations_per_second": 2e11, "bytes_per_second": 1e10,
    "busy": {"step": 0.9},
}  # fmt: skip


def run_of(seconds: float, baseline: float) -> dict[str, Any]:
    stage = {"name": "step", "seconds": seconds, "floor_seconds": 0.1, "baseline_seconds": baseline}
    return {"machine": MACHINE, "stages": [{**stage, "slices_per_second": 32 / seconds, "peak_bytes": 2**30}]}


def test_ratios_are_made_within_a_run_and_then_the_median_is_taken() -> None:
    # A machine that was busy in one run: the median of the ratios is 3; the ratio of the medians would be 4.
    runs = [run_of(0.2, 0.6), run_of(0.2, 1.6), run_of(0.8, 0.8)]
    row = bench_table(runs).splitlines()[-1]
    assert row == "| step | 0.2 | 2.0 | 3.00 | 90 % | 160 | 1024 |"


def test_the_growth_has_a_row_for_each_number_of_volumes() -> None:
    stage = {"seconds": 1.25, "peak_bytes": 2**28, "own_bytes_at_end": 2**27}
    rows = [{"volumes": n, "slices": 35 * n, "scan": stage, "bank": stage, "epoch": stage} for n in (10, 100)]
    table = growth_table({"machine": MACHINE, "side": 64, "filters": 4, "rows": rows}).splitlines()
    assert table[-1] == "| 100 | 3500 | 1.2 | 256 | 1.2 | 256 | 1.2 | 256 | 128 |"
    assert len([line for line in table if line.startswith("| 1")]) == 2


def test_files_of_other_sizes_get_tables_of_their_own(tmp_path: Path, capsys) -> None:
    other = run_of(0.4, 0.8)
    other["stages"][0]["name"] = "larger step"
    other["machine"] = {**MACHINE, "busy": {"larger step": 0.5}}
    for number, report in enumerate((run_of(0.2, 0.6), run_of(0.2, 0.6), other)):
        (tmp_path / f"{number}.json").write_text(json.dumps(report))
    assert main([str(path) for path in sorted(tmp_path.iterdir())]) == 0
    written = capsys.readouterr().out
    assert written.count("| stage |") == 2
    assert "Medians of 2 runs" in written
