"""``experiment CONFIG.json --out DIR``: the paper's protocol, resumable cell by cell."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pcl_core.cancellation import Cancellation
from pcl_core.commands.experiment_cells import CELLS_FOLDER, CellWork
from pcl_core.commands.experiment_data import Material, find_material
from pcl_core.commands.experiment_lanes import Outcome, lanes_on, one_after_another, side_by_side
from pcl_core.commands.planning import start
from pcl_core.errors import CancelledError, InputError
from pcl_core.evaluation.cells import RESULTS_FILE, Cell, Results, cells_of
from pcl_core.evaluation.learning_curve import learning_curve_png
from pcl_core.evaluation.patients import patient_scores
from pcl_core.evaluation.protocol import load_config
from pcl_core.evaluation.tables import main_results, table_md
from pcl_core.events import Reporter, plain
from pcl_core.files import replacing, require_writable_folder, writable_folder, write_text
from pcl_core.plan import Plan
from pcl_core.training.context import Context

FACTS_FILE, TABLE_FILE, CURVE_FILE = "experiment.json", "table.md", "curve.png"


def run(args: argparse.Namespace, reporter: Reporter, cancellation: Cancellation) -> None:
    """Writes results.csv as cells end, and table.md and curve.png with it; encoders/ and cells/ hold what they came from."""
    device = start(args, reporter)
    if args.seed:
        raise InputError("An experiment takes its seeds from its configuration.", f'Write "seeds" into {args.config}.')
    config = load_config(args.config)
    require_writable_folder(args.out)
    _require_new_or_resumed(args.out, args.resume, reporter)
    material = find_material(config, device, reporter)
    cells = cells_of(config, material.pretrain_plan)
    out = writable_folder(args.out)
    _keep_facts(out / FACTS_FILE, material)
    reporter.plan(material.pretrain_plan.to_json())
    results = Results(out / RESULTS_FILE)
    missing = [cell for cell in cells if cell not in results]
    context = Context(device, 0, reporter, cancellation)
    failed: list[tuple[Cell, InputError]] = []
    reporter.progress("experiment", len(cells) - len(missing), len(cells))
    try:
        for cell, outcome in _outcomes(args, material, out, missing, context):
            if isinstance(outcome, InputError):
                failed.append((cell, outcome))
                reporter.warning(f"{cell.folder} failed: {outcome} The others go on.")
                continue
            results.add(outcome)
            _write_tables(out, material, results, cells)
            reporter.progress("experiment", len(results.of(cells)), len(cells))
    except CancelledError as error:
        raise CancelledError(out) from error
    _require_all(failed, len(missing))
    _write_tables(out, material, results, cells)
    for kind, name in (("results", RESULTS_FILE), ("table", TABLE_FILE), ("curve", CURVE_FILE)):
        reporter.artifact(kind, out / name)
    reporter.done(out=str(out), cells=len(cells), done_now=len(missing), dice=_summary(results, cells))


def _outcomes(
    args: argparse.Namespace, material: Material, out: Path, missing: Sequence[Cell], context: Context
) -> Iterator[Outcome]:
    """Does the cells, in this process or in a process a lane."""
    if not missing:
        return iter(())
    work = CellWork(material, out, context)
    work.prepare(missing)
    lanes = lanes_on(context.device, args.device, args.lanes, os.cpu_count() or 1)
    if len(lanes) == 1:
        return one_after_another(work, missing)
    return side_by_side(lanes, material, out, missing, context)


def _require_all(failed: Sequence[tuple[Cell, InputError]], of: int) -> None:
    """Raises InputError when cells failed; all others are done by then."""
    if not failed:
        return
    cell, error = failed[0]
    hint = f"{error.hint} --resume then does those that failed.".strip()
    raise InputError(f"{len(failed)} of {of} cells failed; the first, {cell.folder}: {error.message}", hint)


def _require_new_or_resumed(out: Path, resume: bool, reporter: Reporter) -> None:
    """Raises InputError rather than replace hours of work because somebody forgot a word."""
    there = (out / FACTS_FILE).exists()
    if resume and not there:
        reporter.warning(f"There is nothing to resume in {out}; the experiment starts from its beginning.", out)
    if there and not resume:
        raise InputError(f"There is an experiment in {out}.", "Go on with it by --resume, or choose another --out.")


def _keep_facts(path: Path, material: Material) -> None:
    """Writes what the experiment goes by, or makes sure that it is what it went by before.

    Raises:
        InputError: it changed, so that the cells that are done could not be compared with new ones.
    """
    facts: dict[str, Any] = plain(
        {
            "config": material.config.fixed(),
            "pretrain_plan": _without_reasons(material.pretrain_plan),
            "finetune_plan": _without_reasons(material.finetune_plan),
            "patients": sorted(set(material.patients.values())),
        }
    )
    if not path.exists():
        write_text(path, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")
        return
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        changed = [name for name in facts if before[name] != facts[name]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} cannot be read: {error}.", "Choose another --out.") from error
    if changed:
        names = [f"{name}.{key}" for name in changed for key in _changed_keys(before[name], facts[name])] or changed
        raise InputError(
            f"The experiment in {path.parent} cannot be resumed: {', '.join(names)} changed.",
            "Methods, M, folds to use, seeds and thresholds may be added; for anything else choose another --out.",
        )


def _changed_keys(before: Any, after: Any) -> list[str]:
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return []
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


def _without_reasons(plan: Plan) -> dict[str, Any]:
    return replace(plan, reasons={}).to_json()


def _write_tables(out: Path, material: Material, results: Results, cells: Sequence[Cell]) -> None:
    config, own = material.config, material.pretrain_plan.pretrain.threshold
    done = results.of(cells)
    main = main_results(done, config.thresholds, own)
    scores = patient_scores(main, out / CELLS_FOLDER, material.patients)
    write_text(out / TABLE_FILE, table_md(config, done, own, scores, len(cells)))
    with replacing(out / CURVE_FILE) as partial:
        partial.write_bytes(learning_curve_png(main, config.name))


def _summary(results: Results, cells: Sequence[Cell]) -> dict[str, dict[str, float]]:
    """Mean Dice by variant and M."""
    found: dict[str, dict[str, list[float]]] = {}
    for result in results.of(cells):
        row = found.setdefault(result.cell.variant, {})
        row.setdefault(str(result.cell.labelled), []).append(result.figures["dice"])
    return {name: {m: round(sum(values) / len(values), 4) for m, values in row.items()} for name, row in found.items()}
