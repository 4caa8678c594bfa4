"""What an experiment goes by, in a file, so that cells of one plan are not mixed with those of another."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from pcl_core.commands.experiment_data import Material
from pcl_core.errors import InputError
from pcl_core.evaluation.cells import RESULTS_FILE
from pcl_core.evaluation.protocol import ExperimentConfig
from pcl_core.events import Reporter, plain
from pcl_core.files import write_text
from pcl_core.plan import Plan

FACTS_FILE = "experiment.json"


def require_new_or_resumed(out: Path, folders: Sequence[Path], resume: bool, reporter: Reporter) -> None:
    """Makes sure that hours of work are neither replaced because somebody forgot a word, nor mixed with those of another plan.

    Args:
        out: that was given.
        folders: of the experiments in it.
        resume: whether to go on with what is there.
        reporter: is told when nothing is.

    Raises:
        InputError: there is an experiment, and it is not to be resumed; or there are results, and nothing says of what.
    """
    there = [folder for folder in folders if (folder / FACTS_FILE).exists()]
    for folder in folders:
        if folder not in there and (folder / RESULTS_FILE).exists():
            raise InputError(
                f"{folder} has a {RESULTS_FILE}, but no {FACTS_FILE}, which says by which plan its cells were done.",
                f"Put that file back, or take {RESULTS_FILE} away to do its cells again, or choose another --out.",
            )
    if resume and not there:
        reporter.warning(f"There is nothing to resume in {out}; the experiment starts from its beginning.", out)
    if there and not resume:
        raise InputError(f"There is an experiment in {there[0]}.", "Go on with it by --resume, or choose another --out.")


def require_same_facts(out: Path, material: Material) -> None:
    """Makes sure that an experiment goes by what it went by before, if it was begun.

    Raises:
        InputError: it changed, so that the cells that are done could not be compared with new ones.
    """
    path = out / FACTS_FILE
    if not path.exists():
        return
    facts = _facts(material)
    before = _filled(_read(path), facts, path)
    try:
        changed = [name for name in facts if before[name] != facts[name]]
    except KeyError as error:
        raise InputError(f"{path} lacks {error}.", "Choose another --out.") from error
    if changed:
        names = [f"{name}.{key}" for name in changed for key in _changed_keys(before[name], facts[name])] or changed
        raise InputError(
            f"The experiment in {path.parent} cannot be resumed: {', '.join(names)} changed.",
            "Methods, M, folds to use, seeds and thresholds may be added; for anything else choose another --out.",
        )


def keep_facts(out: Path, material: Material, data: Mapping[str, Mapping[str, str]]) -> None:
    """Writes what the experiment goes by, once it is known that its volumes can be used.

    Args:
        out: folder of the experiment, which ``require_same_facts`` has looked at.
        material: of the experiment.
        data: of each slice bank, by name, the hash of each volume's files.

    Raises:
        InputError: a volume or a label map is not what it was when the cells that are done were trained.
    """
    path = out / FACTS_FILE
    before: Mapping[str, Mapping[str, str]] = _read(path).get("data", {}) if path.exists() else {}
    changed = sorted(
        {
            volume
            for name in data.keys() & before.keys()
            for volume in data[name].keys() | before[name].keys()
            if data[name].get(volume) != before[name].get(volume)
        }
    )
    if changed:
        some = ", ".join(changed[:5]) + (", ..." if len(changed) > 5 else "")
        raise InputError(
            f"The experiment in {out} cannot be resumed: {len(changed)} volumes or their labels changed since: {some}.",
            "Cells trained on other data cannot be compared. Put the files back as they were, or choose another --out.",
        )
    facts = {**_facts(material), "data": {**before, **data}}
    write_text(path, json.dumps(facts, indent=2, ensure_ascii=False) + "\n")


def _facts(material: Material) -> dict[str, Any]:
    facts: dict[str, Any] = plain(
        {
            "config": material.config.fixed(),
            "pretrain_plan": material.pretrain_plan.decisive().to_json(),
            "finetune_plan": material.finetune_plan.decisive().to_json(),
            "patients": sorted(set(material.patients.values())),
        }
    )
    return facts


def _filled(before: dict[str, Any], facts: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Facts that an earlier version wrote, with what it did not know yet: its default is what was done without it."""
    config = {entry.name: entry.default for entry in fields(ExperimentConfig) if entry.name in facts["config"]}
    known = {name: default for name, default in config.items() if default is not MISSING}
    filled = {**before, "config": {**plain(known), **before["config"]}} if isinstance(before.get("config"), dict) else before
    plans = {name: plan for name, plan in filled.items() if name.endswith("_plan") and isinstance(plan, dict)}
    return {**filled, **{name: plain(Plan.from_json(plan, f"{path}: {name}").to_json()) for name, plan in plans.items()}}


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read: {error}.", "Choose another --out.") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} holds no named values.", "Choose another --out.")
    return found


def _changed_keys(before: Any, after: Any) -> list[str]:
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return []
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
