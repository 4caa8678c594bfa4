"""``positions``: outliers, neighbours and a threshold; and ``pretrain`` by learned positions and soft weights."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pcl_core.training.weights import load_weights
from Testing.slices.courses import course


@pytest.fixture
def folder(tmp_path, volume):
    """Twelve volumes of one course: v3 stored the other way round, v7 without its first 40 %."""
    for number in range(12):
        one = course(number, cut=(0.4, 0.0) if number == 7 else (0.0, 0.0), flipped=number == 3)
        volume(tmp_path / "data" / f"v{number}.nii.gz", (one.images * 1000).astype(np.int16))
    return tmp_path / "data"


def test_outliers_are_named_with_their_files_and_the_rest_is_in_the_report(folder, tmp_path, pclseg):
    outcome = pclseg("positions", folder, "--json", tmp_path / "positions.json")
    summary = outcome.done()
    assert (summary["flipped"], summary["truncated"], summary["unlike"]) == (["v3"], ["v7"], [])
    assert any(str(folder / "v3.nii.gz") in said and "other way" in said for said in outcome.warnings)
    assert 0.05 <= summary["threshold"] <= 0.5
    report = json.loads((tmp_path / "positions.json").read_text())
    assert report["threshold"]["proposed"] == summary["threshold"]
    assert np.array(report["likeness"]["aligned"], float).shape == (20, 20)
    volumes = {one["id"]: one for one in report["volumes"]}
    assert volumes["v3"]["flipped"]
    assert volumes["v3"]["aligned"] == sorted(volumes["v3"]["aligned"], reverse=True)
    assert volumes["v0"]["positions"][-1] == 1
    assert len(volumes["v7"]["positions"]) == volumes["v7"]["slices"] == len(volumes["v7"]["neighbours"])
    middle = volumes["v0"]["neighbours"][12][0]
    assert abs(volumes[middle["volume"]]["aligned"][middle["slice"]] - volumes["v0"]["aligned"][12]) < 0.15


def test_an_encoder_compares_the_slices_as_it_knows_them(folder, tmp_path, pclseg, small):
    pclseg("pretrain", folder, "--out", tmp_path / "run", *small).done()
    summary = pclseg("positions", folder, "--encoder", tmp_path / "run" / "encoder.safetensors").done()
    assert summary["volumes"] == 12


def test_one_volume_has_nothing_to_be_compared_with(folder, pclseg):
    pclseg("positions", folder / "v0.nii.gz").refusal("nothing to compare")


def test_few_volumes_are_said_to_tell_little(folder, pclseg):
    for number in range(3, 12):
        (folder / f"v{number}.nii.gz").unlink()
    outcome = pclseg("positions", folder)
    outcome.done()
    assert any("fewer than four" in said for said in outcome.warnings)


@pytest.mark.parametrize("rule", ["relative", "millimetre", "learned"])
def test_pretraining_goes_by_the_rule_that_was_asked_for(rule, folder, tmp_path, pclseg, small):
    outcome = pclseg("pretrain", folder, "--out", tmp_path / "run", *small, "--position", rule)
    outcome.done()
    _, about = load_weights(tmp_path / "run" / "encoder.safetensors", "encoder")
    assert about.plan.pretrain.position == rule
    assert any("run the other way" in said and "v3" in said for said in outcome.warnings) == (rule == "learned")


def test_the_rule_changes_what_is_learned(folder, tmp_path, pclseg, small):
    losses = {}
    for rule in ("relative", "learned"):
        losses[rule] = pclseg("pretrain", folder, "--out", tmp_path / rule, *small, "--position", rule).done()["loss"]
    assert losses["relative"] != losses["learned"]


def test_soft_weights_need_no_threshold_of_the_user(folder, tmp_path, pclseg, small):
    pclseg("pretrain", folder, "--out", tmp_path / "run", *small, "--threshold", "soft").done()
    _, about = load_weights(tmp_path / "run" / "encoder.safetensors", "encoder")
    assert about.plan.pretrain.weighting == "soft"


def test_a_run_is_not_resumed_under_another_rule(folder, tmp_path, pclseg, small):
    pclseg("pretrain", folder, "--out", tmp_path / "run", *small).done()
    pclseg("pretrain", folder, "--out", tmp_path / "run", *small, "--position", "learned", "--resume").refusal("plan changed")
