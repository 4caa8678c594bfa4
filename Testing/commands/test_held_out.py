"""The figures of the cases that fine-tuning held out."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from pcl_core.commands.held_out import by_name, judge_held_out, write_validation
from pcl_core.inference.predicting import Predictor
from pcl_core.networks.unet import UNet
from pcl_core.slices.bank import BankItem
from pcl_core.training.cases import Split
from pcl_core.training.finetuning import Annotations
from pcl_core.training.weights import SegmentClass, WeightFile
from pcl_core.volumes.cases import Case
from pcl_core.volumes.geometry import canonical_view
from pcl_core.volumes.reading import read_labels, read_volume
from Testing.making import bank_of, grid_of, restored, stack, stored, tiny_plan

CLASSES = (SegmentClass(1, "disc", (1.0, 0.0, 0.0)), SegmentClass(2, "dot", (0.0, 1.0, 0.0)))
# Stored with the slice axis first and turned round: numbers of slices are in order of position, not of storage.
TURNED = ((1, 2, 0), (False, True, True))


def held_out_case(folder: Path, spoiled: slice) -> tuple[Predictor, Annotations, Case]:
    """A case whose labels are a model's own prediction, but for some slices (in order of position) that are wrong."""
    predictor = Predictor(
        UNet(4, 3, torch.Generator().manual_seed(1)), WeightFile("unet", tiny_plan(), CLASSES), torch.device("cpu")
    )
    image, _ = stack(0)
    voxels, geometry = restored(image, grid_of(image.shape), *TURNED)
    source = stored(folder / "image.nrrd", voxels, geometry)
    truth = predictor.predict(read_volume(source)).labels.copy()
    slices = canonical_view(geometry).apply(truth)
    slices[spoiled] = (slices[spoiled] + 1) % 3
    labels = stored(folder / "labels.nrrd", truth, geometry)
    bank = bank_of(folder, [BankItem(source, labels)])
    return predictor, Annotations(bank, CLASSES, Split((), bank.volumes)), Case(source, labels)


def test_slices_that_are_not_annotated_take_no_part(tmp_path: Path) -> None:
    predictor, annotations, case = held_out_case(tmp_path, slice(7, 10))
    assert (read_labels(case.labels) > 0).any()
    everything = judge_held_out(predictor, annotations, [case])
    partly = judge_held_out(predictor, replace(annotations, annotated_slices={case.id: list(range(7))}), [case])
    assert everything.over_classes("dice") < 1
    assert partly.over_classes("dice") == pytest.approx(1)
    assert partly.pooled_dice() == pytest.approx(1)


def test_only_held_out_cases_are_judged(tmp_path: Path) -> None:
    predictor, annotations, case = held_out_case(tmp_path, slice(0, 0))
    nothing = judge_held_out(predictor, replace(annotations, split=Split(annotations.bank.volumes, ())), [case])
    assert not nothing.cases
    write_validation(tmp_path / "validation.json", nothing)
    assert "three or more" in json.loads((tmp_path / "validation.json").read_text())["note"]


def test_the_figures_go_by_the_names_of_the_classes(tmp_path: Path) -> None:
    predictor, annotations, case = held_out_case(tmp_path, slice(0, 0))
    found = by_name(judge_held_out(predictor, annotations, [case]))
    assert set(found[case.id]) == {"disc", "dot"}
    assert set(found[case.id]["disc"]) == {"dice", "hd95_mm", "assd_mm"}
    assert not np.isnan([value for figures in found[case.id].values() for value in figures.values() if value is not None]).any()
