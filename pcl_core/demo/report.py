"""The report of the demo: one HTML file that needs nothing else, neither scripts nor the net."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from pcl_core.demo.report_data import CaseView, ReportData
from pcl_core.evaluation.plots import Curve, Level, MontageRow, Panel, colour_of, curves_png, montage_png
from pcl_core.evaluation.summary import Evaluation, number, with_deviation
from pcl_core.files import write_text

_STYLE = """
body { font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; color: #222; background: #fff;
       max-width: 64rem; margin: 2rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; margin-bottom: .3rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; }
h3 { font-size: 1rem; margin: 1.6rem 0 .3rem; }
.summary { background: #f3f6f9; border-left: 4px solid #0072b2; padding: .8rem 1.1rem; }
.summary p { margin: .4rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .55rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }
th { color: #444; font-weight: 600; white-space: normal; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
img { max-width: 100%; height: auto; display: block; }
.side { display: flex; flex-wrap: wrap; gap: 1rem; }
.side img { flex: 1 1 24rem; min-width: 0; max-width: 29.5rem; }
.legend span { margin-right: 1.2rem; white-space: nowrap; }
.legend i { display: inline-block; width: .9em; height: .9em; margin-right: .4em; border: 1px solid #555;
            vertical-align: -.1em; }
.small { color: #555; font-size: .9rem; }
"""


def write_report(path: Path, data: ReportData) -> None:
    """Writes the report, whole or not at all.

    Raises:
        InputError: the file cannot be written.
    """
    parts = [
        "<h1>Segmentation from a few annotated volumes</h1>",
        f'<p class="small">{escape(data.data)}; {escape(data.device)}</p>',
        '<div class="summary">' + "".join(f"<p>{escape(sentence)}</p>" for sentence in _summary(data)) + "</div>",
        "<h2>Dice on the unseen volumes</h2>",
        _dice_table(data),
        '<p class="small">Mean and standard deviation over the volumes; 1 is perfect agreement. Pooled: all voxels of all '
        "volumes together, then the mean of the classes, as in the paper. HD95 and ASSD: 95th percentile and mean of the "
        "distance between the surfaces; mean of the classes, without volumes in which a class was missed or invented.</p>",
        "<h2>Training</h2>",
        _curves(data),
        "<h2>Unseen volumes</h2>",
        _legend(data),
        *(_case(view, data) for view in data.cases),
        "<h2>Time</h2>",
        _times(data),
    ]
    document = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Segmentation from a few annotated volumes</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
    )
    write_text(path, document + "\n".join(parts) + "\n</body>\n</html>\n")


def _summary(data: ReportData) -> list[str]:
    """What was done and what came of it, in plain words."""
    sentences = [
        f"An encoder was pretrained on {_count(data.pretraining_volumes, 'volume')} without labels "
        f"({_count(data.pretraining_slices, 'slice')}): it learned that slices at similar positions show similar anatomy.",
        f"Two networks were then trained for {_count(data.finetuning_steps, 'step')} each on the same "
        f"{_count(data.labelled, 'labelled volume')}, one starting from this encoder and one from random weights, and "
        f"segmented {_count(data.unseen, 'volume')} that neither had seen.",
    ]
    dice = [(method.name, method.evaluation.over_classes("dice")) for method in data.methods]
    sentences.append("Mean Dice: " + ", ".join(f"{number(value, 3)} {name}" for name, value in dice) + "." + _verdict(dice))
    sentences.append("This is one run with one choice of labelled volumes: it shows how the pieces work, and proves nothing.")
    return [*sentences, *data.notes]


def _verdict(dice: Sequence[tuple[str, float]]) -> str:
    if len(dice) != 2 or any(math.isnan(value) for _, value in dice):
        return ""
    gain = round(dice[0][1] - dice[1][1], 3)
    if abs(gain) < 0.005:
        return " Pretraining made no difference here."
    return f" Pretraining {'raised' if gain > 0 else 'lowered'} it by {abs(gain):.3f}."


def _dice_table(data: ReportData) -> str:
    classes = sorted({label for method in data.methods for label in method.evaluation.classes})
    names = {label: method.evaluation.name(label) for method in data.methods for label in classes}
    head = ["", *(names[label] for label in classes), "Mean", "Pooled", "HD95 (mm)", "ASSD (mm)"]
    rows = []
    for method in data.methods:
        found = method.evaluation
        cells = [with_deviation(*_dice(found, label), digits=3) for label in classes]
        cells += [number(found.over_classes("dice"), 3), number(found.pooled_dice(), 3)]
        rows.append([method.name, *cells, number(found.over_classes("hd95_mm"), 1), number(found.over_classes("assd_mm"), 1)])
    return _table(head, rows)


def _dice(found: Evaluation, label: int) -> tuple[float, float]:
    return found.over_cases(label, "dice") if label in found.classes else (math.nan, math.nan)


def _curves(data: ReportData) -> str:
    levels = [] if data.collapse_loss is None else [Level("collapsed: all embeddings equal", data.collapse_loss)]
    pretraining = Curve.from_rows("pretraining", data.pretraining)
    finetuning = [Curve.from_rows(method.name, method.history) for method in data.methods]
    pictures = [
        _image(curves_png([pretraining], "Pretraining", "contrastive loss", levels=levels), "Loss of the pretraining"),
        _image(curves_png(finetuning, "Fine-tuning", "segmentation loss"), "Loss of the fine-tuning"),
    ]
    return f'<div class="side">{"".join(pictures)}</div>'


def _case(view: CaseView, data: ReportData) -> str:
    rows = [
        MontageRow(
            part.title,
            (Panel(part.image), Panel(part.image, part.truth), *(Panel(part.image, labels) for labels in part.predictions)),
        )
        for part in view.slices
    ]
    columns = ("image", "truth", *(method.name for method in data.methods))
    scores = "; ".join(
        f"Dice {number(_mean_of_case(method.evaluation, view.id), 3)} {method.name}"
        for method in data.methods
        if view.id in method.evaluation.cases
    )
    picture = _image(montage_png(rows, columns, view.spacing), f"Slices of {view.id} with labels")
    return f'<h3>{escape(view.id)} <span class="small">{escape(scores)}</span></h3>\n{picture}'


def _mean_of_case(found: Evaluation, case: str) -> float:
    known = [metrics.dice for metrics in found.cases[case].values() if not math.isnan(metrics.dice)]
    return sum(known) / len(known) if known else math.nan


def _legend(data: ReportData) -> str:
    names = {label: method.evaluation.name(label) for method in data.methods for label in method.evaluation.classes}
    items = (f'<span><i style="background:{colour_of(k)}"></i>{escape(name)}</span>' for k, name in sorted(names.items()))
    return f'<p class="legend">{"".join(items)}</p>'


def _times(data: ReportData) -> str:
    rows = [[stage, f"{seconds:.1f}"] for stage, seconds in data.seconds.items()]
    return _table(["Stage", "Seconds"], [*rows, ["all", f"{sum(data.seconds.values()):.1f}"]])


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    return '<div class="scroll"><table>' + "\n".join(lines) + "</table></div>"


def _image(png: bytes, description: str) -> str:
    return f'<img alt="{escape(description)}" src="data:image/png;base64,{base64.b64encode(png).decode("ascii")}">'


def _count(number_of: int, thing: str) -> str:
    return f"{number_of:,} {thing}{'' if number_of == 1 else 's'}"
