"""The figures of an evaluation, for people and for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pcl_core.evaluation.metrics import ClassMetrics, mean_and_deviation
from pcl_core.events import plain
from pcl_core.files import write_text

FIGURES = ("dice", "hd95_mm", "assd_mm")


@dataclass(frozen=True)
class Evaluation:
    """What came out of comparing predictions with their truths.

    Attributes:
        cases: metrics by case and class.
        classes: labels that some truth has, without 0 and 255, ascending.
        names: names of the classes that have one.
        pooled: the paper's pooled Dice by class.
        skipped: cases and files that were left out, and why.
    """

    cases: Mapping[str, Mapping[int, ClassMetrics]]
    classes: tuple[int, ...]
    pooled: Mapping[int, float]
    names: Mapping[int, str] = field(default_factory=dict)
    skipped: tuple[str, ...] = ()

    def name(self, label: int) -> str:
        """The name of a class, or its number."""
        return self.names.get(label, str(label))

    def over_cases(self, label: int, figure: str) -> tuple[float, float]:
        """Mean and standard deviation of a figure of FIGURES over the cases in which it is known."""
        return mean_and_deviation([getattr(metrics[label], figure) for metrics in self.cases.values()])

    def over_classes(self, figure: str) -> float:
        """Mean over the classes of their means over cases."""
        return mean_and_deviation([self.over_cases(label, figure)[0] for label in self.classes])[0]

    def pooled_dice(self) -> float:
        """Mean of the classes' pooled Dice."""
        return mean_and_deviation(list(self.pooled.values()))[0]

    def lacking(self, label: int) -> int:
        """Number of cases in which only one of prediction and truth has the class."""
        return sum(metrics[label].lacks_counterpart for metrics in self.cases.values())

    def known(self, label: int) -> int:
        """Number of cases in which prediction or truth has the class."""
        return sum(not math.isnan(metrics[label].dice) for metrics in self.cases.values())

    def to_json(self) -> dict[str, Any]:
        """The figures as JSON can hold them: class numbers are strings, what is not a number is null.

        ``cases``: case -> class -> dice, hd95_mm, assd_mm. ``mean``: class -> the same, their standard deviations, ``cases``
        (how many have the class) and ``missed_or_invented`` (in how many only one of the two has it), and ``all``, the mean
        of the classes. ``pooled_dice``: class -> Dice, and ``all``. ``classes``: names. ``skipped``: what was left out.
        """
        mean: dict[str, Any] = {str(label): self._class_summary(label) for label in self.classes}
        mean["all"] = {figure: self.over_classes(figure) for figure in FIGURES}
        document = {
            "classes": {str(label): self.name(label) for label in self.classes},
            "cases": {
                case: {str(label): {figure: getattr(metrics[label], figure) for figure in FIGURES} for label in self.classes}
                for case, metrics in self.cases.items()
            },
            "mean": mean,
            "pooled_dice": {**{str(label): value for label, value in self.pooled.items()}, "all": self.pooled_dice()},
            "skipped": list(self.skipped),
        }
        result: dict[str, Any] = plain(document)
        return result

    def save(self, path: Path) -> None:
        """Writes ``to_json`` to a file, whole or not at all. Raises InputError when that is impossible."""
        write_text(path, json.dumps(self.to_json(), indent=2, ensure_ascii=False, allow_nan=False) + "\n")

    def table(self) -> tuple[list[str], list[list[str]]]:
        """Columns and rows for people: mean ± standard deviation a class; the last row is the mean of the classes."""
        columns = ["Class", "Dice", "HD95 mm", "ASSD mm", "Pooled", "Cases", "Missed"]
        rows = []
        for label in self.classes:
            figures = [with_deviation(*self.over_cases(label, "dice"), digits=3)]
            figures += [with_deviation(*self.over_cases(label, figure), digits=2) for figure in FIGURES[1:]]
            counts = [str(self.known(label)), str(self.lacking(label))]
            rows.append([self.name(label), *figures, number(self.pooled[label], 3), *counts])
        means = [number(self.over_classes(figure), 3 if figure == "dice" else 2) for figure in FIGURES]
        missed = str(sum(self.lacking(label) for label in self.classes))
        rows.append(["mean", *means, number(self.pooled_dice(), 3), str(len(self.cases)), missed])
        return columns, rows

    def _class_summary(self, label: int) -> dict[str, Any]:
        summary: dict[str, Any] = {}
        for figure in FIGURES:
            summary[figure], summary[f"{figure}_std"] = self.over_cases(label, figure)
        return {**summary, "cases": self.known(label), "missed_or_invented": self.lacking(label)}


def number(value: float, digits: int) -> str:
    """A figure for people; a dash when it is not known."""
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def with_deviation(mean: float, deviation: float, digits: int) -> str:
    """``0.812 ± 0.043``, without the deviation when there is none."""
    return number(mean, digits) + ("" if math.isnan(deviation) else f" ± {deviation:.{digits}f}")
