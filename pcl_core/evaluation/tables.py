"""The tables of an experiment, in the form of the paper's Tables 1 and 2."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pcl_core.evaluation.cells import Result
from pcl_core.evaluation.metrics import mean_and_deviation
from pcl_core.evaluation.protocol import RANDOM, ExperimentConfig
from pcl_core.evaluation.significance import Comparison, Scores, compare_all
from pcl_core.evaluation.summary import number
from pcl_core.pretext.contrastive import COLLAPSED

# Values by row of a table, then by M.
Grid = Mapping[str, Mapping[int, Sequence[float]]]


@dataclass(frozen=True)
class _Figure:
    """A figure of results.csv, and how it is shown."""

    key: str
    title: str
    digits: int = 3
    low_is_good: bool = False


_CASES = _Figure("dice", "Dice, mean over the cases")
_POOLED = _Figure("pooled_dice", "Dice, pooled over all voxels of a fold, as the published code counts")
_HD95 = _Figure("hd95_mm", "HD95 in mm, mean over the cases where both prediction and truth have the class", 1, True)


def table_md(
    config: ExperimentConfig,
    results: Sequence[Result],
    own_threshold: float,
    scores: Mapping[tuple[str, int], Scores],
    of: int,
    collapse: Mapping[str, float],
    lacking: Sequence[str] = (),
) -> str:
    """Everything that an experiment found, as Markdown.

    Args:
        config: of the experiment.
        results: cells that are done.
        own_threshold: t of the plan, whose cells stand in the main tables.
        scores: Dice by patient, seed and case, of each method and M (``patient_scores``).
        of: number of cells that there will be.
        collapse: figure of each encoder at its end, by name; 1 is collapsed, NaN not known.
        lacking: cells whose evaluations are not there, so that they are in no test (``without_evaluation``).
    """
    main = main_results(results, config.methods, own_threshold)
    parts = [f"# {config.name}", "\n\n".join([*_facts(config, main, len(results), of), *_collapse(collapse)])]
    for figure in (_CASES, _POOLED, _HD95):
        rows = _grid(main, figure.key, lambda result: result.cell.method)
        parts += [f"## {figure.title}", paper_table(rows, config.labelled, "Method", figure.digits, figure.low_is_good)]
    sweep = [result for result in results if result.cell.method == "pcl"]
    for figure in (_CASES, _POOLED) if config.thresholds else ():
        rows = _grid(sweep, figure.key, lambda result: f"t = {result.cell.threshold:g}")
        ordered = dict(sorted(rows.items(), key=lambda item: float(item[0].removeprefix("t = "))))
        parts += [f"## Threshold of PCL: {figure.title}", paper_table(ordered, config.labelled, "Threshold")]
    if len(config.methods) > 1:
        parts += ["## Between methods", *_lacking(lacking)]
        parts.append(_tests(compare_all(config.methods, config.labelled, scores), config.labelled))
    return "\n\n".join(parts) + "\n"


def main_results(results: Sequence[Result], methods: Sequence[str], own_threshold: float) -> list[Result]:
    """The results of the methods to be compared, without those of the sweep: without a threshold, or with the plan's own."""
    return [result for result in results if result.cell.method in methods and result.cell.threshold in (None, own_threshold)]


def paper_table(rows: Grid, labelled: Sequence[int], corner: str = "Method", digits: int = 3, low_is_good: bool = False) -> str:
    """A table with ``mean(deviation)`` a row and M; the best mean of a column, and what rounds to it, is bold.

    Args:
        rows: values by row and M; the deviation is that of the sample.
        labelled: the columns.
        corner: heading of the first column.
        digits: of a mean.
        low_is_good: the lowest mean is the best.
    """
    best = {m: _best((row.get(m, ()) for row in rows.values()), digits, low_is_good) for m in labelled}
    lines = [_line([corner, *(f"M={m}" for m in labelled)]), _line(["---"] * (1 + len(labelled)))]
    for name, row in rows.items():
        cells = []
        for m in labelled:
            values = row.get(m, ())
            text = mean_with_deviation(values, digits)
            cells.append(f"**{text}**" if text != "-" and _rounded(values, digits) == best[m] else text)
        lines.append(_line([name, *cells]))
    return "\n".join(lines)


def mean_with_deviation(values: Sequence[float], digits: int = 3) -> str:
    """``0.671(.06)`` as the paper writes it, ``12.3(1.5)`` with one digit; no bracket for one value, ``-`` for none."""
    mean, deviation = mean_and_deviation(values)
    if math.isnan(deviation):
        return number(mean, digits)
    return f"{mean:.{digits}f}({f'{deviation:.{min(digits, 2)}f}'.removeprefix('0' if digits > 1 else '')})"


def _rounded(values: Sequence[float], digits: int) -> float:
    return round(mean_and_deviation(values)[0], digits)


def _best(column: Iterable[Sequence[float]], digits: int, low_is_good: bool) -> float:
    known = [mean for values in column if not math.isnan(mean := _rounded(values, digits))]
    return (min if low_is_good else max)(known, default=math.nan)


def _grid(results: Sequence[Result], figure: str, row: Callable[[Result], str]) -> dict[str, dict[int, list[float]]]:
    grid: dict[str, dict[int, list[float]]] = {}
    for result in results:
        grid.setdefault(row(result), defaultdict(list))[result.cell.labelled].append(result.figures[figure])
    return grid


def _facts(config: ExperimentConfig, main: Sequence[Result], done: int, of: int) -> list[str]:
    folds, seeds = f"{len(config.folds_to_run)} of {config.folds} folds by patient", f"{len(config.seeds)} seed(s)"
    lines = [
        f"Setting: {config.setting}; {folds}; {seeds}; preset {config.preset}. M is the number of annotated patients; smaller "
        "sets lie inside larger ones and are the same for every method. Figures are mean(standard deviation) over folds and "
        "seeds, on the native grid; the best is bold. The test fold chose nothing: the weights of the last step were judged "
        "once.",
        _pool(config),
    ]
    if done < of:
        lines.append(f"**Not finished:** {done} of {of} cells are done.")
    counts = {len(values) for row in _grid(main, "dice", lambda result: result.cell.method).values() for values in row.values()}
    if len(counts) > 1:
        lines.append(
            f"The means are of {min(counts)} to {max(counts)} cells each, so methods are not yet compared on equal terms."
        )
    return lines


def _collapse(figures: Mapping[str, float]) -> list[str]:
    """Sentences on whether the encoders learned to tell slices apart; none without encoders."""
    unknown = [name for name, figure in figures.items() if math.isnan(figure)]
    known = {name: figure for name, figure in figures.items() if name not in unknown}
    lines = []
    if collapsed := [f"{name} ({figure:.2f})" for name, figure in known.items() if figure > COLLAPSED]:
        lines.append(
            f"**Collapsed, so that the encoder has learned nothing** (figure; 1 is collapsed): {', '.join(collapsed)}."
        )
    elif known:
        name = max(known, key=lambda one: known[one])
        lines.append(
            f"No {'other ' if unknown else ''}encoder collapsed; the highest figure at the end of a pretraining, of 1, is "
            f"{known[name]:.2f} ({name})."
        )
    if unknown:
        lines.insert(0, f"Whether these encoders collapsed is not known any more: {', '.join(unknown)}.")
    return lines


def _pool(config: ExperimentConfig) -> str:
    if set(config.methods) == {RANDOM} and not config.thresholds:
        return "Nothing was pretrained."
    if config.setting == "transfer":
        return "Unlabeled pool: another data set; no image of this one was pretrained on."
    if config.pool == "all":
        return "Unlabeled pool: all images, **those of the test fold included** (as in the paper), never their labels."
    return "Unlabeled pool: the images **without those of the test fold**."


def _lacking(cells: Sequence[str]) -> list[str]:
    if not cells:
        return []
    some = ", ".join(cells[:4]) + (", ..." if len(cells) > 4 else "")
    return [f"**Not of all cells:** {len(cells)} that are done have no evaluation.json, and take no part here ({some})."]


def _tests(comparisons: Sequence[Comparison], labelled: Sequence[int]) -> str:
    """Rows of two methods; difference of Dice, p and n a cell."""
    lines = [
        "Difference of Dice (first minus second), p of Wilcoxon's signed-rank test on pairs of test patients (mean over "
        "classes and seeds), and their number n. Bold where p stays below 0.05 after Holm's correction over all pairs of an M.",
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
