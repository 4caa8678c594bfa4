"""``experiment``: the protocol on four small hearts, what it leaves, and what it refuses."""

from __future__ import annotations

import json

import pytest

from pcl_core.commands import experiment_cells
from pcl_core.errors import InputError
from pcl_core.training.weights import load_weights
from Testing.commands.experiments import PLAN, cancel_at, rows_of


def test_an_experiment_leaves_results_a_table_a_curve_and_what_they_came_from(unbroken, leftovers):
    assert {path.name for path in unbroken.iterdir()} == {
        "results.csv", "table.md", "curve.png", "experiment.json", "encoders", "cells", "banks",
    }  # fmt: skip
    rows = rows_of(unbroken)
    assert [(row["method"], row["labelled"], row["fold"]) for row in rows] == [
        ("random", "1", "1"), ("pcl", "1", "1"), ("random", "2", "1"), ("pcl", "2", "1"),
    ]  # fmt: skip
    assert {"dice right ventricle", "dice myocardium", "dice left ventricle", "pooled_dice", "hd95_mm"} < rows[0].keys()
    assert "| pcl |" in (unbroken / "table.md").read_text()
    assert "test fold included" in (unbroken / "table.md").read_text()
    assert "n=2" in (unbroken / "table.md").read_text()
    assert [path.name for path in (unbroken / "encoders").iterdir()] == [f"pcl-t{rows[1]['threshold']}_seed0"]
    assert list(unbroken.rglob("model.safetensors")) == []
    assert list(unbroken.rglob("state")) == []
    assert leftovers(unbroken) == []


def test_methods_share_their_annotated_patients_which_are_nested_and_never_tested(unbroken):
    random, pcl = ([row["patients"].split(";") for row in rows_of(unbroken) if row["method"] == m] for m in ("random", "pcl"))
    assert random == pcl
    assert set(random[0]) < set(random[1])
    for path in (unbroken / "cells").glob("*/evaluation.json"):
        assert not set(json.loads(path.read_text())["cases"]) & set(random[1])
        assert len(json.loads(path.read_text())["cases"]) == 2


def test_a_pool_without_the_test_fold_gives_an_encoder_a_fold_that_never_saw_it(config, pclseg, tmp_path):
    path = config("train.json", methods=["simclr"], labelled=[1], use_folds=[0, 1], pool="train")
    pclseg("experiment", path, "--out", tmp_path / "out").done()
    assert "without those of the test fold" in (tmp_path / "out" / "table.md").read_text()
    for fold in (0, 1):
        _, about = load_weights(tmp_path / "out" / "encoders" / f"simclr_fold{fold}_seed0" / "encoder.safetensors", "encoder")
        judged = json.loads((tmp_path / "out" / "cells" / f"simclr_m1_fold{fold}_seed0" / "evaluation.json").read_text())
        assert len(about.data) == len(judged["cases"]) == 2
        assert not set(about.data) & set(judged["cases"])


def test_a_transfer_pretrains_on_the_other_data_set_and_fine_tunes_by_a_plan_of_its_own(config, volume, pclseg, tmp_path):
    for k in range(3):
        volume(tmp_path / "other" / f"case{k}.nii.gz", seed=k)
    path = config(
        "transfer.json",
        labelled=[1],
        pretrain_on={"images": str(tmp_path / "other")},
        target_plan={"slices": {"size": 48}},
        thresholds=[0.5],
    )
    assert pclseg("experiment", path, "--out", tmp_path / "out").done()["cells"] == 3
    encoders = sorted((tmp_path / "out" / "encoders").glob("*/encoder.safetensors"))
    assert len(encoders) == 2
    for encoder in encoders:
        _, about = load_weights(encoder, "encoder")
        assert (set(about.data), about.plan.slices.size) == ({"case0", "case1", "case2"}, 32)
    plans = [json.loads(path.read_text())["slices"] for path in (tmp_path / "out" / "cells").glob("*/plan.json")]
    assert [plan["size"] for plan in plans] == [48, 48, 48]
    assert {row["setting"] for row in rows_of(tmp_path / "out")} == {"transfer"}
    assert "t = 0.5" in (tmp_path / "out" / "table.md").read_text()


@pytest.mark.parametrize(
    ("values", "fragments"),
    [
        ({"methods": ["random", "rotaton"]}, ["rotaton", "rotation"]),
        ({"methods": ["random", "SimCLR"]}, ["SimCLR", "'simclr'"]),
        ({"label": [2]}, ["'label'", "'labels'"]),
        ({"labelled": [3]}, ["2 patients", "not 3"]),
        ({"folds": 5}, ["4 annotated patients", "5 folds"]),
        ({"same_patient": [["heart_000", "heart_01"]]}, ["heart_01", "heart_001"]),
        ({"same_patient": [["heart_000", "heart_001", "heart_002"]], "folds": 3}, ["2 annotated patients", "3 folds"]),
        ({"images": "nowhere"}, ["nowhere"]),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(values, fragments, config, pclseg, tmp_path):
    pclseg("experiment", config("bad.json", **values), "--out", tmp_path / "out").refusal(*fragments)
    assert not (tmp_path / "out").exists()


def test_a_cell_that_fails_is_named_and_the_others_go_on(unbroken, config, pclseg, tmp_path, monkeypatch):
    real = experiment_cells.finetune

    def finetune(annotations, plan, out, *rest):
        if out.name.startswith("pcl") and "_m1_" in out.name:
            raise InputError("The loss is not a number.", "Lower the learning rate.")
        return real(annotations, plan, out, *rest)

    monkeypatch.setattr(experiment_cells, "finetune", finetune)
    name = next(path.name for path in (unbroken / "cells").glob("pcl*_m1_*"))
    outcome = pclseg("experiment", config(), "--out", tmp_path / "out")
    outcome.refusal("1 of 4 cells failed", name, "The loss is not a number", "Lower", "--resume")
    assert any(name in message for message in outcome.warnings)
    done = [row for row in rows_of(unbroken) if (row["method"], row["labelled"]) != ("pcl", "1")]
    assert rows_of(tmp_path / "out") == done
    monkeypatch.undo()
    assert pclseg("experiment", config(), "--out", tmp_path / "out", "--resume").done()["done_now"] == 1
    assert sorted(rows_of(tmp_path / "out"), key=str) == sorted(rows_of(unbroken), key=str)


def test_where_to_set_what_a_training_would_have_otherwise_is_told(config, pclseg, tmp_path):
    diverging = {**PLAN, "finetune": {"steps": 4, "batch": 4, "learning_rate": 1e30}}
    path = config("diverging.json", methods=["random"], labelled=[1], plan=diverging)
    outcome = pclseg("experiment", path, "--out", tmp_path / "out")
    outcome.refusal("diverged", "--learning-rate", 'under "plan"', "another --out", "--resume")


def test_an_encoder_that_fails_is_not_pretrained_again_for_every_cell(config, pclseg, tmp_path, monkeypatch):
    calls = []

    def pretrain(*_):
        calls.append(1)
        raise InputError("The loss is not a number.", "Lower the learning rate.")

    monkeypatch.setattr(experiment_cells, "pretrain", pretrain)
    pclseg("experiment", config(), "--out", tmp_path / "out").refusal("2 of 4 cells failed")
    assert len(calls) == 1
    assert [row["method"] for row in rows_of(tmp_path / "out")] == ["random", "random"]


def test_a_seed_on_the_command_line_is_refused_since_seeds_stand_in_the_configuration(config, pclseg, tmp_path):
    pclseg("experiment", config(), "--out", tmp_path / "out", "--seed", "3").refusal("seeds")


def test_several_experiments_by_one_command_have_folders_of_their_own_and_one_table(config, pclseg, tmp_path, monkeypatch):
    first = config("first.json", name="First", methods=["random"], labelled=[1])
    config("second.json", name="Second", methods=["random"], labelled=[2])
    both = first.parent / "both.json"
    both.write_text(json.dumps({"name": "Table 1", "experiments": ["first.json", "second.json"]}))
    out = tmp_path / "out"
    cancel_at("experiment", 1, monkeypatch)
    assert pclseg("experiment", both, "--out", out).code == 3
    monkeypatch.undo()
    assert [path.name for path in out.iterdir() if path.is_dir()] == ["first"]
    pclseg("experiment", both, "--out", out).refusal(out / "first", "--resume")
    summary = pclseg("experiment", both, "--out", out, "--resume").done()
    assert (summary["cells"], summary["done_now"]) == (2, 1)
    assert set(summary["dice"]) == {"first", "second"}
    text = (out / "table.md").read_text()
    assert text.startswith("# Table 1\n")
    assert text.index("\n## First\n") < text.index("\n## Second\n")
    assert [row["labelled"] for name in ("first", "second") for row in rows_of(out / name)] == ["1", "2"]


def test_a_data_set_that_is_missing_is_told_before_the_first_is_trained_on(config, pclseg, tmp_path):
    first = config("here.json", methods=["random"], labelled=[1])
    config("away.json", methods=["random"], labelled=[1], images="nowhere")
    both = first.parent / "two.json"
    both.write_text(json.dumps({"name": "Table 1", "experiments": ["here.json", "away.json"]}))
    pclseg("experiment", both, "--out", tmp_path / "out").refusal("nowhere")
    assert not (tmp_path / "out").exists()
