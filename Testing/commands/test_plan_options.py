"""Every decision of the plan can be set by an option, or by the plan of another run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def plan_of(folder: Path) -> dict:
    return json.loads((folder / "plan.json").read_text())


@pytest.mark.parametrize(
    ("words", "section", "key", "value"),
    [
        (("--axis", "sagittal"), "slices", "axis", "sagittal"),
        (("--resolution", "9.5"), "slices", "resolution_mm", 9.5),
        (("--size", "48"), "slices", "size", 48),
        (("--filters", "3"), "network", "filters", 3),
        (("--batch", "6"), "pretrain", "batch", 6),
        (("--threshold", "0.2"), "pretrain", "threshold", 0.2),
        (("--temperature", "0.5"), "pretrain", "temperature", 0.5),
        (("--learning-rate", "0.01"), "pretrain", "learning_rate", 0.01),
        (("--method", "gcl"), "pretrain", "method", "gcl"),
        (("--method", "simclr"), "pretrain", "method", "simclr"),
    ],
)
def test_an_option_of_pretraining_overrides_the_plan(hearts, tmp_path, pclseg, words, section, key, value):
    image = hearts / "imagesTr" / "heart_000_0000.nii.gz"
    usual = ("--size", "16", "--filters", "2", "--steps", "1", "--batch", "8")
    pclseg("pretrain", image, "--out", tmp_path, *usual, *words).done()
    plan = plan_of(tmp_path)
    assert plan[section][key] == value
    assert plan["reasons"][f"{section}.{key}"] == "Set by the user."


def test_epochs_take_the_place_of_steps(hearts, tmp_path, pclseg):
    image = hearts / "imagesTr" / "heart_000_0000.nii.gz"
    words = ("pretrain", image, "--out", tmp_path, "--size", "16", "--filters", "2", "--batch", "4", "--epochs", "2")
    summary = pclseg(*words).done()
    assert (plan_of(tmp_path)["pretrain"]["steps"], plan_of(tmp_path)["pretrain"]["epochs"]) == (None, 2)
    assert summary["steps"] == 2 * -(-summary["slices"] // 4)


def test_options_of_fine_tuning_override_the_plan_of_the_encoder(hearts, pretrained, tmp_path, pclseg):
    words = ("finetune", hearts / "imagesTr", hearts / "labelsTr", "--encoder", pretrained / "encoder.safetensors")
    own = ("--steps", "2", "--batch", "3", "--learning-rate", "0.002", "--size", "48")
    pclseg(*words, "--out", tmp_path, *own, "--hold-out", "none").done()
    plan, before = plan_of(tmp_path), plan_of(pretrained)
    assert [plan["finetune"][key] for key in ("steps", "batch", "learning_rate")] == [2, 3, 0.002]
    assert plan["slices"] == {**before["slices"], "size": 48}
    assert plan["pretrain"] == before["pretrain"]
    assert plan["network"] == before["network"]


def test_a_preset_with_an_encoder_decides_the_fine_tuning_only(hearts, pretrained, tmp_path, pclseg):
    words = ("finetune", hearts / "imagesTr", hearts / "labelsTr", "--encoder", pretrained / "encoder.safetensors")
    pclseg(*words, "--out", tmp_path, "--preset", "paper", "--steps", "1", "--hold-out", "none").done()
    plan, before = plan_of(tmp_path), plan_of(pretrained)
    assert (plan["finetune"]["loss"], plan["finetune"]["batch"]) == ("ce", 5)
    assert (plan["slices"], plan["network"]) == (before["slices"], before["network"])


def test_the_plan_of_another_run_is_taken_and_can_be_overridden(hearts, pretrained, tmp_path, pclseg):
    image = hearts / "imagesTr" / "heart_000_0000.nii.gz"
    words = ("pretrain", image, "--out", tmp_path, "--plan", pretrained / "plan.json", "--temperature", "0.3")
    assert pclseg(*words).done()["steps"] == 4
    plan, before = plan_of(tmp_path), plan_of(pretrained)
    assert plan["pretrain"] == {**before["pretrain"], "temperature": 0.3}
    assert (plan["slices"], plan["fingerprint"]) == (before["slices"], before["fingerprint"])


def test_a_size_without_a_resolution_makes_the_pixels_so_large_that_slices_fit(hearts, tmp_path, pclseg, small):
    pclseg("pretrain", hearts / "imagesTr", "--out", tmp_path, *small).done()
    plan = plan_of(tmp_path)
    assert plan["slices"]["resolution_mm"] * 32 >= plan["fingerprint"]["extent_mm"] - 0.1


def test_a_resolution_without_a_size_makes_the_square_so_large_that_slices_fit(hearts, tmp_path, pclseg):
    words = ("pretrain", hearts / "imagesTr", "--out", tmp_path, "--resolution", "4", "--filters", "2", "--steps", "1")
    pclseg(*words).done()
    plan = plan_of(tmp_path)
    assert plan["slices"]["size"] % 16 == 0
    assert 0 <= plan["slices"]["size"] - plan["fingerprint"]["extent_mm"] / 4 < 17


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("slices", "size", 33),
        ("slices", "size", 0),
        ("slices", "resolution_mm", -1.0),
        ("slices", "resolution_mm", float("nan")),
        ("slices", "low_percentile", 99.5),
        ("network", "filters", 0),
        ("network", "projection", 0),
        ("pretrain", "method", "pcll"),
        ("pretrain", "batch", 1),
        ("pretrain", "temperature", 0.0),
        ("pretrain", "threshold", float("inf")),
        ("pretrain", "learning_rate", float("nan")),
        ("pretrain", "warmup", 2.0),
        ("pretrain", "momentum", 1.5),
        ("pretrain", "weight_decay", -1.0),
        ("pretrain", "steps", 0),
        ("pretrain", "steps", None),
        ("pretrain", "epochs", 3),
        ("finetune", "batch", 0),
        ("finetune", "ema", 1.0),
        ("finetune", "loss", "dice"),
        ("slices", "sice", 32),
        ("pretrain", "batch", "8"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_by_name(hearts, pretrained, tmp_path, pclseg, section, key, value):
    plan = plan_of(pretrained)
    plan[section][key] = value
    (tmp_path / "own.json").write_text(json.dumps(plan))
    words = ("pretrain", hearts / "imagesTr", "--out", tmp_path / "run", "--plan", tmp_path / "own.json")
    outcome = pclseg(*words)
    outcome.refusal(value if key == "method" else tmp_path / "own.json", value if key == "method" else key)
    assert not (tmp_path / "run" / "plan.json").exists()


def test_a_batch_of_one_slice_is_refused_since_it_has_nothing_to_learn_from(hearts, tmp_path, pclseg):
    pclseg("pretrain", hearts / "imagesTr", "--out", tmp_path / "run", "--batch", 1).refusal("pretrain.batch", "2 or more")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"preset": "paper"}', "\x00\xff"])
def test_a_file_that_is_no_plan_is_refused_by_name(hearts, tmp_path, pclseg, text):
    (tmp_path / "own.json").write_text(text, encoding="latin-1")
    words = ("pretrain", hearts / "imagesTr", "--out", tmp_path / "run", "--plan", tmp_path / "own.json")
    pclseg(*words).refusal(tmp_path / "own.json")


def test_a_plan_that_is_missing_is_refused_by_name(hearts, tmp_path, pclseg):
    words = ("pretrain", hearts / "imagesTr", "--out", tmp_path / "run", "--plan", tmp_path / "own.json")
    pclseg(*words).refusal(tmp_path / "own.json")
