"""``experiment`` on data that changes, that cannot be used, and of patients with two names."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import SimpleITK

from pcl_core.training.weights import load_weights


@pytest.fixture
def own_hearts(hearts, tmp_path) -> Path:
    """A copy of the hearts that a test may change."""
    shutil.copytree(hearts, tmp_path / "own")
    return tmp_path / "own"


def test_cells_of_changed_labels_are_not_mixed_with_those_of_the_old_ones(own_hearts, config, pclseg, tmp_path, monkeypatch):
    folders = {"images": str(own_hearts / "imagesTr"), "labels": str(own_hearts / "labelsTr")}
    path = config("own.json", methods=["random"], labelled=[1], **folders)
    pclseg("experiment", path, "--out", tmp_path / "out").done()
    shutil.copy(own_hearts / "labelsTr" / "heart_000.nii.gz", tmp_path / "kept.nii.gz")
    swapped = SimpleITK.ReadImage(own_hearts / "labelsTr" / "heart_000.nii.gz")
    SimpleITK.WriteImage(swapped == 1, own_hearts / "labelsTr" / "heart_000.nii.gz")
    more = config("own_more.json", methods=["random", "simclr"], labelled=[1], **folders)
    pclseg("experiment", more, "--out", tmp_path / "out", "--resume").refusal("1 volumes", "heart_000", "another --out")
    shutil.copy(tmp_path / "kept.nii.gz", own_hearts / "labelsTr" / "heart_000.nii.gz")
    assert pclseg("experiment", more, "--out", tmp_path / "out", "--resume").done()["done_now"] == 1


def test_patients_that_cannot_be_used_are_told_before_any_training_and_may_then_be_taken_out(
    own_hearts, config, pclseg, tmp_path
):
    for name in ("heart_001", "heart_002"):
        labels = SimpleITK.ReadImage(own_hearts / "labelsTr" / f"{name}.nii.gz")
        SimpleITK.WriteImage(SimpleITK.Cast(labels, SimpleITK.sitkUInt16) * 300, own_hearts / "labelsTr" / f"{name}.nii.gz")
    folders = {"images": str(own_hearts / "imagesTr"), "labels": str(own_hearts / "labelsTr")}
    path = config("own.json", labelled=[1], use_folds=[0, 1], **folders)
    outcome = pclseg("experiment", path, "--out", tmp_path / "out")
    outcome.refusal("2 patient(s)", "heart_001", "heart_002", "255 means", "take them out")
    assert {event["stage"] for event in outcome.named("progress")} <= {"experiment", "prepare"}
    for folder in ("imagesTr", "labelsTr"):
        for name in ("heart_001", "heart_002"):
            next((own_hearts / folder).glob(f"{name}*")).unlink()
    assert pclseg("experiment", path, "--out", tmp_path / "out", "--resume").done()["cells"] == 4


def test_a_patient_with_another_name_in_the_unlabeled_pool_is_not_pretrained_on_when_tested(
    own_hearts, config, pclseg, tmp_path
):
    (own_hearts / "labelsTr" / "heart_003.nii.gz").unlink()
    folders = {"images": str(own_hearts / "imagesTr"), "labels": str(own_hearts / "labelsTr")}
    values = {"same_patient": [["heart_000", "heart_003"]], "pool": "train", "folds": 3, "use_folds": [0, 1, 2]}
    path = config("own.json", methods=["simclr"], labelled=[1], **folders, **values)
    pclseg("experiment", path, "--out", tmp_path / "out").done()
    seen = {}
    for fold in range(3):
        _, about = load_weights(tmp_path / "out" / "encoders" / f"simclr_fold{fold}_seed0" / "encoder.safetensors", "encoder")
        judged = json.loads((tmp_path / "out" / "cells" / f"simclr_m1_fold{fold}_seed0" / "evaluation.json").read_text())
        seen[tuple(judged["cases"])] = set(about.data)
    assert seen["heart_000",] == {"heart_001", "heart_002"}
    assert seen["heart_001",] == {"heart_000", "heart_002", "heart_003"}
