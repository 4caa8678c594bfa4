"""The work of an experiment's cells: an encoder when it is first needed, then fine-tuning, then the test fold, once."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pcl_core.commands.experiment_data import Material
from pcl_core.commands.held_out import judge_held_out
from pcl_core.errors import CancelledError, InputError, StateError
from pcl_core.evaluation.cells import Cell, Result
from pcl_core.evaluation.patients import EVALUATION_FILE
from pcl_core.evaluation.protocol import RANDOM
from pcl_core.inference.predicting import Predictor
from pcl_core.plan import Plan
from pcl_core.presets import suited_to
from pcl_core.slices.bank import BankedVolume, BankItem, SliceBank
from pcl_core.slices.banking import build_bank
from pcl_core.training.cases import Split, find_classes
from pcl_core.training.context import Context
from pcl_core.training.finetuning import MODEL_FILE, Annotations, finetune
from pcl_core.training.history import read_history
from pcl_core.training.pretraining import ENCODER_FILE, METRICS_FILE, pretrain
from pcl_core.training.starting import Start
from pcl_core.training.state import FILE, STATE_FOLDER
from pcl_core.training.suiting import suited_to_machine
from pcl_core.training.weights import load_weights
from pcl_core.volumes.class_names import class_names

BANKS_FOLDER, ENCODERS_FOLDER, CELLS_FOLDER = "banks", "encoders", "cells"
_LABELLED_BANK = "labelled"
Trained = TypeVar("Trained")


class CellWork:
    """Does cells one after another; slices and encoders are made once and shared.

    Args:
        material: volumes, folds, plans.
        out: folder of the experiment.
        context: device, reporter and cancellation; each cell brings its own seed.
    """

    def __init__(self, material: Material, out: Path, context: Context) -> None:
        self._material, self._out, self._context = material, out, context
        self._banks: dict[str, SliceBank] = {}
        self._annotations: Annotations | None = None
        self._encoders: set[Path] = set()
        self._failed: dict[Path, InputError] = {}

    def prepare(self, cells: Sequence[Cell]) -> None:
        """Makes the slices that the cells need, so that what is wrong with volumes is known before hours of training.

        Raises:
            InputError: volumes cannot be used, or none of a patient whom a cell needs.
            CancelledError: somebody asked to stop.
        """
        self._require_patients(cells)
        for cell in cells:
            if cell.method != RANDOM:
                self._unlabeled(cell)

    @property
    def data(self) -> dict[str, dict[str, str]]:
        """Of each slice bank that was made, by name, the hash of each volume's files."""
        return {name: {volume.id: volume.hash for volume in bank.volumes} for name, bank in self._banks.items()}

    def do(self, cell: Cell) -> Result:
        """Does a cell; what an interrupted run left of it is gone on with.

        Raises:
            InputError: a volume or a file cannot be used, or the training diverged.
            CancelledError: somebody asked to stop; checkpoints are kept.
            OutOfMemoryError: with a hint.
        """
        if self._context.cancellation.requested:
            raise CancelledError()
        context = replace(self._context, seed=cell.seed)
        begin = None if cell.method == RANDOM else Start.encoder(self._encoder(cell, context))
        folder = self._out / CELLS_FOLDER / cell.folder
        annotated = self._material.annotated(cell.fold, cell.labelled, cell.seed)
        annotations = self._all_annotations()
        since = time.monotonic()
        learned = replace(annotations, split=Split(self._volumes(annotated), ()))
        plan = replace(self._material.finetune_plan, pretrain=self._pretrain_plan(cell).pretrain)
        tuned = self._going_on(folder, lambda resume: finetune(learned, plan, folder, context, begin, resume))
        test = self._volumes(self._material.folds[cell.fold].test)
        judged = replace(annotations, split=Split((), test))
        predictor = Predictor.load(tuned.model, context.device)
        found = judge_held_out(predictor, judged, self._material.cases, context.cancellation)
        found.save(folder / EVALUATION_FILE)
        shutil.rmtree(folder / STATE_FOLDER, ignore_errors=True)
        if not self._material.config.keep_models:
            (folder / MODEL_FILE).unlink(missing_ok=True)
        collapse = math.nan if begin is None else collapse_in(self._out / ENCODERS_FOLDER / self._material.encoder_name(cell))
        return Result.of(cell, annotated, found, time.monotonic() - since, collapse)

    def _encoder(self, cell: Cell, context: Context) -> Path:
        """The encoder that a cell starts from; pretrained when no earlier cell needed it.

        Raises:
            InputError: its pretraining failed, now or for an earlier cell.
        """
        folder = self._out / ENCODERS_FOLDER / self._material.encoder_name(cell)
        path, plan = folder / ENCODER_FILE, self._pretrain_plan(cell)
        if path in self._failed:
            raise self._failed[path]
        if path not in self._encoders and not self._finished(path, plan):
            try:
                bank = self._unlabeled(cell)
                suited = suited_to_machine(plan, context.device, len(bank.rows))
                self._going_on(folder, lambda resume: pretrain(bank, suited, folder, context, resume))
            except InputError as error:
                self._failed[path] = error
                raise
            context.reporter.artifact("encoder", path)
            shutil.rmtree(folder / STATE_FOLDER, ignore_errors=True)
        self._encoders.add(path)
        return path

    def _finished(self, encoder: Path, plan: Plan) -> bool:
        """Whether the encoder is that of the plan, and was pretrained to the end; one that is damaged is not."""
        if not encoder.exists():
            return False
        try:
            _, about = load_weights(encoder, "encoder")
        except InputError as error:
            self._context.reporter.warning(f"{error.message} It is pretrained again.", encoder)
            return False
        return about.plan.decisive() == plan.decisive() and about.training.get("steps") == about.training.get("of_steps")

    def _going_on(self, folder: Path, train: Callable[[bool], Trained]) -> Trained:
        """Trains in a folder, from the checkpoint there; anew where that does not fit, or the cell could never be done.

        A checkpoint may be damaged, or of an encoder that was deleted and is another one, by rounding, when made again.
        """
        try:
            return train((folder / STATE_FOLDER / FILE).exists())
        except StateError as error:
            self._context.reporter.warning(f"{error.message} It is begun anew.", folder)
            return train(False)

    def _unlabeled(self, cell: Cell) -> SliceBank:
        """The slices that the encoder of a cell is pretrained on."""
        items = [BankItem(source) for source in self._material.pool(cell.fold)]
        return self._bank(f"unlabeled{self._material.pool_name(cell)}", items, self._material.pretrain_plan)

    def _pretrain_plan(self, cell: Cell) -> Plan:
        """The experiment's plan with what the method needs."""
        plan = self._material.pretrain_plan
        if cell.method == RANDOM:
            return plan
        return suited_to(plan, cell.method).override(pretrain__method=cell.method, pretrain__threshold=cell.threshold)

    def _bank(self, name: str, items: Sequence[BankItem], plan: Plan) -> SliceBank:
        if name not in self._banks:
            folder = self._out / BANKS_FOLDER / name
            context = self._context
            self._banks[name] = build_bank(folder, items, plan.slices, context.reporter, context.cancellation)
        return self._banks[name]

    def _all_annotations(self) -> Annotations:
        """All labelled cases, none of them in a split. Which classes there are is part of the task and known beforehand."""
        if self._annotations is None:
            config = self._material.config
            items = [BankItem(case.source, case.labels) for case in self._material.cases]
            bank = self._bank(_LABELLED_BANK, items, self._material.finetune_plan)
            classes = find_classes(bank, class_names(config.labels, self._material.cases[0].labels.data_set), config.classes)
            self._annotations = Annotations(bank, classes, Split((), ()))
        return self._annotations

    def _volumes(self, patients: Sequence[str]) -> tuple[BankedVolume, ...]:
        """The banked volumes of some patients, of whom ``prepare`` has made sure."""
        names, bank = self._material.patients, self._all_annotations().bank
        return tuple(volume for volume in bank.volumes if names[volume.id] in patients)

    def _require_patients(self, cells: Sequence[Cell]) -> None:
        """Raises InputError when no volume of somebody who is annotated or tested can be used."""
        material, bank = self._material, self._all_annotations().bank
        needed = {
            patient
            for cell in cells
            for patient in (*material.annotated(cell.fold, cell.labelled, cell.seed), *material.folds[cell.fold].test)
        }
        lacking = sorted(needed - {material.patients[volume.id] for volume in bank.volumes})
        if not lacking:
            return
        reasons = dict(bank.skipped)
        of_patient = {material.patients[case.id]: reasons.get(str(case.source.path), "") for case in material.cases}
        first = f"{lacking[0]} ({of_patient[lacking[0]].rstrip('.')})"
        raise InputError(
            f"No volume of {len(lacking)} patient(s) can be used: {', '.join([first, *lacking[1:]])}.",
            "Repair them, or take them out of the folder. Nothing has been trained yet.",
        )


def collapse_in(encoder: Path) -> float:
    """The collapse figure that the encoder in a folder ended with, from its curve; NaN when there is none."""
    rows = read_history(encoder / METRICS_FILE)
    return rows[-1].get("collapse", math.nan) if rows else math.nan
