"""``suggest``: which case to annotate next, from files to a ranked list."""

from __future__ import annotations

import json

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
