"""``suggest``: which case to annotate next, from files to a ranked list."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest


@pytest.fixture
def images(hearts):
    return hearts / "imagesTr"


def test_cases_are_ranked_with_the_slices_to_draw(images, tmp_path, pclseg):
    summary = pclseg("suggest", images, "--cases", 3, "--slices", 2, "--json", tmp_path / "next.json").done()
    assert len(summary["suggestions"]) == len({one["id"] for one in summary["suggestions"]}) == 3
    for one in summary["suggestions"]:
        assert len(one["slices"]) == len(one["positions"]) == 2
        assert one["positions"] == sorted(one["positions"])
        assert one["uncertainty"] == 0
    assert json.loads((tmp_path / "next.json").read_text())["suggestions"] == summary["suggestions"]


def test_what_is_drawn_is_not_suggested_again(images, tmp_path, pclseg):
    first = pclseg("suggest", images, "--cases", 1).done()["suggestions"][0]
    (tmp_path / "drawn.json").write_text(json.dumps({first["id"]: first["slices"]}))
    found = pclseg("suggest", images, "--drawn", tmp_path / "drawn.json").done()["suggestions"]
    assert first["id"] not in {one["id"] for one in found}
    assert len(found) == 3


def test_a_model_adds_its_uncertainty_and_an_encoder_its_features(images, pretrained, finetuned, pclseg):
    words = ("--encoder", pretrained / "encoder.safetensors", "--model", finetuned / "model.safetensors")
    found = pclseg("suggest", images, *words).done()["suggestions"]
    assert all(0 < one["uncertainty"] <= 1 for one in found)


@pytest.mark.parametrize(
    ("drawn", "fragment"),
    [
        ({"heart_00": [1]}, "Did you mean 'heart_00"),
        ({"heart_000": [99]}, "no slice 99"),
        ({"heart_000": ["first"]}, "heart_000"),
        ([1], "slices by case"),
    ],
    ids=str,
)
def test_a_list_of_drawn_slices_that_makes_no_sense_is_refused(drawn, fragment, images, tmp_path, pclseg):
    (tmp_path / "drawn.json").write_text(json.dumps(drawn))
    pclseg("suggest", images, "--drawn", tmp_path / "drawn.json").refusal(fragment, tmp_path / "drawn.json")


def test_drawn_slices_may_be_listed_by_the_path_of_their_volume(images, tmp_path, pclseg):
    first = pclseg("suggest", images, "--cases", 1).done()["suggestions"][0]
    (tmp_path / "drawn.json").write_text(json.dumps({first["path"]: []}))
    found = pclseg("suggest", images, "--drawn", tmp_path / "drawn.json").done()["suggestions"]
    assert first["id"] not in {one["id"] for one in found}


def test_a_drawn_volume_that_cannot_be_used_does_not_keep_the_others_from_being_suggested(tmp_path, volume, pclseg):
    paths = [volume(tmp_path / "images" / f"case{number}.nrrd", seed=number) for number in range(4)]
    paths[1].write_bytes(paths[1].read_bytes()[:400])
    paths.append(volume(tmp_path / "images" / "flat.nrrd", np.full((6, 20, 24), 7, np.int16)))  # is told once it is read
    drawn = {str(paths[0]): [1], str(paths[1]): [2], str(paths[4]): [3], "flat": []}
    (tmp_path / "drawn.json").write_text(json.dumps(drawn))
    found = pclseg("suggest", tmp_path / "images", "--drawn", tmp_path / "drawn.json").done()["suggestions"]
    assert {one["id"] for one in found} == {"case2", "case3"}


def test_frames_are_told_apart_by_their_numbers_in_their_file(tmp_path, pclseg):
    for place in ("one", "two"):  # so that the engine gives them other ids than it gives those of either folder
        voxels = np.random.default_rng(1).integers(0, 99, (24, 20, 6, 2)).astype(np.int16)
        (tmp_path / place).mkdir()
        nib.save(nib.Nifti1Image(voxels, np.diag([1, 1, 4, 1])), tmp_path / place / "heart.nii.gz")
    path = tmp_path / "one" / "heart.nii.gz"
    (tmp_path / "drawn.json").write_text(json.dumps({f"{path}#1": [1]}))
    words = ("--drawn", tmp_path / "drawn.json", "--json", tmp_path / "next.json")
    found = pclseg("suggest", tmp_path / "one", tmp_path / "two", *words).done()["suggestions"]
    assert len(found) == 3
    assert [one["part"] for one in found if one["path"] == str(path)] == [0]
    pclseg("positions", tmp_path / "one", tmp_path / "two", "--json", tmp_path / "positions.json").done()
    assert [one["part"] for one in json.loads((tmp_path / "positions.json").read_text())["volumes"]] == [0, 1, 0, 1]


def test_a_model_of_another_slice_axis_is_refused_also_where_both_have_as_many_slices(tmp_path, volume, finetuned, pclseg):
    for number in range(3):
        volume(tmp_path / "images" / f"case{number}.nrrd", seed=number, shape=(24, 24, 24))
    words = ("suggest", tmp_path / "images", "--model", finetuned / "model.safetensors")
    pclseg(*words).done()
    pclseg(*words, "--axis", "coronal").refusal("the slices compared are coronal")
