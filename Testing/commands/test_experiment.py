"""``experiment``: the protocol on four small hearts, stopped in the middle and gone on with."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
import SimpleITK

from pcl_core import cli, events
from pcl_core.commands import experiment_cells
from pcl_core.errors import InputError
from pcl_core.training.weights import load_weights, save_weights
from Testing.conftest import call

PLAN = {
    "slices": {"size": 32},
    "network": {"filters": 4},
    "pretrain": {"steps": 4, "batch": 8},
    "finetune": {"steps": 4, "batch": 4},
}


@pytest.fixture(scope="module")
def config(hearts: Path, tmp_path_factory: pytest.TempPathFactory):
    """Writes a configuration, by default of two methods at M = 1 and 2 in one of two folds."""
    folder = tmp_path_factory.mktemp("config")
    (folder / "data").symlink_to(hearts)

    def write(file="CONFIG.json", **values) -> Path:
        least = {"name": "Hearts", "images": "data/imagesTr", "labels": "data/labelsTr", "methods": ["random", "pcl"]}
        data = {**least, "labelled": [1, 2], "folds": 2, "use_folds": [1], "plan": PLAN, **values}
        (folder / file).write_text(json.dumps(data))
        return folder / file

    return write


@pytest.fixture(scope="module")
def unbroken(config, tmp_path_factory) -> Path:
    """An experiment that nobody stopped. Read only."""
    out = tmp_path_factory.mktemp("unbroken") / "out"
    outcome = call(["experiment", config(), "--out", out, "--events"])
    assert outcome.code == 0, outcome
    return out


def rows_of(out: Path) -> list[dict[str, str]]:
    """The rows of results.csv without what no two runs share."""
    with (out / "results.csv").open(newline="", encoding="utf-8") as stream:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(stream)]


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


@pytest.mark.parametrize(("stage", "done"), [("pretrain", 2), ("finetune", 3), ("finetune", 4), ("experiment", 2)])
def test_a_cancelled_experiment_goes_on_to_the_results_of_an_unbroken_one(
    stage, done, unbroken, config, pclseg, tmp_path, monkeypatch, leftovers
):
    cancel_at(stage, done, monkeypatch)
    stopped = pclseg("experiment", config(), "--out", tmp_path / "out")
    assert stopped.code == 3
    assert stopped.events[-1]["kept"] == str(tmp_path / "out")
    assert not (tmp_path / "out" / "results.csv").exists() or len(rows_of(tmp_path / "out")) < 4
    monkeypatch.undo()
    summary = pclseg("experiment", config(), "--out", tmp_path / "out", "--resume").done()
    assert summary["cells"] == 4
    assert rows_of(tmp_path / "out") == rows_of(unbroken)
    assert (tmp_path / "out" / "table.md").read_text() == (unbroken / "table.md").read_text()
    assert leftovers(tmp_path / "out") == []


def cancel_at(stage, done, monkeypatch):
    """Asks the next command to stop when a stage reports that so many units are done."""
    asked = []
    real = cli.Cancellation

    def made():
        asked.append(real())
        return asked[-1]

    def progress(self, name, count, total):
        if name == stage and count >= done:
            asked[-1].request()

    monkeypatch.setattr(cli, "Cancellation", made)
    monkeypatch.setattr(events.Reporter, "progress", progress)


@pytest.mark.parametrize("fault", ["of another encoder", "damaged"])
def test_a_cell_whose_checkpoint_does_not_fit_is_begun_anew(fault, config, pclseg, tmp_path, monkeypatch):
    path = config("one.json", methods=["pcl"], labelled=[1])
    cancel_at("finetune", 3, monkeypatch)
    assert pclseg("experiment", path, "--out", tmp_path / "out").code == 3
    monkeypatch.undo()
    state = next((tmp_path / "out").glob("cells/*/state/state.safetensors"))
    if fault == "damaged":
        state.write_bytes(b"")
    else:
        encoder = next((tmp_path / "out").glob("encoders/*/encoder.safetensors"))
        tensors, about = load_weights(encoder, "encoder")
        save_weights(encoder, {name: tensor * 1.001 for name, tensor in tensors.items()}, about)
    outcome = pclseg("experiment", path, "--out", tmp_path / "out", "--resume")
    assert outcome.done()["done_now"] == 1
    assert any("begun anew" in message for message in outcome.warnings)


def test_a_damaged_encoder_is_pretrained_again(unbroken, config, pclseg, tmp_path):
    first = config("first.json", labelled=[1])
    pclseg("experiment", first, "--out", tmp_path / "out").done()
    encoder = next((tmp_path / "out").glob("encoders/*/encoder.safetensors"))
    encoder.write_bytes(encoder.read_bytes()[:1000])
    outcome = pclseg("experiment", config(), "--out", tmp_path / "out", "--resume")
    assert outcome.done()["done_now"] == 2
    assert any("pretrained again" in message for message in outcome.warnings)
    assert rows_of(tmp_path / "out") == rows_of(unbroken)


def test_a_damaged_evaluation_is_told_before_anything_is_trained(unbroken, config, pclseg, tmp_path):
    out = committed(unbroken, tmp_path / "out")
    damaged = next(out.glob("cells/*_m1_*/evaluation.json"))
    damaged.write_text("")
    outcome = pclseg("experiment", config("seeds.json", seeds=[0, 1]), "--out", out, "--resume")
    outcome.refusal(damaged.parent.name, "Take its row out")
    assert {event["stage"] for event in outcome.named("progress")} <= {"experiment"}


def test_a_kill_after_a_fine_tuning_loses_that_cell_only(unbroken, config, pclseg, tmp_path, monkeypatch):
    class KilledError(BaseException):
        """Nothing in the engine catches it."""

    real, calls = experiment_cells.judge_held_out, []

    def judge(*args):
        calls.append(args)
        if len(calls) == 3:
            raise KilledError
        return real(*args)

    monkeypatch.setattr(experiment_cells, "judge_held_out", judge)
    with pytest.raises(KilledError):
        pclseg("experiment", config(), "--out", tmp_path / "out")
    assert rows_of(tmp_path / "out") == rows_of(unbroken)[:2]
    monkeypatch.undo()
    outcome = pclseg("experiment", config(), "--out", tmp_path / "out", "--resume")
    assert outcome.done()["done_now"] == 2
    assert {event["stage"] for event in outcome.named("progress")} >= {"finetune", "experiment"}
    assert "pretrain" not in {event["stage"] for event in outcome.named("progress")}
    assert rows_of(tmp_path / "out") == rows_of(unbroken)


def test_what_is_done_is_not_done_again_and_more_can_be_asked_for(config, pclseg, tmp_path):
    first = config("first.json", methods=["random"], labelled=[2])
    assert pclseg("experiment", first, "--out", tmp_path / "out").done()["done_now"] == 1
    before = rows_of(tmp_path / "out")
    again = pclseg("experiment", first, "--out", tmp_path / "out", "--resume")
    assert (again.done()["done_now"], again.named("metric")) == (0, [])
    more = config("more.json", methods=["random"], labelled=[1, 2], keep_models=True)
    assert pclseg("experiment", more, "--out", tmp_path / "out", "--resume").done()["done_now"] == 1
    after = rows_of(tmp_path / "out")
    assert after[:1] == before
    assert set(after[1]["patients"].split(";")) < set(after[0]["patients"].split(";"))
    assert [path.parent.name for path in (tmp_path / "out").rglob("model.safetensors")] == ["random_m1_fold1_seed0"]


def committed(out: Path, to: Path) -> Path:
    """What of an experiment can be kept under version control: no weights, no slices, no logs of cells."""
    to.mkdir()
    for name in ("results.csv", "experiment.json"):
        shutil.copy(out / name, to)
    for path in out.glob("cells/*/evaluation.json"):
        shutil.copytree(path.parent, to / "cells" / path.parent.name, ignore=shutil.ignore_patterns("[!e]*"))
    return to


def test_an_experiment_goes_on_from_its_small_files_and_does_new_cells_only(unbroken, config, pclseg, tmp_path):
    out = committed(unbroken, tmp_path / "out")
    more = config("seeds.json", seeds=[0, 1])
    outcome = pclseg("experiment", more, "--out", out, "--resume")
    assert outcome.done()["done_now"] == 4
    assert [path.name.rpartition("_")[2] for path in (out / "encoders").iterdir()] == ["seed1"]
    whole = pclseg("experiment", more, "--out", tmp_path / "whole").done()
    assert whole["done_now"] == 8
    assert rows_of(out) == rows_of(tmp_path / "whole")
    assert (out / "table.md").read_text() == (tmp_path / "whole" / "table.md").read_text()
    assert "_seed0 (" in (out / "table.md").read_text()  # how its encoder ended is known without the encoder


def test_results_are_not_gone_on_with_when_nothing_says_what_they_are_of(unbroken, config, pclseg, tmp_path):
    out = committed(unbroken, tmp_path / "out")
    (out / "experiment.json").unlink()
    for words in ([], ["--resume"]):
        pclseg("experiment", config(), "--out", out, *words).refusal("results.csv", "experiment.json", "Put that file back")
    assert rows_of(out) == rows_of(unbroken)


def test_a_lost_evaluation_takes_its_seed_from_both_methods_and_is_told(unbroken, config, pclseg, tmp_path):
    out = committed(unbroken, tmp_path / "out")
    next(out.glob("cells/pcl*_m1_*/evaluation.json")).unlink()
    assert pclseg("experiment", config(), "--out", out, "--resume").done()["done_now"] == 0
    text = (out / "table.md").read_text()
    assert "1 that are done have no evaluation.json" in text
    assert text.splitlines()[-1].startswith("| pcl - random | - |")


def test_an_experiment_of_a_version_that_knew_fewer_settings_goes_on(unbroken, config, pclseg, tmp_path):
    out = committed(unbroken, tmp_path / "out")
    facts = json.loads((out / "experiment.json").read_text())
    del facts["config"]["same_patient"]
    for name in ("pretrain_plan", "finetune_plan"):
        del facts[name]["pretrain"]["graphs"]
    (out / "experiment.json").write_text(json.dumps(facts))
    assert pclseg("experiment", config(), "--out", out, "--resume").done()["done_now"] == 0


def test_an_experiment_is_not_replaced_nor_gone_on_with_under_another_plan(unbroken, config, pclseg):
    before = (unbroken / "results.csv").read_bytes()
    pclseg("experiment", config(), "--out", unbroken).refusal(unbroken, "--resume")
    other = config("other.json", pool="train", plan={**PLAN, "network": {"filters": 8}})
    pclseg("experiment", other, "--out", unbroken, "--resume").refusal(unbroken, "config.pool", "pretrain_plan.network")
    assert (unbroken / "results.csv").read_bytes() == before


@pytest.fixture
def own_hearts(hearts, tmp_path) -> Path:
    """A copy of the hearts that a test may change."""
    shutil.copytree(hearts, tmp_path / "own")
    return tmp_path / "own"


def test_cells_of_changed_labels_are_not_mixed_with_those_of_the_old_ones(own_hearts, config, pclseg, tmp_path, monkeypatch):
    folders = {"images": str(own_hearts / "imagesTr"), "labels": str(own_hearts / "labelsTr")}
    path = config("own.json", methods=["random"], labelled=[1], **folders)
    pclseg("experiment", path, "--out", tmp_path / "out").done()
    shutil.copy(own_hearts / "labelsTr" / "heart_000.nii.gz", tmp_path / "kept.nii.gz")
    swapped = SimpleITK.ReadImage(own_hearts / "labelsTr" / "heart_000.nii.gz")
    SimpleITK.WriteImage(swapped == 1, own_hearts / "labelsTr" / "heart_000.nii.gz")
    more = config("own_more.json", methods=["random", "simclr"], labelled=[1], **folders)
    pclseg("experiment", more, "--out", tmp_path / "out", "--resume").refusal("1 volumes", "heart_000", "another --out")
    shutil.copy(tmp_path / "kept.nii.gz", own_hearts / "labelsTr" / "heart_000.nii.gz")
    assert pclseg("experiment", more, "--out", tmp_path / "out", "--resume").done()["done_now"] == 1


def test_patients_that_cannot_be_used_are_told_before_any_training_and_may_then_be_taken_out(
    own_hearts, config, pclseg, tmp_path
):
    for name in ("heart_001", "heart_002"):
        labels = SimpleITK.ReadImage(own_hearts / "labelsTr" / f"{name}.nii.gz")
        SimpleITK.WriteImage(SimpleITK.Cast(labels, SimpleITK.sitkUInt16) * 300, own_hearts / "labelsTr" / f"{name}.nii.gz")
    folders = {"images": str(own_hearts / "imagesTr"), "labels": str(own_hearts / "labelsTr")}
    path = config("own.json", labelled=[1], use_folds=[0, 1], **folders)
    outcome = pclseg("experiment", path, "--out", tmp_path / "out")
    outcome.refusal("2 patient(s)", "heart_001", "heart_002", "255 means", "take them out")
    assert {event["stage"] for event in outcome.named("progress")} <= {"experiment", "prepare"}
    for folder in ("imagesTr", "labelsTr"):
        for name in ("heart_001", "heart_002"):
            next((own_hearts / folder).glob(f"{name}*")).unlink()
    assert pclseg("experiment", path, "--out", tmp_path / "out", "--resume").done()["cells"] == 4


def test_a_patient_with_another_name_in_the_unlabeled_pool_is_not_pretrained_on_when_tested(
    own_hearts, config, pclseg, tmp_path
):
    (own_hearts / "labelsTr" / "heart_003.nii.gz").unlink()
    folders = {"images": str(own_hearts / "imagesTr"), "labels": str(own_hearts / "labelsTr")}
    values = {"same_patient": [["heart_000", "heart_003"]], "pool": "train", "folds": 3, "use_folds": [0, 1, 2]}
    path = config("own.json", methods=["simclr"], labelled=[1], **folders, **values)
    pclseg("experiment", path, "--out", tmp_path / "out").done()
    seen = {}
    for fold in range(3):
        _, about = load_weights(tmp_path / "out" / "encoders" / f"simclr_fold{fold}_seed0" / "encoder.safetensors", "encoder")
        judged = json.loads((tmp_path / "out" / "cells" / f"simclr_m1_fold{fold}_seed0" / "evaluation.json").read_text())
        seen[tuple(judged["cases"])] = set(about.data)
    assert seen["heart_000",] == {"heart_001", "heart_002"}
    assert seen["heart_001",] == {"heart_000", "heart_002", "heart_003"}


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
