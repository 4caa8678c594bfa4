"""``experiment CONFIG.json --out DIR``: the paper's protocol, resumable cell by cell."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from pcl_core.cancellation import Cancellation
from pcl_core.commands.experiment_cells import CELLS_FOLDER, ENCODERS_FOLDER, CellWork, collapse_in
from pcl_core.commands.experiment_data import Material, find_material
from pcl_core.commands.experiment_facts import keep_facts, require_new_or_resumed, require_same_facts
from pcl_core.commands.experiment_lanes import Outcome, lanes_on, one_after_another, side_by_side
from pcl_core.commands.planning import start
from pcl_core.errors import CancelledError, InputError
from pcl_core.evaluation.cells import RESULTS_FILE, Cell, Result, Results, cells_of
from pcl_core.evaluation.learning_curve import learning_curve_png
from pcl_core.evaluation.patients import patient_scores, without_evaluation
from pcl_core.evaluation.protocol import ExperimentConfig
from pcl_core.evaluation.series import Series, load_series
from pcl_core.evaluation.tables import main_results, series_md, table_md
from pcl_core.events import Reporter
from pcl_core.files import replacing, require_writable_folder, writable_folder, write_text
from pcl_core.training.context import Context

TABLE_FILE, CURVE_FILE = "table.md", "curve.png"


@dataclass(frozen=True)
class _Part:
    """One experiment: what it works on, its cells, and where its results lie."""

    material: Material
    cells: Sequence[Cell]
    out: Path

    @classmethod
    def of(cls, config: ExperimentConfig, out: Path, device: torch.device, reporter: Reporter) -> _Part:
        """Looks at the volumes. Raises InputError when some cell cannot be had."""
        material = find_material(config, device, reporter)
        return cls(material, cells_of(config, material.pretrain_plan), out)


@dataclass(frozen=True)
class _Failure:
    """A cell that has no result, and why."""

    cell: Cell
    error: InputError


def run(args: argparse.Namespace, reporter: Reporter, cancellation: Cancellation) -> None:
    """Writes results.csv as cells end, and table.md and curve.png with it; encoders/ and cells/ hold what they came from.

    A configuration that names others runs one after another, each in a folder of its name, and joins their tables.
    """
    device = start(args, reporter)
    if args.seed:
        raise InputError("An experiment takes its seeds from its configuration.", f'Write "seeds" into {args.config}.')
    series = load_series(args.config)
    require_writable_folder(args.out)
    require_new_or_resumed(args.out, [args.out / name for name in series.experiments], args.resume, reporter)
    # Everything is looked at before the first training: what is wrong with the last data set is known before hours of work.
    parts = [_Part.of(config, args.out / name, device, reporter) for name, config in series.experiments.items()]
    context = Context(device, 0, reporter, cancellation)
    failures: list[_Failure] = []
    done_now = 0
    for part in parts:
        if cancellation.requested:
            raise CancelledError(args.out)
        try:
            for failure in _work(args, part, context):
                failures += failure
                done_now += not failure
                _join(args.out, series)
        except CancelledError as error:
            raise CancelledError(args.out) from error
        for kind, name in (("results", RESULTS_FILE), ("table", TABLE_FILE), ("curve", CURVE_FILE)):
            reporter.artifact(kind, part.out / name)
    _join(args.out, series)
    _require_all(failures, done_now)
    summaries = {name: _summary(part) for name, part in zip(series.experiments, parts, strict=True)}
    dice = summaries if len(parts) > 1 else summaries[""]
    reporter.done(out=str(args.out), cells=sum(len(part.cells) for part in parts), done_now=done_now, dice=dice)


def _work(args: argparse.Namespace, part: _Part, context: Context) -> Iterator[list[_Failure]]:
    """Does what is not done of an experiment, and yields for each cell its failure, or nothing.

    Raises:
        InputError: what is there is of another plan, or the volumes cannot be used.
        CancelledError: somebody asked to stop.
        OutOfMemoryError: with a hint.
    """
    reporter = context.reporter
    require_same_facts(writable_folder(part.out), part.material)
    reporter.plan(part.material.pretrain_plan.to_json())
    results = Results(part.out / RESULTS_FILE)
    missing = [cell for cell in part.cells if cell not in results]
    if results.of(part.cells):
        _write_tables(part, results)  # a damaged evaluation is told before hours of work
    reporter.progress("experiment", len(part.cells) - len(missing), len(part.cells))
    for cell, outcome in _outcomes(args, part, missing, context):
        if isinstance(outcome, InputError):
            reporter.warning(f"{cell.folder} failed: {outcome} The others go on.")
            yield [_Failure(cell, outcome)]
            continue
        results.add(outcome)
        _write_tables(part, results)
        reporter.progress("experiment", len(results.of(part.cells)), len(part.cells))
        yield []
    _write_tables(part, results)


def _outcomes(args: argparse.Namespace, part: _Part, missing: Sequence[Cell], context: Context) -> Iterable[Outcome]:
    """Does the cells, in this process or in a process a lane."""
    if not missing:
        return ()
    work = CellWork(part.material, part.out, context)
    work.prepare(missing)
    keep_facts(part.out, part.material, work.data)
    lanes = lanes_on(context.device, args.device, args.lanes, os.cpu_count() or 1)
    if len(lanes) == 1:
        return one_after_another(work, missing)
    return side_by_side(lanes, part.material, part.out, missing, context)


def _require_all(failures: Sequence[_Failure], done: int) -> None:
    """Raises InputError when cells failed; all others are done by then."""
    if not failures:
        return
    cell, error = failures[0].cell, failures[0].error
    # A training names its own options, which an experiment does not have.
    where = 'Such settings stand under "plan" in the configuration; with another plan choose another --out.'
    hint = " ".join([error.hint, *([where] if "--" in error.hint else ()), "--resume tries those that failed again."]).strip()
    of = len(failures) + done
    raise InputError(f"{len(failures)} of {of} cells failed; the first, {cell.folder}: {error.message}", hint)


def _write_tables(part: _Part, results: Results) -> None:
    config, own = part.material.config, part.material.pretrain_plan.pretrain.threshold
    done = results.of(part.cells)
    main = main_results(done, config.methods, own)
    scores = patient_scores(main, part.out / CELLS_FOLDER, part.material.patients)
    lacking = without_evaluation(main, part.out / CELLS_FOLDER)
    write_text(part.out / TABLE_FILE, table_md(config, done, own, scores, len(part.cells), _collapse(part, done), lacking))
    with replacing(part.out / CURVE_FILE) as partial:
        partial.write_bytes(learning_curve_png(main, config.name))


def _collapse(part: _Part, done: Sequence[Result]) -> dict[str, float]:
    """The collapse figure that each encoder of the results ended with, by name; NaN where it is not known.

    The results hold it, since encoders may be deleted; those of earlier versions do not.
    """
    found: dict[str, float] = {}
    for result in done:
        name = part.material.encoder_name(result.cell)
        if name and math.isnan(found.get(name, math.nan)):
            figure = result.figures["collapse"]
            found[name] = collapse_in(part.out / ENCODERS_FOLDER / name) if math.isnan(figure) else figure
    return found


def _join(out: Path, series: Series) -> None:
    """Writes the tables of several experiments into one file."""
    if len(series.experiments) > 1:
        files = [out / name / TABLE_FILE for name in series.experiments]
        write_text(out / TABLE_FILE, series_md(series.name, [file.read_text("utf-8") for file in files if file.exists()]))


def _summary(part: _Part) -> dict[str, dict[str, float]]:
    """Mean Dice by variant and M."""
    found: dict[str, dict[str, list[float]]] = {}
    for result in Results(part.out / RESULTS_FILE).of(part.cells):
        row = found.setdefault(result.cell.variant, {})
        row.setdefault(str(result.cell.labelled), []).append(result.figures["dice"])
    return {name: {m: round(sum(values) / len(values), 4) for m, values in row.items()} for name, row in found.items()}
