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
from pcl_core.evaluation.significance import Scores

EVALUATION_FILE = "evaluation.json"


def patient_scores(results: Sequence[Result], cells: Path, patients: Mapping[str, str]) -> dict[tuple[str, int], Scores]:
    """Dice (the mean over classes) of each test patient by method and M, seed by seed and case by case.

    Args:
        results: of the main tables.
        cells: folder of the cells.
        patients: patient of each case.

    Raises:
        InputError: an evaluation is damaged. One that is missing takes no part.
    """
    found: dict[tuple[str, int], dict[str, dict[tuple[int, str], float]]] = defaultdict(lambda: defaultdict(dict))
    for result in results:
        cell = result.cell
        for case, dice in _case_dice(cells / cell.folder / EVALUATION_FILE).items():
            found[cell.method, cell.labelled][patients.get(case, case)][cell.seed, case] = dice
    return {key: dict(by_patient) for key, by_patient in found.items()}


def without_evaluation(results: Sequence[Result], cells: Path) -> list[str]:
    """The folders of the cells that are done and whose evaluations are not there, so that no test can be made of them."""
    return [result.cell.folder for result in results if not (cells / result.cell.folder / EVALUATION_FILE).exists()]


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
