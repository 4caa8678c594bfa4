"""Decisions of a plan that a configuration sets, as nested JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pcl_core.errors import InputError
from pcl_core.near import nearest
from pcl_core.plan import Fingerprint, Plan
from pcl_core.presets import DeviceFacts, make_plan

Overrides = Mapping[str, Mapping[str, Any]]
SECTIONS = ("slices", "network", "pretrain", "finetune")
_HINT = "Write it as a plan.json has it."
# A configuration sets these by keys of its own.
_ELSEWHERE = {"slices.axis": "axis", "pretrain.method": "methods"}


def overridden_plan(plan: Plan, overrides: Overrides, where: str) -> Plan:
    """The plan with some decisions replaced.

    A number of steps takes the place of a number of epochs, and the other way round.

    Args:
        plan: that a preset made.
        overrides: section -> name -> value; values that are objects themselves (``augmentation``) replace only what they name.
        where: what messages call the overrides.

    Raises:
        InputError: an unknown name (with the nearest valid one), or a value that does not fit.
    """
    merged = plan.to_json()
    for section, values in overrides.items():
        if "steps" in values or "epochs" in values:
            merged[section] |= {"steps": None, "epochs": None}
        for name, value in values.items():
            nested = isinstance(value, dict) and isinstance(merged[section].get(name), dict)
            merged[section][name] = {**merged[section][name], **value} if nested else value
    reasons = {f"{section}.{name}": "Set by the experiment." for section, values in overrides.items() for name in values}
    return replace(Plan.from_json(merged, where, _HINT), reasons={**plan.reasons, **reasons})


def require_known_overrides(overrides: Overrides, preset: str, where: str, sections: Sequence[str] = SECTIONS) -> None:
    """Raises InputError when overrides could not be applied to any plan; no volume is needed to find out."""
    for section, values in overrides.items():
        if section not in sections:
            raise InputError(f"{where} has an unknown key '{section}'.", nearest(section, sections))
        for name in values:
            if f"{section}.{name}" in _ELSEWHERE:
                raise InputError(
                    f"{where} sets {section}.{name}.", f"That is what the key {_ELSEWHERE[f'{section}.{name}']} is for."
                )
    nothing = Fingerprint(1, 1, 1.0, (1.0, 1.0, 1.0), 1.0, 1.0)
    overridden_plan(make_plan(preset, nothing, DeviceFacts("cpu", 0)), overrides, where)
