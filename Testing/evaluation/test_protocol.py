"""CONFIG.json: what is wrong with it is said before any work, with the nearest valid name."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from pcl_core.errors import InputError
from pcl_core.evaluation.cells import cells_of
from pcl_core.evaluation.overriding import overridden_plan
from pcl_core.evaluation.protocol import METHODS, ExperimentConfig, load_config
from pcl_core.pretext.registry import NAMES
from Testing.making import tiny_plan

LEAST = {"name": "Hearts", "images": "images", "labels": "labels", "methods": ["random", "pcl"], "labelled": [2, 4], "folds": 3}


@pytest.fixture
def load(tmp_path):
    """Reads a configuration with some keys set, or left out where they are ``...``."""

    def read(**values):
        data = {key: value for key, value in {**LEAST, **values}.items() if value is not ...}
        (tmp_path / "CONFIG.json").write_text(json.dumps(data))
        return load_config(tmp_path / "CONFIG.json")

    return read


def test_paths_are_relative_to_the_file_and_absolute_ones_stay(load, tmp_path):
    config = load(images="/data/images", pretrain_on={"images": "../other"})
    assert str(config.images) == "/data/images"
    assert config.labels == tmp_path / "labels"
    assert config.pretrain_on.images == tmp_path / "../other"


def test_what_is_left_out_is_the_protocol_of_the_paper(load):
    config = load()
    assert (config.setting, config.pool, config.folds_to_run, config.seeds) == ("semi-supervised", "all", (0, 1, 2), (0,))
    assert load(pretrain_on={"images": "other"}).setting == "transfer"


def test_an_encoder_a_fold_is_needed_only_where_the_pool_leaves_the_test_fold_out(load):
    assert load(pool="train").encoder_per_fold
    assert not load(pool="all").encoder_per_fold
    assert not load(pool="train", pretrain_on={"images": "other"}).encoder_per_fold


def test_every_method_of_the_registry_can_be_compared_with_random_weights(load):
    assert set(METHODS) == {"random", *NAMES}
    assert load(methods=list(METHODS)).methods == METHODS


@pytest.mark.parametrize(
    ("values", "fragments"),
    [
        ({"methods": ["random", "simcrl"]}, ["simcrl", "simclr"]),
        ({"methodes": ["pcl"]}, ["methodes", "methods"]),
        ({"SEEDS": [1]}, ["SEEDS", "Did you mean 'seeds'"]),
        ({"layout": "adcd"}, ["adcd", "acdc"]),
        ({"preset": "papper"}, ["papper", "'paper'"]),
        ({"axis": "axal"}, ["axis", "axal", "axial"]),
        ({"pool": "training"}, ["pool", "training", "'train'"]),
        ({"pretrain_on": {"images": "x", "layuot": "chd"}}, ["pretrain_on", "layuot", "layout"]),
        ({"pretrain_on": {"images": "x", "layout": "cdh"}}, ["cdh", "chd"]),
        ({"plan": {"slice": {"size": 64}}}, ["plan", "slice", "slices"]),
        ({"plan": {"pretrain": {"step": 64}}}, ["plan.pretrain", "step", "steps"]),
        ({"plan": {"pretrain": {"augmentation": {"mirrors": True}}}}, ["mirrors", "mirror"]),
        ({"plan": {"pretrain": {"method": "pcl"}}}, ["pretrain.method", "methods"]),
        ({"plan": {"slices": {"axis": "axial"}}}, ["slices.axis", "axis"]),
        ({"plan": {"slices": {"size": 63}}}, ["slices.size", "multiple of 16"]),
        ({"plan": {"finetune": {"steps": "many"}}}, ["finetune.steps", "many", "Write it as"]),
        ({"target_plan": {"slices": {"size": 64}}}, ["target_plan", "pretrain_on"]),
        ({"target_plan": {"network": {"filters": 4}}, "pretrain_on": {"images": "x"}}, ["target_plan", "network"]),
        ({"labelled": []}, ["labelled", "empty"]),
        ({"labelled": [0, 2]}, ["labelled", "0"]),
        ({"labelled": [2, 2]}, ["labelled", "twice"]),
        ({"labelled": 2}, ["labelled", "2"]),
        ({"methods": ["pcl", "pcl"]}, ["methods", "twice"]),
        ({"folds": 1}, ["folds", "1"]),
        ({"folds": "four"}, ["folds", "four"]),
        ({"use_folds": [3]}, ["use_folds", "3", "0 to 2"]),
        ({"use_folds": []}, ["use_folds", "empty"]),
        ({"seeds": [-1]}, ["seeds", "-1"]),
        ({"thresholds": [0.0]}, ["thresholds", "0.0"]),
        ({"classes": [255]}, ["classes", "255"]),
        ({"images": ...}, ["lacks 'images'"]),
        ({"keep_models": "no"}, ["keep_models", "no"]),
    ],
    ids=str,
)
def test_a_fault_is_named_with_what_was_meant(values, fragments, load):
    with pytest.raises(InputError) as caught:
        load(**values)
    assert caught.value.hint
    for fragment in fragments:
        assert fragment in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[]", "null"])
def test_a_file_that_is_no_configuration_is_refused_by_name(text, tmp_path):
    (tmp_path / "CONFIG.json").write_text(text)
    with pytest.raises(InputError, match=r"CONFIG\.json"):
        load_config(tmp_path / "CONFIG.json")


def test_a_configuration_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.json"):
        load_config(tmp_path / "nowhere.json")


def test_a_plan_takes_over_what_is_set_and_nothing_else():
    before = tiny_plan()
    after = overridden_plan(before, {"pretrain": {"epochs": 3, "augmentation": {"noise": 0.5}}, "slices": {"size": 64}}, "plan")
    assert (after.pretrain.steps, after.pretrain.epochs, after.slices.size) == (None, 3, 64)
    assert after.pretrain.augmentation.noise == 0.5
    assert after.pretrain.augmentation.scale_low == before.pretrain.augmentation.scale_low
    assert after.finetune == before.finetune
    assert set(after.reasons) - set(before.reasons) == {"pretrain.epochs", "pretrain.augmentation", "slices.size"}


def test_cells_are_all_combinations_and_methods_grow_side_by_side(load):
    cells = cells_of(load(seeds=[0, 1], use_folds=[2], thresholds=[0.1, 0.2]), tiny_plan())
    assert len(cells) == len(set(cells)) == len({cell.folder for cell in cells}) == 2 * 1 * 2 * 3
    assert [cell.variant for cell in cells[:3]] == ["random", "pcl-t0.2", "pcl-t0.1"]
    assert {(cell.labelled, cell.fold, cell.seed) for cell in cells[:3]} == {(2, 2, 0)}


def test_methods_that_know_no_threshold_have_none_and_those_that_do_take_the_plans(load):
    cells = cells_of(load(methods=["simclr", "gcl", "moco-pcl", "pcl"]), tiny_plan(pretrain__threshold=0.3))
    assert {cell.method: cell.threshold for cell in cells} == {"simclr": None, "gcl": None, "moco-pcl": 0.3, "pcl": 0.3}


def test_the_documentation_has_every_key_and_its_examples_can_be_read(load):
    text = (Path(__file__).parents[2] / "Docs" / "experiments.md").read_text(encoding="utf-8")
    described = {
        name for line in text.splitlines() if line.startswith("| `") for name in re.findall(r"`(\w+)`", line.split("|")[1])
    }
    assert described == {entry.name for entry in fields(ExperimentConfig)}
    examples = [json.loads(part) for part in re.findall(r"```json\n(.+?)```", text, re.DOTALL)]
    alone = [example for example in examples if "experiments" not in example]
    assert [load(**example).setting for example in alone] == ["semi-supervised", "transfer"]
