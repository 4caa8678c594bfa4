"""Dice against the number of annotated patients, a line and a band a method."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from pcl_core.evaluation.cells import Result
from pcl_core.evaluation.metrics import mean_and_deviation
from pcl_core.evaluation.plots import png_of
from pcl_core.evaluation.protocol import METHODS

# Okabe and Ito ("Color universal design", 2008), with grey for random weights; a method looks the same in every picture.
_COLOURS = ("#777777", "#d55e00", "#0072b2", "#56b4e9", "#e69f00", "#009e73", "#cc79a7", "#b8a900", "#000000")
_TITLE = 64  # characters that fit beside each other
_LINES: tuple[Literal["-", "--", ":"], ...] = ("-", "--", ":")  # for the methods beyond the colours


def colour_of_method(method: str) -> str:
    """The colour of a method, as ``#rrggbb``."""
    return _COLOURS[METHODS.index(method) % len(_COLOURS)]


def line_of_method(method: str) -> Literal["-", "--", ":"]:
    """The line of a method; no two methods have both colour and line in common."""
    return _LINES[METHODS.index(method) // len(_COLOURS) % len(_LINES)]


def learning_curve_png(results: Sequence[Result], title: str) -> bytes:
    """Draws mean Dice against M; the band is one standard deviation over folds and seeds to either side.

    Args:
        results: of the main tables.
        title: heading.
    """
    values: dict[str, dict[int, list[float]]] = {}
    for result in results:
        values.setdefault(result.cell.method, defaultdict(list))[result.cell.labelled].append(result.figures["dice"])
    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    axes = figure.add_subplot()
    for method, row in values.items():
        counts = sorted(row)
        found = np.array([mean_and_deviation(row[m]) for m in counts])
        mean, deviation = found[:, 0], np.nan_to_num(found[:, 1])
        axes.fill_between(counts, mean - deviation, mean + deviation, color=colour_of_method(method), alpha=0.12, linewidth=0)
        colour, line = colour_of_method(method), line_of_method(method)
        axes.plot(counts, mean, color=colour, linestyle=line, marker="o", markersize=4, linewidth=1.8, label=method)
    ticks = sorted({m for row in values.values() for m in row})
    axes.set_xscale("log")
    axes.set_xticks(ticks, [str(m) for m in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_title(textwrap.fill(title, _TITLE), fontsize=11, loc="left", parse_math=False)
    axes.set_xlabel("annotated patients, M")
    axes.set_ylabel("Dice, mean over the cases")
    axes.grid(color="#e5e5e5", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    if values:
        axes.legend(frameon=False, fontsize=9)
    return png_of(figure)
