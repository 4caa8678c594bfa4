"""The tables of an experiment, in the form of the paper's Tables 1 and 2."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from pcl_core.evaluation.cells import Result
from pcl_core.evaluation.metrics import mean_and_deviation
from pcl_core.evaluation.protocol import RANDOM, ExperimentConfig
from pcl_core.evaluation.significance import Comparison, Scores, compare_all
from pcl_core.evaluation.summary import number

# Values by row of a table, then by M.
Grid = Mapping[str, Mapping[int, Sequence[float]]]


def table_md(
    config: ExperimentConfig, results: Sequence[Result], own_threshold: float, scores: Mapping[tuple[str, int], Scores], of: int
) -> str:
    """Everything that an experiment found, as Markdown.

    Args:
        config: of the experiment.
        results: cells that are done.
        own_threshold: t of the plan, whose cells stand in the main tables.
        scores: Dice by patient, of each method and M (``patient_scores``).
        of: number of cells that there will be.
    """
    main = main_results(results, config.thresholds, own_threshold)
    parts = [f"# {config.name}", "\n".join(_facts(config, main, len(results), of))]
    for title, figure in (
        ("Dice, mean over the cases", "dice"),
        ("Dice, pooled over all voxels of a fold, as the paper counts", "pooled_dice"),
    ):
        parts += [f"## {title}", paper_table(_grid(main, figure, lambda result: result.cell.method), config.labelled)]
    parts += [
        "## HD95 in mm, mean over the cases where both prediction and truth have the class",
        _distances(main, config.labelled),
    ]
    sweep = [result for result in results if result.cell.method == "pcl"]
    if config.thresholds:
        rows = _grid(sweep, "dice", lambda result: f"t = {result.cell.threshold:g}")
        ordered = dict(sorted(rows.items(), key=lambda item: float(item[0].removeprefix("t = "))))
        parts += ["## Threshold of PCL: Dice, mean over the cases", paper_table(ordered, config.labelled, "Threshold")]
    if len(config.methods) > 1:
        parts += ["## Between methods", _tests(compare_all(config.methods, config.labelled, scores), config.labelled)]
    return "\n\n".join(parts) + "\n"


def main_results(results: Sequence[Result], thresholds: Sequence[float], own_threshold: float) -> list[Result]:
    """The results but those of the sweep: those without a threshold, or with the plan's own."""
    sweep = set(thresholds) - {own_threshold}
    return [result for result in results if result.cell.threshold is None or result.cell.threshold not in sweep]


def paper_table(rows: Grid, labelled: Sequence[int], corner: str = "Method") -> str:
    """A table with ``mean(deviation)`` a row and M; the best mean of a column, and what rounds to it, is bold.

    Args:
        rows: values by row and M; the deviation is that of the sample.
        labelled: the columns.
        corner: heading of the first column.
    """
    best = {m: max((_rounded(row.get(m, ())) for row in rows.values()), default=-math.inf) for m in labelled}
    lines = [_line([corner, *(f"M={m}" for m in labelled)]), _line(["---"] * (1 + len(labelled)))]
    for name, row in rows.items():
        cells = []
        for m in labelled:
            text = mean_with_deviation(row.get(m, ()))
            cells.append(f"**{text}**" if text != "-" and _rounded(row[m]) == best[m] else text)
        lines.append(_line([name, *cells]))
    return "\n".join(lines)


def mean_with_deviation(values: Sequence[float]) -> str:
    """``0.671(.06)`` as the paper writes it; without the bracket for one value, ``-`` for none."""
    mean, deviation = mean_and_deviation(values)
    if math.isnan(deviation):
        return number(mean, 3)
    return f"{mean:.3f}({f'{deviation:.2f}'.removeprefix('0')})"


def _rounded(values: Sequence[float]) -> float:
    mean, _ = mean_and_deviation(values)
    return -math.inf if math.isnan(mean) else round(mean, 3)


def _grid(results: Sequence[Result], figure: str, row: Callable[[Result], str]) -> dict[str, dict[int, list[float]]]:
    grid: dict[str, dict[int, list[float]]] = {}
    for result in results:
        grid.setdefault(row(result), defaultdict(list))[result.cell.labelled].append(result.figures[figure])
    return grid


def _distances(results: Sequence[Result], labelled: Sequence[int]) -> str:
    lines = [_line(["Method", *(f"M={m}" for m in labelled)]), _line(["---"] * (1 + len(labelled)))]
    for name, row in _grid(results, "hd95_mm", lambda result: result.cell.method).items():
        lines.append(_line([name, *(number(mean_and_deviation(row.get(m, ()))[0], 1) for m in labelled)]))
    return "\n".join(lines)


def _facts(config: ExperimentConfig, main: Sequence[Result], done: int, of: int) -> list[str]:
    folds, seeds = f"{len(config.folds_to_run)} of {config.folds} folds by patient", f"{len(config.seeds)} seed(s)"
    lines = [
        f"Setting: {config.setting}; {folds}; {seeds}; preset {config.preset}. M is the number of annotated patients; smaller "
        "sets lie inside larger ones and are the same for every method. Figures are mean(standard deviation) over folds and "
        "seeds, on the native grid; the best is bold. The test fold chose nothing: the weights of the last step were judged "
        "once.",
        "",
        _pool(config),
    ]
    if done < of:
        lines += ["", f"**Not finished:** {done} of {of} cells are done."]
    counts = {len(values) for row in _grid(main, "dice", lambda result: result.cell.method).values() for values in row.values()}
    if len(counts) > 1:
        lines += [
            "",
            f"The means are of {min(counts)} to {max(counts)} cells each, so methods are not yet compared on equal terms.",
        ]
    return lines


def _pool(config: ExperimentConfig) -> str:
    if set(config.methods) == {RANDOM} and not config.thresholds:
        return "Nothing was pretrained."
    if config.setting == "transfer":
        return "Unlabeled pool: another data set; no image of this one was pretrained on."
    if config.pool == "all":
        return "Unlabeled pool: all images, **those of the test fold included** (as in the paper), never their labels."
    return "Unlabeled pool: the images **without those of the test fold**."


def _tests(comparisons: Sequence[Comparison], labelled: Sequence[int]) -> str:
    """Rows of two methods; difference of Dice, p and n a cell."""
    lines = [
        "Difference of Dice (first minus second), p of Wilcoxon's signed-rank test on pairs of test patients (mean over "
        "classes and seeds), and their number n. Bold where p stays below 0.05 after Holm's correction over all of this table.",
        "",
        _line(["Methods", *(f"M={m}" for m in labelled)]),
        _line(["---"] * (1 + len(labelled))),
    ]
    rows: dict[str, dict[int, str]] = defaultdict(dict)
    for found in comparisons:
        text = "-"
        if found.n:
            p = f"p={found.p:.3f}" if found.p >= 0.001 else "p<0.001"
            text = f"{found.difference:+.3f}, {p}, n={found.n}"
        rows[f"{found.first} - {found.second}"][found.labelled] = f"**{text}**" if found.holm < 0.05 else text
    return "\n".join([*lines, *(_line([name, *(row[m] for m in labelled)]) for name, row in rows.items())])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def series_md(name: str, tables: Sequence[str]) -> str:
    """Tables of several experiments in one text, their headings one level deeper."""
    deeper = ["\n".join(f"#{line}" if line.startswith("#") else line for line in table.splitlines()) for table in tables]
    return "\n\n".join([f"# {name}", *deeper]) + "\n"
