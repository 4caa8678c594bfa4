"""Which values of a plan make sense: what a person may write into a plan.json that no training could go by."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from pcl_core.errors import InputError

_Rule = tuple[Callable[[Any], bool], str]


def _at_least(least: int) -> _Rule:
    return lambda value: value >= least, f"should be {least} or more"


_POSITIVE: _Rule = (lambda value: 0 < value < math.inf, "should be a number above 0")
_NOT_NEGATIVE: _Rule = (lambda value: 0 <= value < math.inf, "should be a number from 0 on")
_PART: _Rule = (lambda value: 0 <= value <= 1, "should lie between 0 and 1")
_BELOW_ONE: _Rule = (lambda value: 0 <= value < 1, "should be 0 or more and below 1")
_BUDGET: _Rule = (lambda value: value is None or value >= 1, "should be 1 or more")

_VIEWS: dict[str, _Rule] = {
    "rotation_degrees": _NOT_NEGATIVE,
    "scale_low": _POSITIVE,
    "scale_high": _POSITIVE,
    "translation": _PART,
    "elastic": _PART,
    "elastic_grid": _at_least(2),
    "gamma": (lambda value: 1 <= value < math.inf, "should be 1 or more"),
    "contrast": _PART,
    "noise": _NOT_NEGATIVE,
}
_TRAINING: dict[str, _Rule] = {
    "steps": _BUDGET,
    "epochs": _BUDGET,
    "learning_rate": _POSITIVE,
    "warmup": _PART,
    "weight_decay": _NOT_NEGATIVE,
    **{f"augmentation.{name}": rule for name, rule in _VIEWS.items()},
}
_RULES: dict[str, _Rule] = {
    "slices.resolution_mm": _POSITIVE,
    "slices.size": (lambda value: value >= 16 and value % 16 == 0, "should be a multiple of 16"),
    "slices.low_percentile": (lambda value: 0 <= value < 100, "should be 0 or more and below 100"),
    "slices.high_percentile": (lambda value: 0 < value <= 100, "should be above 0 and at most 100"),
    "network.filters": _at_least(1),
    "network.projection": _at_least(1),
    "pretrain.batch": (lambda value: value >= 2, "should be 2 or more, since slices learn from each other"),
    "pretrain.part": _at_least(0),
    "pretrain.threshold": _NOT_NEGATIVE,
    "pretrain.temperature": _POSITIVE,
    "pretrain.momentum": _BELOW_ONE,
    "finetune.batch": _at_least(1),
    "finetune.ema": _BELOW_ONE,
    **{f"{section}.{name}": rule for section in ("pretrain", "finetune") for name, rule in _TRAINING.items()},
}


def require_sensible(plan: Any, where: str) -> None:
    """Raises InputError, naming ``where`` and the value, when a plan holds one that makes no sense."""
    for name, (fits, words) in _RULES.items():
        value = functools.reduce(getattr, name.split("."), plan)
        if not fits(value):
            raise InputError(f"{where}: {name} is {value}; it {words}.", "Correct it.")
    if plan.slices.low_percentile >= plan.slices.high_percentile:
        raise InputError(f"{where}: slices.low_percentile is not below slices.high_percentile.", "Usual are 1 and 99.")
    for section in ("pretrain", "finetune"):
        part = getattr(plan, section)
        if (part.steps is None) == (part.epochs is None):
            raise InputError(f"{where}: {section}.steps or {section}.epochs should be a number, the other null.", "Correct it.")
        if part.augmentation.scale_low > part.augmentation.scale_high:
            raise InputError(f"{where}: {section}.augmentation.scale_low is above scale_high.", "Exchange them.")
