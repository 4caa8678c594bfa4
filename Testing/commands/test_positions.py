"""``positions``: outliers, neighbours and a threshold; and ``pretrain`` by learned positions and soft weights."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from pcl_core.training.weights import load_weights
from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.reading import read_volume
from Testing.making import grid_of, stored
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


def test_soft_weights_take_a_width_of_the_user(folder, tmp_path, pclseg, small):
    pclseg("pretrain", folder, "--out", tmp_path / "run", *small, "--weighting", "soft", "--threshold", "0.2").done()
    _, about = load_weights(tmp_path / "run" / "encoder.safetensors", "encoder")
    assert (about.plan.pretrain.weighting, about.plan.pretrain.threshold) == ("soft", 0.2)


def test_a_run_is_not_resumed_under_another_rule(folder, tmp_path, pclseg, small):
    pclseg("pretrain", folder, "--out", tmp_path / "run", *small).done()
    pclseg("pretrain", folder, "--out", tmp_path / "run", *small, "--position", "learned", "--resume").refusal("plan changed")


def report_of(folder, tmp_path, pclseg, *words):
    pclseg("positions", folder, "--json", tmp_path / "positions.json", *words).done()
    return {one["id"]: one for one in json.loads((tmp_path / "positions.json").read_text())["volumes"]}


def test_a_flipped_volume_is_counted_from_the_other_end_and_is_no_outlier_any_more(folder, tmp_path, pclseg):
    before = report_of(folder, tmp_path, pclseg)
    (tmp_path / "list.txt").write_text("v3.nii.gz\n")
    after = report_of(folder, tmp_path, pclseg, "--flip-from", tmp_path / "list.txt")
    assert after["v3"]["positions"] == before["v3"]["positions"][::-1]
    assert after["v3"]["counted_from_the_other_end"]
    assert after["v3"]["flipped"]  # its slices do run the other way
    np.testing.assert_allclose(after["v3"]["aligned"], before["v3"]["aligned"], atol=0.05)
    assert ([one["kind"] for one in before["v3"]["outliers"]], after["v3"]["outliers"]) == (["flipped"], [])
    assert after["v0"]["positions"] == before["v0"]["positions"]


def test_a_volume_that_is_flipped_by_mistake_is_told_as_an_outlier(folder, tmp_path, pclseg):
    after = report_of(folder, tmp_path, pclseg, "--flip", "v5", "v3")
    (one,) = after["v5"]["outliers"]
    assert (one["kind"], one["slice"]) == ("flipped", after["v5"]["slices"] - 1)


def test_a_volume_to_flip_that_is_not_there_is_refused(folder, tmp_path, pclseg, small):
    pclseg("positions", folder, "--flip", "v99").refusal("v99", "to flip")
    pclseg("pretrain", folder, "--out", tmp_path / "run", *small, "--flip", "v99").refusal("v99", "to flip")
    assert not (tmp_path / "run").exists()


def test_pretraining_knows_which_volumes_are_flipped_and_keeps_it_with_the_weights(folder, tmp_path, pclseg, small):
    words = ("pretrain", folder, *small, "--threshold", "0.2")
    plain = pclseg(*words, "--out", tmp_path / "plain").done()
    flipped = pclseg(*words, "--out", tmp_path / "flipped", "--flip", "v3").done()
    assert (plain["flipped"], flipped["flipped"]) == ([], ["v3"])
    assert plain["loss"] != flipped["loss"]
    _, about = load_weights(tmp_path / "flipped" / "encoder.safetensors", "encoder")
    assert about.training["flipped"] == ["v3"]
    banks = [json.loads((tmp_path / one / "state" / "bank" / "index.json").read_text()) for one in ("plain", "flipped")]
    assert banks[0]["key"] == banks[1]["key"]  # the prepared slices are the same: only their positions are not
    again = pclseg(*words, "--out", tmp_path / "flipped", "--resume", "--flip", "v3").done()
    assert again["flipped"] == ["v3"]
    pclseg(*words, "--out", tmp_path / "flipped", "--resume").refusal("which volumes are flipped")


def test_a_volume_that_is_left_out_may_be_flipped_too(folder, tmp_path, pclseg, small):
    words = ("pretrain", folder, "--out", tmp_path / "run", *small, "--flip", "v3", "--exclude", "v3")
    assert pclseg(*words).done()["flipped"] == []


def test_pictures_show_the_slices_in_order_and_the_report_says_where_they_lie(folder, tmp_path, pclseg):
    volumes = report_of(folder, tmp_path, pclseg, "--pictures", tmp_path / "pictures.npy")
    pictures = np.load(tmp_path / "pictures.npy", mmap_mode="r")
    assert (pictures.dtype, pictures.shape) == (np.uint8, (sum(one["slices"] for one in volumes.values()), 64, 64))
    sources = {source.id: source for source in find_volumes(folder).sources}
    for name in ("v0", "v7"):
        own = pictures[volumes[name]["first_row"] :][: volumes[name]["slices"]].astype(float)
        voxels = read_volume(sources[name]).voxels.astype(float)
        for picture, voxel_slice in zip(own, voxels, strict=True):
            shown = picture.reshape(32, 2, 32, 2).mean(axis=(1, 3))  # the volumes have 32 x 32 pixels
            assert np.corrcoef(shown.ravel(), voxel_slice.ravel())[0, 1] > 0.95
        assert volumes[name]["plane"] == "axial"
        np.testing.assert_allclose(volumes[name]["step"], [0, 0, 4], atol=1e-6)
        np.testing.assert_allclose(volumes[name]["first_centre"], [15.5, 15.5, 0], atol=1e-6)


def test_several_inputs_are_taken_together_under_names_of_their_own(folder, tmp_path, volume, pclseg):
    volume(tmp_path / "more" / "v0.nii.gz", (course(50).images * 1000).astype(np.int16))
    summary = pclseg("positions", folder, tmp_path / "more", folder, "--json", tmp_path / "both.json").done()
    assert summary["volumes"] == 13
    found = json.loads((tmp_path / "both.json").read_text())["volumes"]
    assert len({one["id"] for one in found}) == 13
    assert str(tmp_path / "more" / "v0.nii.gz") in {one["path"] for one in found}


def test_an_excluded_volume_takes_no_part(folder, tmp_path, pclseg):
    (tmp_path / "list.txt").write_text("v3\n", encoding="utf-8")
    after = report_of(folder, tmp_path, pclseg, "--exclude-from", tmp_path / "list.txt", "--exclude", "v7", "--flip", "v3")
    assert sorted(after) == sorted(f"v{number}" for number in range(12) if number not in (3, 7))
    assert all(not one["outliers"] for one in after.values())
    pclseg("positions", folder, "--exclude", "v99").refusal("v99")
    pclseg("positions", folder, "--exclude", *(f"v{number}" for number in range(11))).refusal("nothing to compare")


def test_slices_are_compared_across_the_axis_that_is_learned_from(tmp_path, volume, pclseg):
    """The thickest direction of these is coronal; HVSMR's slices are axial, and are trained on so."""
    for number in range(4):
        voxels = (course(number).images[:20, :24, :28] * 1000).astype(np.int16)
        grid = replace(grid_of(voxels.shape), spacing=(1.0, 1.2, 0.8))
        stored(tmp_path / "data" / f"training_axial_full_pat{number}.nii.gz", voxels, grid)
    pclseg("scan", tmp_path / "data", "--json", tmp_path / "scan.json").done()
    scanned = json.loads((tmp_path / "scan.json").read_text())
    pclseg("positions", tmp_path / "data", "--json", tmp_path / "positions.json").done()
    compared = json.loads((tmp_path / "positions.json").read_text())["volumes"]
    assert [one["slices"] for one in compared] == [one["slices"] for one in scanned["volumes"]]
    assert compared[0]["slices"] == 20


def test_the_report_names_the_volumes_that_could_not_be_used(folder, tmp_path, volume, pclseg):
    volume(folder / "flat.nrrd", np.full((6, 20, 24), 7, np.int16))
    (folder / "torn.nrrd").write_bytes(b"NRRD0004\n")
    pclseg("positions", folder, "--json", tmp_path / "positions.json").done()
    left_out = json.loads((tmp_path / "positions.json").read_text())["left_out"]
    assert {one["path"] for one in left_out} == {str(folder / "flat.nrrd"), str(folder / "torn.nrrd")}
    assert any("constant" in one["reason"] for one in left_out)


def test_an_encoder_of_another_slice_axis_than_the_one_asked_for_is_told(hearts, pretrained, pclseg):
    words = ("positions", hearts / "imagesTr", "--encoder", pretrained / "encoder.safetensors")
    told = pclseg(*words, "--axis", "coronal")
    told.done()
    assert any("The slices are not coronal" in message for message in told.warnings)
    assert not any("The slices are not" in message for message in pclseg(*words, "--axis", "axial").warnings)
