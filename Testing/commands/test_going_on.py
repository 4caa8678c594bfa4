"""``finetune`` from an earlier model, with a list of classes, and with every patient left out in turn."""

from __future__ import annotations

import json
import shutil

import pytest

from pcl_core.training.weights import load_weights
from pcl_core.volumes.cases import find_cases
from pcl_core.volumes.reading import read_labels
from pcl_core.volumes.writing import write_volume

CLASSES = [
    {"value": 1, "name": "RV", "color": [0.2, 0.4, 0.9], "terminology": "SCT^1"},
    {"value": 2, "name": "wall", "color": [0.9, 0.4, 0.2], "terminology": ""},
    {"value": 3, "name": "LV", "color": [0.9, 0.1, 0.1], "terminology": ""},
]


@pytest.fixture
def finetune(hearts, tmp_path, pclseg):
    """Fine-tunes for a blink."""

    def run(*words, name="run"):
        data = (hearts / "imagesTr", hearts / "labelsTr")
        return pclseg("finetune", *data, "--out", tmp_path / name, "--steps", 3, "--batch", 4, *words)

    return run


@pytest.fixture
def class_list(tmp_path):
    def write(classes):
        (tmp_path / "classes.json").write_text(json.dumps(classes))
        return tmp_path / "classes.json"

    return write


def test_names_colours_and_terminology_of_the_list_are_kept_in_the_model(finetune, class_list, tmp_path, small):
    finetune("--class-list", class_list(CLASSES), "--size", 32, "--filters", 4).done()
    _, about = load_weights(tmp_path / "run" / "model.safetensors", "unet")
    assert [(c.value, c.name, list(c.color), c.terminology) for c in about.classes] == [
        (c["value"], c["name"], c["color"], c["terminology"]) for c in CLASSES
    ]


def test_a_class_of_the_list_that_nobody_has_drawn_yet_stays_a_class(finetune, class_list, tmp_path):
    more = [*CLASSES, {"value": 9, "name": "scar", "color": [1, 1, 0]}]
    finetune("--class-list", class_list(more), "--size", 32, "--filters", 4).done()
    _, about = load_weights(tmp_path / "run" / "model.safetensors", "unet")
    assert [c.name for c in about.classes] == ["RV", "wall", "LV", "scar"]


@pytest.mark.parametrize(
    ("classes", "fragment"),
    [
        ([{"value": 300, "name": "a", "color": [0, 0, 0]}], "300 cannot be a class"),
        ([{"value": 1, "name": "a", "color": [0, 0, 256]}], "color of 'a'"),
        ([{"value": 1, "name": "a", "colour": [0, 0, 0]}], "unknown key 'colour'"),
        ([CLASSES[0], CLASSES[0]], "value twice"),
        ([CLASSES[0], {**CLASSES[1], "name": "RV"}], "name twice"),
        ({"1": "RV"}, "classes"),
    ],
    ids=str,
)
def test_a_list_that_makes_no_sense_is_refused(classes, fragment, finetune, class_list):
    path = class_list(classes)
    finetune("--class-list", path, "--size", 32, "--filters", 4).refusal(fragment, path)


def test_a_model_is_gone_on_from_with_its_plan_and_classes(finetune, finetuned, tmp_path):
    model = finetuned / "model.safetensors"
    summary = finetune("--model", model).done()
    tensors, before = load_weights(model, "unet")
    _, after = load_weights(tmp_path / "run" / "model.safetensors", "unet")
    assert summary["tensors_transferred"] == len(tensors)
    assert after.classes == before.classes
    assert (after.plan.slices, after.plan.network) == (before.plan.slices, before.plan.network)


def test_an_encoder_and_a_model_are_not_both_begun_with(finetune, finetuned, pretrained):
    words = ("--model", finetuned / "model.safetensors", "--encoder", pretrained / "encoder.safetensors")
    finetune(*words).refusal("--encoder", "--model")


def test_leaving_each_patient_out_tells_dice_on_every_case_and_keeps_one_model(finetune, tmp_path, leftovers):
    summary = finetune("--leave-one-out", "--hold-out", "none", "--size", 32, "--filters", 4).done()
    assert set(summary["leave_one_out"]) == set(summary["trained_on"])
    assert len(summary["leave_one_out"]) == 4
    assert summary["held_out"] == {}
    document = json.loads((tmp_path / "run" / "validation.json").read_text())
    assert document["leave_one_out"] == summary["leave_one_out"]
    assert [path.parent.name for path in (tmp_path / "run").rglob("model.safetensors")] == ["run"]
    assert leftovers(tmp_path / "run") == []


def test_one_patient_alone_cannot_be_left_out_which_is_said_before_the_training(finetune, tmp_path):
    finetune("--leave-one-out", "--cases", "heart_000", "--size", 32, "--filters", 4).refusal("One patient alone")
    assert not (tmp_path / "run" / "model.safetensors").exists()


def warned(outcome):
    return [text for text in outcome.warnings if text.startswith("The model gone on from was trained on")]


@pytest.fixture
def of_two(finetune, tmp_path):
    """A model of two of the four hearts, with their ids."""
    finetune("--cases", "heart_000", "heart_001", "--size", 32, "--filters", 4, name="first").done()
    return tmp_path / "first" / "model.safetensors", ["heart_000", "heart_001"]


def test_what_a_model_has_learned_from_is_not_held_out_when_it_is_gone_on_from(finetune, of_two, tmp_path):
    model, learned = of_two
    outcome = finetune("--model", model)
    summary = outcome.done()
    assert summary["learned_before"] == learned
    (held_out,) = summary["held_out"]
    assert held_out not in learned
    (warning,) = warned(outcome)
    assert "heart_000, heart_001" in warning
    document = json.loads((tmp_path / "run" / "validation.json").read_text())
    assert document["learned_before"] == learned
    assert warning in document["note"]


def test_what_was_learned_two_models_ago_is_known_although_more_was_drawn_since(finetune, of_two, hearts, tmp_path, pclseg):
    model, _learned = of_two
    finetune("--model", model, "--cases", "heart_002", name="second").done()
    first = next((hearts / "labelsTr").glob("heart_000*"))
    shutil.copytree(hearts, tmp_path / "more")
    source = next(one.labels for one in find_cases(hearts / "imagesTr", hearts / "labelsTr").cases if one.id == "heart_000")
    drawn = read_labels(source).copy()
    drawn[0] = 1
    write_volume(tmp_path / "more" / "labelsTr" / first.name, drawn, source.geometry)
    data = (tmp_path / "more" / "imagesTr", tmp_path / "more" / "labelsTr")
    second = tmp_path / "second" / "model.safetensors"
    summary = pclseg("finetune", *data, "--out", tmp_path / "run", "--steps", 3, "--batch", 4, "--model", second).done()
    assert summary["learned_before"] == ["heart_000", "heart_001", "heart_002"]
    assert summary["held_out"] == {}
    assert "heart_003" in summary["trained_on"]


def test_only_new_patients_are_left_out_in_turn_when_a_model_is_gone_on_from(finetune, of_two):
    model, learned = of_two
    summary = finetune("--model", model, "--leave-one-out", "--hold-out", "none").done()
    assert sorted(summary["leave_one_out"]) == ["heart_002", "heart_003"]
    outcome = finetune("--model", model, "--leave-one-out", "--cases", *learned, name="same")
    assert outcome.done()["leave_one_out"] == {}
    assert warned(outcome)


def test_a_case_that_was_learned_from_can_be_held_out_by_name_and_is_told_as_such(finetune, of_two, tmp_path):
    outcome = finetune("--model", of_two[0], "--hold-out", "heart_000")
    assert list(outcome.done()["held_out"]) == ["heart_000"]
    assert warned(outcome)


def test_cases_of_one_patient_by_the_list_are_held_out_together(finetune, tmp_path, small):
    patients = {"heart_000": "one", "heart_001": "one", "heart_002": "two", "heart_003": "three"}
    (tmp_path / "patients.json").write_text(json.dumps(patients))
    words = ("--patients", tmp_path / "patients.json", "--hold-out", "heart_000", "--size", 32, "--filters", 4)
    assert sorted(finetune(*words).done()["held_out"]) == ["heart_000", "heart_001"]


@pytest.mark.parametrize(
    ("text", "fragment"), [('{"x": "one"}', "the case 'x'"), ('{"heart_000": 1}', "does not fit"), ("{", "JSON")]
)
def test_a_list_of_patients_that_does_not_fit_is_refused(finetune, tmp_path, text, fragment):
    (tmp_path / "patients.json").write_text(text)
    finetune("--patients", tmp_path / "patients.json", "--size", 32, "--filters", 4).refusal(
        fragment, tmp_path / "patients.json"
    )
