"""``experiment --resume``: stopped, killed or damaged in the middle, it goes on to the results of an unbroken one."""

from __future__ import annotations

import json

import pytest

from pcl_core.commands import experiment_cells
from pcl_core.training.weights import load_weights, save_weights
from Testing.commands.experiments import PLAN, cancel_at, committed, rows_of


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


@pytest.mark.slow
@pytest.mark.ci_slow
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


@pytest.mark.slow
@pytest.mark.ci_slow
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
