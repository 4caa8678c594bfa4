"""metrics.csv: one row a report of the training, rewritten whole so that a reader never sees half a row."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path

from pcl_core.files import write_text

Row = dict[str, float]


def write_history(path: Path, rows: list[Row]) -> None:
    """Writes all rows. Columns are all keys in the order in which they first appear; a missing value is empty."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _shown(value) for key, value in row.items()} for row in rows)
    write_text(path, stream.getvalue())


def _shown(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.6g}"


def read_history(path: Path, until_step: float = math.inf) -> list[Row]:
    """Rows up to and including a step; none when there is no file, or it is no such table."""
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(stream)]
        return [row for row in rows if row["step"] <= until_step]
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return []
