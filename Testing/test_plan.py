from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcl_core.errors import InputError
from pcl_core.plan import Fingerprint, Plan, load_plan, steps_in
from pcl_core.presets import PRESETS, DeviceFacts, make_plan
from Testing.making import tiny_plan

FINGERPRINT = Fingerprint(20, 200, 10.0, (8.0, 1.5, 1.5), 350.0, 400.0, (0.0, 900.0))


def changed(dotted: str, value: Any) -> dict[str, Any]:
    """The JSON of a plan with one value replaced, or added."""
    data = json.loads(json.dumps(replace(tiny_plan(), fingerprint=FINGERPRINT).to_json()))
    *parents, last = dotted.split(".")
    inner = data
    for key in parents:
        inner = inner[key]
    inner[last] = value
    return data


@pytest.mark.parametrize("preset", PRESETS)
def test_a_plan_survives_its_file(preset: str, tmp_path: Path) -> None:
    plan = make_plan(preset, FINGERPRINT, DeviceFacts("cpu", 2**33))
    plan.save(tmp_path / "plan.json")
    assert load_plan(tmp_path / "plan.json") == plan


def test_a_plan_without_fingerprint_survives_json() -> None:
    plan = tiny_plan()
    assert plan.fingerprint is None
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_an_unknown_key_fails_with_the_nearest_name() -> None:
    with pytest.raises(InputError) as caught:
        Plan.from_json(changed("slices.resolution", 1.0))
    assert "plan.slices has an unknown key 'resolution'" in caught.value.message
    assert caught.value.hint == "Did you mean 'resolution_mm'?"


def test_an_unknown_key_that_is_like_no_other_still_says_what_to_do() -> None:
    with pytest.raises(InputError, match="'zzz'") as caught:
        Plan.from_json(changed("zzz", 1.0))
    assert caught.value.hint


def test_a_missing_key_is_named() -> None:
    data = tiny_plan().to_json()
    del data["pretrain"]["batch"]
    with pytest.raises(InputError, match=r"plan\.pretrain lacks 'batch'"):
        Plan.from_json(data)


def test_keys_that_were_added_with_a_default_may_be_missing() -> None:
    data = tiny_plan().to_json()
    del data["slices"]["low_percentile"], data["fingerprint"], data["reasons"]
    assert Plan.from_json(data) == tiny_plan()


@pytest.mark.parametrize(
    ("dotted", "value"),
    [
        ("slices.size", "64"),
        ("slices.size", 64.0),
        ("slices.size", True),
        ("slices.size", None),
        ("slices.axis", "oblique"),
        ("slices.axis", []),
        ("slices", None),
        ("slices", []),
        ("fingerprint.spacing_mm", [1.0, 2.0]),
        ("fingerprint.spacing_mm", 1.0),
        ("fingerprint.intensity", ["0", "1"]),
        ("finetune.loss", "dice"),
        ("pretrain.steps", 1.5),
        ("pretrain.augmentation.mirror", 1),
        ("pretrain.learning_rate", "0.1"),
        ("preset", None),
        ("reasons", []),
        ("reasons", {"slices.size": 3}),
    ],
)
def test_a_value_of_another_type_fails_and_is_named(dotted: str, value: Any) -> None:
    with pytest.raises(InputError) as caught:
        Plan.from_json(changed(dotted, value))
    assert f"plan.{dotted}" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("dotted", "value"),
    [
        ("slices.size", 0),
        ("slices.size", -16),
        ("slices.size", 100),
        ("slices.resolution_mm", 0.0),
        ("slices.resolution_mm", float("nan")),
        ("slices.resolution_mm", float("inf")),
        ("slices.low_percentile", -1.0),
        ("slices.low_percentile", 99.5),
        ("slices.high_percentile", 101.0),
        ("network.filters", 0),
        ("network.projection", 0),
        ("pretrain.threshold", -0.1),
        ("pretrain.threshold", float("inf")),
        ("pretrain.temperature", 0.0),
        ("pretrain.batch", 0),
        ("pretrain.steps", 0),
        ("pretrain.steps", None),
        ("pretrain.epochs", 3),
        ("pretrain.learning_rate", -1.0),
        ("pretrain.warmup", 1.5),
        ("pretrain.momentum", 1.0),
        ("pretrain.weight_decay", -1.0),
        ("pretrain.augmentation.scale_low", 0.0),
        ("pretrain.augmentation.scale_high", 0.5),
        ("pretrain.augmentation.gamma", 0.5),
        ("pretrain.augmentation.elastic_grid", 0),
        ("finetune.batch", -1),
        ("finetune.ema", 1.0),
        ("finetune.augmentation.noise", float("nan")),
    ],
)
def test_a_value_out_of_range_fails_and_is_named(dotted: str, value: Any) -> None:
    with pytest.raises(InputError) as caught:
        Plan.from_json(changed(dotted, value))
    assert "plan: " in caught.value.message
    assert dotted.rsplit(".", maxsplit=1)[-1] in caught.value.message
    assert caught.value.hint


def test_whole_numbers_are_taken_where_fractions_may_stand() -> None:
    plan = Plan.from_json(changed("slices.resolution_mm", 2))
    assert plan.slices.resolution_mm == 2.0
    assert type(plan.slices.resolution_mm) is float


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "3", '{"preset": "paper"}'])
def test_a_file_that_is_no_plan_is_refused_by_name(content: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"mine\.json"):
        load_plan(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="is not a plan"):
        load_plan(tmp_path / "plan.json")


def test_a_missing_plan_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.json"):
        load_plan(tmp_path / "absent.json")


def test_an_override_replaces_a_decision_and_its_reason_only() -> None:
    plan = make_plan("recommended", FINGERPRINT, DeviceFacts("cpu", 2**33))
    other = plan.override(pretrain__batch=5, network__filters=None)
    assert other.pretrain.batch == 5
    assert other.reasons["pretrain.batch"] == "Set by the user."
    unchanged = {name: reason for name, reason in other.reasons.items() if name != "pretrain.batch"}
    assert unchanged == {name: reason for name, reason in plan.reasons.items() if name != "pretrain.batch"}
    assert replace(other, pretrain=plan.pretrain, reasons=plan.reasons) == plan


def test_an_override_leaves_the_plan_that_it_was_asked_of() -> None:
    plan = tiny_plan()
    plan.override(slices__size=96)
    assert plan == tiny_plan()


@pytest.mark.parametrize(
    ("steps", "epochs", "slices", "batch", "expected"),
    [(7, None, 100, 8, 7), (None, 3, 100, 8, 39), (None, 3, 96, 8, 36), (None, 2, 5, 8, 2), (None, 1, 1, 1, 1)],
)
def test_a_budget_is_counted_in_steps(steps: int | None, epochs: int | None, slices: int, batch: int, expected: int) -> None:
    assert steps_in(steps, epochs, slices, batch) == expected


@given(st.integers(1, 5), st.integers(1, 500), st.integers(1, 64))
def test_epochs_see_every_slice_in_the_fewest_steps(epochs: int, slices: int, batch: int) -> None:
    steps = steps_in(None, epochs, slices, batch)
    assert steps % epochs == 0
    assert (steps // epochs) * batch >= slices > (steps // epochs - 1) * batch
