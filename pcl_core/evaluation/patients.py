"""Dice by patient, from the evaluations that the cells left in their folders."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from pcl_core.errors import InputError
from pcl_core.evaluation.cells import Result
from pcl_core.evaluation.metrics import mean_and_deviation

EVALUATION_FILE = "evaluation.json"


def patient_scores(
    results: Sequence[Result], cells: Path, patients: Mapping[str, str]
) -> dict[tuple[str, int], dict[str, float]]:
    """Dice of each test patient by method and M: the mean over classes, then over the patient's cases and the seeds.

    Args:
        results: of the main tables.
        cells: folder of the cells.
        patients: patient of each case.

    Raises:
        InputError: an evaluation is damaged. One that is missing takes no part.
    """
    values: dict[tuple[str, int], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        for case, dice in _case_dice(cells / result.cell.folder / EVALUATION_FILE).items():
            values[result.cell.method, result.cell.labelled][patients.get(case, case)].append(dice)
    return {
        key: {patient: mean_and_deviation(dice)[0] for patient, dice in sorted(found.items())} for key, found in values.items()
    }


def _case_dice(path: Path) -> dict[str, float]:
    """Mean of the classes' Dice a case; NaN where no class is known."""
    if not path.exists():
        return {}
    try:
        cases = json.loads(path.read_text(encoding="utf-8"))["cases"]
        return {
            case: mean_and_deviation([math.nan if one["dice"] is None else one["dice"] for one in classes.values()])[0]
            for case, classes in cases.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "Take its row out of results.csv, and resume: the cell is then done again."
        raise InputError(f"The evaluation {path} cannot be read: {error}.", hint) from error
