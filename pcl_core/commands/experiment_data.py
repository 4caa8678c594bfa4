"""The volumes, patients and plans of an experiment, from headers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch

from pcl_core.commands.planning import report_unreadable, warn_of_shrinking, with_fitting_grid
from pcl_core.errors import InputError
from pcl_core.evaluation.cells import Cell
from pcl_core.evaluation.folds import Fold, in_test, join_patients, labelled_patients, make_folds
from pcl_core.evaluation.overriding import overridden_plan
from pcl_core.evaluation.protocol import RANDOM, ExperimentConfig
from pcl_core.events import Reporter
from pcl_core.fingerprinting import take_fingerprint
from pcl_core.plan import Plan
from pcl_core.presets import make_plan
from pcl_core.training.devices import device_facts
from pcl_core.volumes.axes import Axis
from pcl_core.volumes.cases import Case, find_cases
from pcl_core.volumes.data_sets import slice_axis
from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.frames import each_once
from pcl_core.volumes.gaps import gaps_in_images, listed
from pcl_core.volumes.volume import VolumeSource


@dataclass(frozen=True, eq=False)
class Material:
    """What an experiment works on.

    Attributes:
        config: of the experiment.
        cases: with labels.
        unlabeled: all volumes that encoders may be pretrained on, with labels or without, each image once.
        patients: patient of each case, one name a person.
        joined: one name a person, by the names in the files.
        folds: all of them.
        pretrain_plan: of the encoders; it also says what the network is.
        finetune_plan: of the cells.
    """

    config: ExperimentConfig
    cases: tuple[Case, ...]
    unlabeled: tuple[VolumeSource, ...]
    patients: Mapping[str, str]
    joined: Mapping[str, str]
    folds: tuple[Fold, ...]
    pretrain_plan: Plan
    finetune_plan: Plan

    def pool(self, fold: int) -> list[VolumeSource]:
        """What an encoder for a fold is pretrained on.

        Raises:
            InputError: nothing is left without the test fold.
        """
        if not self.config.encoder_per_fold:
            return list(self.unlabeled)
        kept = [source for source in self.unlabeled if not in_test(self.folds[fold], source.patient, self.joined)]
        if not kept:
            raise InputError(f"No volume is left to pretrain on without fold {fold}.", 'Set pool to "all", or add volumes.')
        return kept

    def encoder_name(self, cell: Cell) -> str:
        """The name of the encoder that a cell starts from, which other cells may share; empty for random weights."""
        if cell.method == RANDOM:
            return ""
        return f"{cell.variant}{self.pool_name(cell)}_seed{cell.seed}"

    def pool_name(self, cell: Cell) -> str:
        """What tells a cell's unlabeled pool from those of other folds; empty when there is one pool."""
        return f"_fold{cell.fold}" if self.config.encoder_per_fold else ""

    def annotated(self, fold: int, count: int, seed: int) -> tuple[str, ...]:
        """The annotated patients of a cell."""
        return labelled_patients(self.folds[fold], count, seed)


def find_material(config: ExperimentConfig, device: torch.device, reporter: Reporter) -> Material:
    """Reads the headers, and makes sure that every cell can be had.

    The plan (resolution, size) follows from the headers of all volumes of the data set, of those of the test fold too.

    Raises:
        InputError: a folder holds nothing that can be used, there are too few patients, ``same_patient`` names nobody, or the
            plan makes no sense.
    """
    found = find_cases(config.images, config.labels, config.layout)
    report_unreadable(found.unreadable, False, reporter)
    of_data_set = [*(case.source for case in found.cases), *found.without_labels]
    joined = join_patients([source.patient for source in of_data_set], config.same_patient)
    folds = make_folds({joined[case.source.patient] for case in found.cases}, config.folds, config.fold_seed)
    for number in config.folds_to_run:
        labelled_patients(folds[number], max(config.labelled), 0)
    unlabeled = tuple(sorted(of_data_set, key=lambda source: source.path))
    layout, axis = found.layout, config.axis
    gaps = {config.images: found.gaps}
    if config.pretrain_on is not None:
        there = find_volumes(config.pretrain_on.images, config.pretrain_on.layout)
        report_unreadable(there.unreadable, False, reporter)
        unlabeled, layout, axis = there.sources, there.layout, config.pretrain_on.axis
    pool = config.images if config.pretrain_on is None else config.pretrain_on.images
    gaps[pool] = (*gaps.get(pool, ()), *gaps_in_images(pool, unlabeled, layout))
    for folder, missing in gaps.items():
        if missing:
            reporter.warning(listed(missing), folder)
    unlabeled = each_once(unlabeled, layout)
    plan = _plan(config, unlabeled, layout, slice_axis(axis, layout), device)
    sources = [case.source for case in found.cases]
    target = _target_plan(config, plan, sources, slice_axis(config.axis, found.layout))
    warn_of_shrinking(sources, target.slices, reporter)
    return Material(
        config=config,
        cases=found.cases,
        unlabeled=unlabeled,
        patients={case.id: joined[case.source.patient] for case in found.cases},
        joined=joined,
        folds=folds,
        pretrain_plan=plan,
        finetune_plan=target,
    )


def _plan(config: ExperimentConfig, sources: Sequence[VolumeSource], layout: str, axis: Axis, device: torch.device) -> Plan:
    fingerprint = take_fingerprint(sources, axis)
    plan = make_plan(config.preset, fingerprint, device_facts(device), axis, layout)
    plan = overridden_plan(plan, config.plan, "plan")
    grid = config.plan.get("slices", {})
    return with_fitting_grid(plan, fingerprint, grid.get("size"), grid.get("resolution_mm"))


def _target_plan(config: ExperimentConfig, plan: Plan, sources: Sequence[VolumeSource], axis: Axis) -> Plan:
    """The plan of fine-tuning; after a transfer the slices stay as the encoder's unless target_plan says other."""
    if config.pretrain_on is None:
        return plan
    plan = replace(plan, slices=replace(plan.slices, axis=axis))
    plan = overridden_plan(plan, config.target_plan, "target_plan")
    grid = config.target_plan.get("slices", {})
    fingerprint = take_fingerprint(sources, axis)
    return with_fitting_grid(plan, fingerprint, grid.get("size"), grid.get("resolution_mm"))
