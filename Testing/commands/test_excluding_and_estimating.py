"""``pretrain`` without some of the volumes, and ``pretrain --estimate``: what it will take, before it is begun."""

from __future__ import annotations

import pytest


@pytest.fixture
def folder(tmp_path, volume):
    """Three volumes of six slices."""
    for name in "abc":
        volume(tmp_path / "data" / f"{name}.nii.gz", seed=ord(name))
    return tmp_path / "data"


def test_excluded_volumes_are_not_trained_on(folder, tmp_path, small, pclseg):
    (tmp_path / "list.txt").write_text("b.nii.gz\n")
    words = ("pretrain", folder, "--out", tmp_path / "out", *small, "--exclude", "a", "--exclude-from", tmp_path / "list.txt")
    summary = pclseg(*words).done()
    assert (summary["volumes"], summary["slices"]) == (1, 6)


def test_a_name_that_is_no_volume_is_refused_before_any_work(folder, tmp_path, small, pclseg):
    words = ("pretrain", folder, "--out", tmp_path / "out", *small, "--exclude", "d.nii.gz")
    pclseg(*words).refusal("d.nii.gz")
    assert not (tmp_path / "out").exists()


def test_an_estimate_writes_nothing_and_counts_what_the_training_then_does(folder, tmp_path, small, pclseg):
    words = ("pretrain", folder, "--out", tmp_path / "out", *small)
    outcome = pclseg(*words, "--estimate")
    estimate = outcome.done()
    assert not (tmp_path / "out").exists()
    (event,) = outcome.named("plan")
    assert event["plan"]["reasons"]["pretrain.threshold"]
    pretrained = pclseg(*words).done()
    assert estimate["steps"] == pretrained["steps"]
    bank = tmp_path / "out" / "state" / "bank" / "slices.f16"
    assert bank.exists(), list(bank.parent.iterdir())
    assert estimate["bank_bytes"] == bank.stat().st_size
    assert estimate["memory_bytes"] > 2**20
    assert 0 < estimate["seconds"] < 60


def test_an_estimate_grows_with_the_steps(folder, tmp_path, pclseg):
    words = ("pretrain", folder, "--out", tmp_path / "out", "--size", "32", "--filters", "4", "--batch", "8", "--estimate")
    few, many = (pclseg(*words, "--steps", steps).done()["seconds"] for steps in (100, 10_000))
    assert many > 10 * few


def test_devices_names_what_is_used_and_why(pclseg):
    summary = pclseg("devices", "--device", "cpu").done()
    assert summary["used"] == "cpu"
    assert summary["reason"].endswith(".")
    assert summary["devices"][0]["device"] == "cpu"
    assert summary["devices"][0]["memory_bytes"] > 2**30


def test_an_estimate_of_a_fine_tuning_writes_nothing_and_counts_its_steps(hearts, tmp_path, small, pclseg):
    words = ("finetune", hearts / "imagesTr", hearts / "labelsTr", "--out", tmp_path / "out", *small)
    outcome = pclseg(*words, "--estimate")
    estimate = outcome.done()
    assert not (tmp_path / "out").exists()
    assert len(outcome.named("plan")) == 1
    assert estimate["steps"] == 4
    assert 0 < estimate["seconds"] < 60


def test_an_estimate_of_a_fine_tuning_grows_with_the_steps(hearts, tmp_path, pclseg):
    words = ("finetune", hearts / "imagesTr", hearts / "labelsTr", "--out", tmp_path / "out", "--size", "32", "--filters", "4")
    few, many = (pclseg(*words, "--estimate", "--steps", steps).done() for steps in (10, 1000))
    assert (few["steps"], many["steps"]) == (10, 1000)
    assert many["seconds"] > 10 * few["seconds"]
