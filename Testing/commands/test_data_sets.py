"""Every data set layout from its files to figures: miniature copies, by command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (its own usual name)

from pcl_core.training.weights import load_weights
from Testing.data_sets import CINE_FRAMES, WRITERS, save

PLAN = {
    "slices": {"size": 32, "resolution_mm": 1.0},
    "network": {"filters": 4},
    "pretrain": {"steps": 2, "batch": 8},
    "finetune": {"steps": 2, "batch": 4},
}
SMALL = ("--size", 32, "--resolution", 1.0, "--filters", 4, "--steps", 2, "--batch", 8)


def doubts(outcome) -> list[str]:
    """The warnings but for the one that two steps of pretraining taught nothing."""
    return [warning for warning in outcome.warnings if "embeddings are all the same" not in warning]


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_a_data_set_goes_the_whole_path(name: str, tmp_path: Path, pclseg) -> None:
    miniature = WRITERS[name](tmp_path / "data")
    data = miniature.folder
    outcome = pclseg("scan", data, "--json", tmp_path / "scan.json")
    summary, report = outcome.done(), json.loads((tmp_path / "scan.json").read_text())
    assert (report["layout"], report["missing"], outcome.warnings) == (miniature.layout, [], [])
    assert (summary["volumes"], summary["with_labels"]) == (miniature.images, len(miniature.annotated))
    assert summary["with_warnings"] == 0
    assert {row["slice_axis"] for row in report["volumes"]} == {"axial"}

    outcome = pclseg("pretrain", data, "--out", tmp_path / "pretrained", *SMALL)
    assert (outcome.done()["volumes"], doubts(outcome)) == (miniature.each_once, [])

    words = ("--encoder", tmp_path / "pretrained" / "encoder.safetensors", "--steps", 2)
    outcome = pclseg("finetune", data, data, "--out", tmp_path / "tuned", *words)
    summary = outcome.done()
    assert outcome.warnings == []
    assert sorted([*summary["trained_on"], *summary["held_out"]]) == sorted(miniature.annotated)
    assert {name for figures in summary["held_out"].values() for name in figures} == set(miniature.classes.values())
    (held_out,) = {one for one in miniature.patients if any(one in case for case in summary["held_out"])}
    assert not any(held_out in case for case in summary["trained_on"])
    _, about = load_weights(tmp_path / "tuned" / "model.safetensors", "unet")
    assert {entry.value: entry.name for entry in about.classes} == miniature.classes

    outcome = pclseg("segment", tmp_path / "tuned" / "model.safetensors", data, "--out", tmp_path / "labels")
    assert outcome.done()["segmented"] == miniature.images
    for path in (tmp_path / "labels").iterdir():
        assert set(np.unique(sitk.GetArrayFromImage(sitk.ReadImage(path)))) <= {0, *miniature.classes}

    pclseg("evaluate", tmp_path / "labels", data, "--json", tmp_path / "figures.json").done()
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert len(figures["cases"]) == len(miniature.annotated)
    named = {} if miniature.layout == "folder" else miniature.classes
    assert figures["classes"] == {str(value): named.get(value, str(value)) for value in miniature.classes}


SLOW = (pytest.mark.slow, pytest.mark.ci_slow)


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name == "acdc" else SLOW) for name in sorted(WRITERS)])
def test_a_data_set_goes_through_an_experiment_in_folds_by_patient(name: str, tmp_path: Path, pclseg) -> None:
    miniature = WRITERS[name](tmp_path / "data")
    config = {
        "name": miniature.layout, "images": "data", "labels": "data", "methods": ["random", "pcl"],
        "labelled": [1], "folds": 2, "plan": PLAN,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    outcome = pclseg("experiment", tmp_path / "config.json", "--out", tmp_path / "out")
    assert (outcome.done()["cells"], doubts(outcome)) == (4, [])
    with (tmp_path / "out" / "results.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert {f"dice {name}" for name in miniature.classes.values()} < rows[0].keys()
    facts = json.loads((tmp_path / "out" / "experiment.json").read_text())
    assert facts["patients"] == sorted(miniature.patients)
    tests = [json.loads(path.read_text())["cases"] for path in (tmp_path / "out" / "cells").glob("random*/evaluation.json")]
    assert sorted(case for cases in tests for case in cases) == sorted(miniature.annotated)
    for patient in miniature.patients:
        assert sum(any(patient in case for case in cases) for cases in tests) == 1
    _, encoder = load_weights(next((tmp_path / "out" / "encoders").rglob("encoder.safetensors")), "encoder")
    assert len(encoder.data) == miniature.each_once


def test_perfect_predictions_of_large_label_values_are_recognised_slips_included(tmp_path: Path, pclseg) -> None:
    made = WRITERS["mmwhs"](tmp_path / "data")
    for name in made.annotated:
        truth = nib.load(made.folder / "ct_train" / f"{name.removesuffix('_image')}_label.nii.gz")
        voxels = np.asarray(truth.dataobj)
        save(tmp_path / "labels" / f"{name}_seg.nii.gz", np.where(voxels == 421, 420, voxels).T)
    outcome = pclseg("evaluate", tmp_path / "labels", made.folder, "--strict")
    assert set(outcome.done()["pooled_dice"].values()) == {1.0}


def test_what_is_above_seven_in_chd_counts_as_background(tmp_path: Path, pclseg) -> None:
    made = WRITERS["chd"](tmp_path / "data")
    for name in made.annotated:
        truth = nib.load(made.folder / f"{name.removesuffix('_image')}_label.nii.gz")
        voxels = np.asarray(truth.dataobj)
        assert voxels.max() > 7
        save(tmp_path / "labels" / f"{name}_seg.nii.gz", np.where(voxels > 7, 0, voxels).T)
    done = pclseg("evaluate", tmp_path / "labels", made.folder, "--strict").done()
    assert set(done["pooled_dice"]) == {*map(str, range(1, 8)), "all"}
    assert set(done["pooled_dice"].values()) == {1.0}


def test_a_value_that_a_data_set_does_not_have_is_refused_by_file_and_value(tmp_path: Path, pclseg) -> None:
    made = WRITERS["acdc"](tmp_path / "data")
    bad = made.folder / "patient002" / "patient002_frame01_gt.nii.gz"
    voxels = np.asarray(nib.load(bad).dataobj).T.copy()
    voxels[0, 0, :2] = 9, 7
    save(bad, voxels)
    words = ("finetune", made.folder, made.folder, "--out", tmp_path / "tuned", *SMALL)
    outcome = pclseg(*words)
    assert "patient002_frame01" not in outcome.done()["trained_on"]
    assert sum(str(bad) in warning and "7, 9" in warning for warning in outcome.warnings) == 1
    pclseg(*words, "--strict").refusal(bad, "7, 9", "1 (right ventricle)", "--layout folder")
    assert {"class 7", "class 9"} <= _classes(pclseg(*words, "--layout", "folder"), tmp_path)


def _classes(outcome, tmp_path: Path) -> set[str]:
    outcome.done()
    return {entry.name for entry in load_weights(tmp_path / "tuned" / "model.safetensors", "unet")[1].classes}


def test_large_values_of_other_names_are_refused_with_the_layout_to_say(tmp_path: Path, pclseg) -> None:
    made = WRITERS["mmwhs"](tmp_path / "data", 1)
    (made.folder / "ct_train" / "ct_train_1001_image.nii.gz").rename(tmp_path / "a.nii.gz")
    (made.folder / "ct_train" / "ct_train_1001_label.nii.gz").rename(tmp_path / "a_seg.nii.gz")
    words = ("finetune", tmp_path / "a.nii.gz", tmp_path / "a_seg.nii.gz", "--out", tmp_path / "tuned", *SMALL)
    pclseg(*words).refusal("850", "--layout mmwhs")
    assert _classes(pclseg(*words, "--layout", "mmwhs"), tmp_path) == set(made.classes.values())


def test_classes_can_be_chosen_by_the_values_of_the_data_set(tmp_path: Path, pclseg) -> None:
    made = WRITERS["mmwhs"](tmp_path / "data")
    words = ("finetune", made.folder, made.folder, "--out", tmp_path / "tuned", *SMALL)
    pclseg(*words, "--classes", 205, 420).refusal("500")
    assert len(_classes(pclseg(*words, "--classes", *made.classes), tmp_path)) == 7


def test_the_pool_without_the_test_fold_has_no_frame_of_its_patients(tmp_path: Path, pclseg) -> None:
    made = WRITERS["acdc"](tmp_path / "data")
    config = {
        "name": "pool", "images": "data", "labels": "data", "methods": ["pcl"], "labelled": [1], "folds": 2, "use_folds": [0],
        "pool": "train", "plan": PLAN,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    pclseg("experiment", tmp_path / "config.json", "--out", tmp_path / "out").done()
    _, encoder = load_weights(next((tmp_path / "out" / "encoders").rglob("encoder.safetensors")), "encoder")
    tested = json.loads(next((tmp_path / "out" / "cells").rglob("evaluation.json")).read_text())["cases"]
    of_test = {case.split("_")[0] for case in tested}
    assert len(of_test) == 2
    trained_on = {name.split("_")[0] for name in encoder.data}
    assert trained_on == set(made.patients) - of_test
    assert len(encoder.data) == 2 * CINE_FRAMES


def test_a_value_that_the_description_does_not_name_is_told_by_file(tmp_path: Path, pclseg) -> None:
    made = WRITERS["nnunet"](tmp_path / "data")
    odd = made.folder / "labelsTr" / "case_02.nii.gz"
    voxels = np.asarray(nib.load(odd).dataobj).T.copy()
    voxels[0, 0, :2] = 9
    save(odd, voxels)
    outcome = pclseg("finetune", made.folder, made.folder, "--out", tmp_path / "tuned", *SMALL)
    assert outcome.warnings == [f"The labels {odd} hold 9, of which dataset.json says nothing."]
    assert _classes(outcome, tmp_path) == {"spleen", "liver", "class 9"}


def test_a_model_of_large_values_can_go_on_with_other_labels(tmp_path: Path, pclseg) -> None:
    large, small = WRITERS["mmwhs"](tmp_path / "large"), WRITERS["hvsmr"](tmp_path / "small")
    words = ("finetune", large.folder, large.folder, "--out", tmp_path / "first", *SMALL)
    pclseg(*words).done()
    words = ("finetune", small.folder, small.folder, "--out", tmp_path / "tuned", "--steps", 2)
    pclseg(*words, "--model", tmp_path / "first" / "model.safetensors").done()
    _, about = load_weights(tmp_path / "tuned" / "model.safetensors", "unet")
    assert [entry.value for entry in about.classes] == [*small.classes, *large.classes]
