"""What an experiment goes by, in a file, so that cells of one plan are not mixed with those of another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pcl_core.commands.experiment_data import Material
from pcl_core.errors import InputError
from pcl_core.events import Reporter, plain
from pcl_core.files import write_text
from pcl_core.plan import Plan

FACTS_FILE = "experiment.json"


def require_new_or_resumed(out: Path, folders: Sequence[Path], resume: bool, reporter: Reporter) -> None:
    """Raises InputError rather than replace hours of work because somebody forgot a word.

    Args:
        out: that was given.
        folders: of the experiments in it.
        resume: whether to go on with what is there.
        reporter: is told when nothing is.
    """
    there = [folder for folder in folders if (folder / FACTS_FILE).exists()]
    if resume and not there:
        reporter.warning(f"There is nothing to resume in {out}; the experiment starts from its beginning.", out)
    if there and not resume:
        raise InputError(f"There is an experiment in {there[0]}.", "Go on with it by --resume, or choose another --out.")


def keep_facts(out: Path, material: Material) -> None:
    """Writes what the experiment goes by, or makes sure that it is what it went by before.

    Raises:
        InputError: it changed, so that the cells that are done could not be compared with new ones.
    """
    path = out / FACTS_FILE
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
