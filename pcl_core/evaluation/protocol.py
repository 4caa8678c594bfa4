"""The configuration of an experiment: what CONFIG.json may hold."""

from __future__ import annotations

import json
from collections.abc import Collection, Hashable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from pcl_core.errors import InputError
from pcl_core.evaluation.overriding import require_known_overrides
from pcl_core.near import nearest
from pcl_core.presets import PRESETS
from pcl_core.pretext.registry import NAMES
from pcl_core.strict_json import build, read_json
from pcl_core.volumes import layouts
from pcl_core.volumes.axes import Axis
from pcl_core.volumes.data_sets import can_be_class

RANDOM = "random"
METHODS = (RANDOM, *NAMES)
_HINT = "Docs/experiments.md lists the keys and what they hold."
# What may be added to or taken from an experiment that has begun: no cell that is done would come out otherwise.
_FREE = ("name", "images", "labels", "methods", "labelled", "use_folds", "seeds", "thresholds", "keep_models")


@dataclass(frozen=True)
class PretrainOn:
    """Where the encoders of a transfer are pretrained.

    Attributes:
        images: folder of volumes; relative to the configuration's own folder.
        layout: how that data set names its files.
        axis: its slice axis.
    """

    images: Path
    layout: str = "auto"
    axis: Axis = "auto"


@dataclass(frozen=True)
class ExperimentConfig:
    """Methods x M x folds x seeds (paper, section 4).

    Attributes:
        name: heading of the tables.
        images: folder of volumes; relative to the configuration's own folder.
        labels: folder of label maps; may be the same.
        methods: initialisations to compare: ``random`` and names of the registry.
        labelled: M, numbers of annotated patients.
        folds: number of parts of the cross-validation.
        layout: how the data set names its files.
        axis: slice axis.
        use_folds: numbers, from 0, of the folds to run; all when None.
        seeds: each repeats everything with other weights, orders, views and annotated patients.
        fold_seed: of the division into folds.
        pool: ``all`` pretrains on every volume, those of the test fold included, as the paper does; ``train`` leaves them out,
            at the price of an encoder a fold. A transfer has no such choice.
        same_patient: lists of patients that are one, such as those with equal images; they stay in one fold.
        classes: label values that may occur; others are an error. All that do when None.
        pretrain_on: makes it a transfer: encoders are pretrained there, and the plan follows from those volumes.
        preset: rules that make the plan.
        thresholds: further thresholds t for pcl: the sweep of the supplement.
        plan: decisions of the plan that are set, such as ``{"slices": {"size": 64}, "pretrain": {"steps": 600}}``.
        target_plan: of a transfer, what is otherwise in fine-tuning: ``{"slices": {"resolution_mm": 1.5, "size": 256}}``.
        keep_models: whether the model of each cell is kept.
    """

    name: str
    images: Path
    labels: Path
    methods: tuple[str, ...]
    labelled: tuple[int, ...]
    folds: int
    layout: str = "auto"
    axis: Axis = "auto"
    use_folds: tuple[int, ...] | None = None
    seeds: tuple[int, ...] = (0,)
    fold_seed: int = 0
    pool: Literal["all", "train"] = "all"
    same_patient: tuple[tuple[str, ...], ...] = ()
    classes: tuple[int, ...] | None = None
    pretrain_on: PretrainOn | None = None
    preset: str = "recommended"
    thresholds: tuple[float, ...] = ()
    plan: dict[str, dict[str, Any]] = field(default_factory=dict)
    target_plan: dict[str, dict[str, Any]] = field(default_factory=dict)
    keep_models: bool = False

    @property
    def setting(self) -> str:
        """``semi-supervised`` or ``transfer``, as the paper calls them."""
        return "semi-supervised" if self.pretrain_on is None else "transfer"

    @property
    def folds_to_run(self) -> tuple[int, ...]:
        """Their numbers, from 0."""
        return tuple(range(self.folds)) if self.use_folds is None else self.use_folds

    @property
    def encoder_per_fold(self) -> bool:
        """Whether the unlabeled pool differs from fold to fold."""
        return self.pretrain_on is None and self.pool == "train"

    def fixed(self) -> dict[str, Any]:
        """What has to stay as it is while an experiment is resumed, as JSON can hold it."""
        facts = {name: value for name, value in asdict(self).items() if name not in _FREE}
        facts["pretrain_on"] = {**facts["pretrain_on"], "images": ""} if facts["pretrain_on"] else None
        plain: dict[str, Any] = json.loads(json.dumps(facts, default=str))
        return plain


def load_config(path: Path) -> ExperimentConfig:
    """Reads a configuration; its relative paths are taken from its own folder.

    Raises:
        InputError: unreadable, no JSON, an unknown key, method, layout, preset or decision of the plan (with the nearest valid
            name), or a value that does not fit.
    """
    data = read_json(path)
    config: ExperimentConfig = build(ExperimentConfig, data, str(path), _HINT)
    _require_names(config, str(path))
    _require_numbers(config, str(path))
    require_known_overrides(config.plan, config.preset, f"{path}.plan")
    require_known_overrides(config.target_plan, config.preset, f"{path}.target_plan", ("slices", "finetune"))
    if config.target_plan and config.pretrain_on is None:
        raise InputError(f"{path}: target_plan is for a transfer, and pretrain_on is not there.", "Write it under plan.")
    there = config.pretrain_on
    return replace(
        config,
        images=path.parent / config.images,
        labels=path.parent / config.labels,
        pretrain_on=None if there is None else replace(there, images=path.parent / there.images),
    )


def _require_names(config: ExperimentConfig, where: str) -> None:
    named: list[tuple[str, str, Collection[str]]] = [("method", method, METHODS) for method in config.methods]
    named += [("layout", config.layout, layouts.NAMES), ("preset", config.preset, PRESETS)]
    if config.pretrain_on is not None:
        named.append(("layout", config.pretrain_on.layout, layouts.NAMES))
    for kind, name, known in named:
        if name not in known:
            raise InputError(f"{where}: there is no {kind} '{name}'.", nearest(name, known))


def _require_numbers(config: ExperimentConfig, where: str) -> None:
    lists: Mapping[str, tuple[Hashable, ...]] = {
        "methods": config.methods,
        "labelled": config.labelled,
        "seeds": config.seeds,
        "use_folds": config.folds_to_run,
    }
    for name, values in lists.items():
        if not values:
            raise InputError(f"{where}: {name} is empty.", "Name at least one.")
    for name, values in {**lists, "thresholds": config.thresholds}.items():
        if len(set(values)) < len(values):
            raise InputError(f"{where}: {name} holds a value twice.", "Take one of them out.")
    checks = [
        ("labelled", config.labelled, 1, 10**6),
        ("folds", (config.folds,), 2, 10**6),
        ("use_folds", config.folds_to_run, 0, config.folds - 1),
        ("seeds", (*config.seeds, config.fold_seed), 0, 2**31 - 1),
    ]
    for name, numbers, least, most in checks:
        for number in numbers:
            if not least <= number <= most:
                raise InputError(f"{where}: {name} holds {number}.", f"Numbers from {least} to {most} make sense there.")
    _require_values(config, where)


def _require_values(config: ExperimentConfig, where: str) -> None:
    for value in config.classes or ():
        if not can_be_class(value):
            raise InputError(f"{where}: classes holds {value}.", "Numbers from 1 to 254 make sense there; MMWHS has its own.")
    for threshold in config.thresholds:
        if not 0 < threshold <= 1:
            raise InputError(f"{where}: thresholds holds {threshold}.", "Differences of positions lie between 0 and 1.")
