"""Label maps and lists of cases that cannot be used, and calls that ask for what is not there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

Write = Callable[..., Path]


@pytest.fixture
def two(tmp_path: Path, volume: Write, labels_of: Write) -> Path:
    """A folder with images and labels of the cases ``a`` and ``b``."""
    for seed, name in enumerate("ab"):
        volume(tmp_path / "data" / "images" / f"{name}.nii.gz", seed=seed)
        labels_of(tmp_path / "data" / "labels" / f"{name}.nii.gz")
    return tmp_path / "data"


@pytest.fixture
def finetune(two: Path, tmp_path: Path, pclseg: Callable, small: tuple[str, ...]) -> Callable:
    """Calls finetune on these cases."""
    return lambda *words: pclseg("finetune", two / "images", two / "labels", "--out", tmp_path / "run", *small, *words)


def trained(tmp_path: Path) -> bool:
    return (tmp_path / "run" / "model.safetensors").exists() or (tmp_path / "run" / "plan.json").exists()


def test_labels_of_another_size_are_skipped_and_refused_when_strict(two, tmp_path, finetune, labels_of):
    bad = labels_of(two / "labels" / "b.nii.gz", shape=(5, 20, 24))
    outcome = finetune()
    assert outcome.done()["trained_on"] == ["a"]
    assert sum(str(bad) in warning and "24 x 20 x 5" in warning for warning in outcome.warnings) == 1
    finetune("--strict").refusal(bad, "24 x 20 x 5", "24 x 20 x 6")


def test_labels_of_another_size_are_refused_when_alone(two, tmp_path, finetune, labels_of):
    bad = labels_of(two / "labels" / "b.nii.gz", shape=(5, 20, 24))
    finetune("--cases", "b").refusal(bad)
    assert not trained(tmp_path)


@pytest.mark.parametrize(
    ("value", "dtype"), [(-1, np.int16), (300, np.int16), (0.5, np.float32), (np.nan, np.float32)], ids=str
)
def test_values_that_are_no_labels_are_skipped_and_refused_when_strict(two, tmp_path, finetune, value, dtype):
    bad = two / "labels" / "b.nii.gz"
    stored = nib.load(bad)
    voxels = stored.get_fdata().astype(dtype)
    voxels[4, 3, 2] = value
    nib.save(nib.Nifti1Image(voxels, stored.affine), bad)
    outcome = finetune()
    assert outcome.done()["trained_on"] == ["a"]
    assert sum(str(bad) in warning for warning in outcome.warnings) == 1
    finetune("--strict").refusal(bad)
    finetune("--cases", "b").refusal(bad)


def test_values_beyond_the_classes_are_skipped_and_refused_when_strict(two, tmp_path, finetune, labels_of):
    bad = labels_of(two / "labels" / "b.nii.gz", value=7)
    outcome = finetune("--classes", 1, 2)
    assert outcome.done()["trained_on"] == ["a"]
    (warning,) = outcome.warnings
    assert f"{bad} hold the value 7" in warning
    finetune("--classes", 1, 2, "--strict").refusal(bad, "7", "--classes")
    finetune("--classes", 1, 2, "--cases", "b").refusal(bad, "7", "--classes")
    assert finetune("--classes", 1, 2, 7).done()["trained_on"] == ["a", "b"]


@pytest.mark.parametrize("value", [0, 255, 256, -3, "liver"])
def test_a_class_that_no_label_can_have_is_refused(tmp_path, finetune, value):
    finetune("--classes", 1, value).refusal(value)
    assert not trained(tmp_path)


@pytest.mark.parametrize("value", [0, 255])
def test_labels_without_any_annotation_are_refused(two, tmp_path, finetune, volume, value):
    for name in "ab":
        volume(two / "labels" / f"{name}.nii.gz", np.full((6, 20, 24), value, np.uint8))
    finetune().refusal("nnotate", two if value == 0 else "case")
    assert not trained(tmp_path)


def test_a_case_without_any_foreground_is_trained_on_beside_others(two, finetune, volume):
    volume(two / "labels" / "b.nii.gz", np.zeros((6, 20, 24), np.uint8))
    assert finetune().done()["trained_on"] == ["a", "b"]


def test_an_image_given_as_labels_is_refused(two, tmp_path, pclseg, small):
    words = ("finetune", two / "images", two / "images", "--out", tmp_path / "run", *small)
    pclseg(*words).refusal(two / "images")


def test_labels_that_match_no_image_are_refused_with_the_rule_of_names(two, tmp_path, pclseg, small, labels_of):
    labels_of(two / "other" / "zebra.nii.gz")
    words = ("finetune", two / "images", two / "other", "--out", tmp_path / "run", *small)
    pclseg(*words).refusal(two / "other", "_seg")


def test_many_labels_without_images_give_one_warning(two, finetune, labels_of):
    for k in range(20):
        labels_of(two / "labels" / f"other{k:02d}.nii.gz")
    (warning,) = finetune().warnings
    assert "20" in warning
    assert "other00.nii.gz" in warning
    assert len(warning) < 400


def test_an_unknown_case_is_refused_with_the_known_ones(tmp_path, finetune):
    finetune("--cases", "a", "zebra").refusal("zebra", "a, b")
    assert not (tmp_path / "run").exists()


def test_an_unknown_case_to_hold_out_is_refused_with_the_known_ones(tmp_path, finetune):
    finetune("--hold-out", "zebra").refusal("zebra", "a, b")
    assert not trained(tmp_path)


def test_holding_out_the_only_case_is_refused(tmp_path, finetune):
    finetune("--cases", "a", "--hold-out", "a").refusal("left to train on", "--hold-out none")
    assert not trained(tmp_path)


def test_a_held_out_case_without_annotation_is_refused_before_training(two, tmp_path, finetune, volume):
    volume(two / "labels" / "b.nii.gz", np.full((6, 20, 24), 255, np.uint8))
    line = finetune("--hold-out", "b").refusal("no case 'b' to hold out")
    assert "Choose one of a." in line
    assert not trained(tmp_path)


def test_only_the_listed_slices_of_a_case_are_learned_from(two, tmp_path, finetune):
    (tmp_path / "slices.json").write_text('{"a": [2, 3]}')
    outcome = finetune("--annotated-slices", tmp_path / "slices.json", "--cases", "a", "--batch", 4, "--steps", 3)
    outcome.done()
    assert {event["epoch"] for event in outcome.named("metric")} == {1, 2, 3}  # two slices are one step


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ('{"a": [2, 6]}', "no slice 6"),
        ('{"a": [-1]}', "no slice -1"),
        ('{"a": [], "b": []}', "nnotate"),
        ('{"zebra": [1]}', "zebra"),
        ('{"a": ["1"]}', "whole numbers"),
        ('{"a": [true]}', "whole numbers"),
        ('{"a": 1}', "whole numbers"),
        ("[1, 2]", "whole numbers"),
        ("", "JSON"),
        ("\x00\xff", "JSON"),
        (None, "No such file"),
    ],
)
def test_a_bad_list_of_annotated_slices_is_refused(tmp_path, finetune, text, fragment):
    if text is not None:
        (tmp_path / "slices.json").write_bytes(text.encode("latin-1"))
    finetune("--annotated-slices", tmp_path / "slices.json").refusal(fragment, tmp_path / "slices.json")
    assert not trained(tmp_path)


def test_the_list_of_annotated_slices_may_name_a_case_that_cannot_be_prepared(two, tmp_path, finetune, volume):
    bad = volume(two / "images" / "b.nii.gz", np.zeros((6, 20, 24), np.int16))
    (tmp_path / "slices.json").write_text('{"a": [2, 3], "b": [7]}')
    outcome = finetune("--annotated-slices", tmp_path / "slices.json")
    assert outcome.done()["trained_on"] == ["a"]
    (warning,) = [event for event in outcome.named("warning") if "left out" in event["message"]]
    assert warning["path"] == str(bad)


@pytest.mark.parametrize("text", ["{", '{"labels": ["liver"]}', '{"labels": {"liver": "one"}}'])
def test_bad_class_names_are_refused_before_training(two, tmp_path, finetune, text):
    (two / "dataset.json").write_text(text)
    finetune().refusal(two / "dataset.json")
    assert not trained(tmp_path)


def test_classes_of_one_name_keep_their_own_figures(two, tmp_path, finetune, volume, labels_of):
    volume(two / "images" / "c.nii.gz", seed=3)
    for name in "abc":
        path = labels_of(two / "labels" / f"{name}.nii.gz")
        voxels = np.zeros((6, 20, 24), np.uint8)
        voxels[:, 6:10, 8:16], voxels[:, 10:14, 8:16] = 1, 2
        volume(path, voxels)
    (two / "dataset.json").write_text(json.dumps({"labels": {"0": "background", "1": "kidney", "2": "kidney"}}))
    ((_, figures),) = finetune().done()["held_out"].items()
    assert len(figures) == 2


def test_slices_of_255_take_no_part_and_a_case_of_nothing_else_is_left_out(two, finetune, volume):
    voxels = np.full((6, 20, 24), 255, np.uint8)
    volume(two / "labels" / "b.nii.gz", voxels)
    outcome = finetune()
    assert outcome.done()["trained_on"] == ["a"]
    assert outcome.warnings == ["No slice of b is annotated. It is left out."]
    voxels[3, 6:14, 8:16] = 1
    volume(two / "labels" / "b.nii.gz", voxels)
    outcome = finetune("--cases", "b", "--batch", 1, "--steps", 2)
    assert {event["epoch"] for event in outcome.named("metric")} == {1, 2}  # its one annotated slice is one step
