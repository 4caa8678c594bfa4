"""Fine-tuning that is begun before its time is known, cancelled between its parts, or killed."""

from __future__ import annotations

import os
import signal

import pytest

from pcl_core.training.best import FILE
from pcl_core.training.state import STATE_FOLDER
from Testing.host.driving.processes import interpreter_of
from Testing.PCLSegmentation.results import scan


def settled(page, out, minutes=1):
    """Ready for a click on Fine-tune, with no estimate on the way."""
    page.small(out)
    page.bench.wait_until(lambda: "estimate" not in page.session.jobs, 60)
    page.panel.finetune._pause.stop()
    page.parameters.minutes = minutes


def steps_asked_for(page):
    job = page.session.jobs._jobs.get("train")
    words = [str(word) for word in job[1].words] if job else []
    return int(words[words.index("--steps") + 1]) if "--steps" in words else None


@pytest.mark.slow
@pytest.mark.ci_slow
def test_the_time_that_was_set_counts_although_nothing_was_estimated_yet(page, scans, tmp_path):
    settled(page, tmp_path / "models")
    page.session.speed = None
    page.bench.click(page.ui.finetuneButton)
    page.wait("TRAINING")
    page.bench.wait_until(lambda: "train" in page.session.jobs, 120)
    assert page.session.speed is not None
    assert steps_asked_for(page) == page.session.speed.steps_in(page.panel.desk.settings, 2)
    page.bench.click(page.ui.cancelButton)
    page.wait("IDLE")


def test_cancelling_while_the_time_is_estimated_ends_all_of_it(page, scans, tmp_path):
    settled(page, tmp_path / "models")
    page.session.speed = None
    page.bench.click(page.ui.finetuneButton)
    page.bench.wait_until(lambda: "estimate" in page.session.jobs)
    page.bench.click(page.ui.cancelButton)
    page.wait("IDLE")
    assert "no model was made" in page.message
    assert not {"train", "estimate"} & page.session.jobs._jobs.keys()


@pytest.mark.slow
@pytest.mark.ci_slow
def test_an_estimate_that_fails_is_told_and_the_training_begins(page, scans, slicer, tmp_path):
    import numpy as np

    settled(page, tmp_path / "models")
    slicer.util.updateVolumeFromArray(scans[0], np.zeros((8, 32, 32), np.int16))
    page.session.speed = None
    page.bench.click(page.ui.finetuneButton)
    page.bench.wait_until(lambda: "train" in page.session.jobs, 120)
    assert "longer than the time that was set" in page.message
    page.bench.click(page.ui.cancelButton)
    page.wait("IDLE")


@pytest.mark.slow
@pytest.mark.ci_slow
def test_an_estimate_that_a_click_on_segment_ended_is_made_again(estimates, ready, slicer, drawn, monkeypatch):
    monkeypatch.setattr("PCLLib.finetune_part._QUIET_MS", 100)
    drawn(scan(slicer))
    ready.bench.wait_until(lambda: "estimate" in ready.session.jobs)
    ready.segment(scan(slicer))
    ready.bench.wait_until(lambda: ready.session.speed is not None, 120)
    assert "About " in ready.ui.estimateLabel.text


@pytest.mark.slow
@pytest.mark.ci_slow
def test_a_training_that_was_cancelled_is_not_compared(page, scans, tmp_path, pretrained_here):
    from PCLLib.events import Written
    from PCLLib.finetuning import Speed

    page.parameters.encoder = str(pretrained_here)
    page.parameters.begin = type(page.parameters.begin).ENCODER
    page.bench.click(page.ui.compareCheckBox)
    settled(page, tmp_path / "models")
    page.session.speed = Speed(600, 3600.0, "cpu")
    compared = []

    def happened(name, event):
        compared.append(name == "compare")
        if isinstance(event, Written) and event.kind == "model":  # the training is over by now, and ends well
            page.session.cancel()

    page.session.jobs.happened.connect(happened)
    page.bench.click(page.ui.finetuneButton)
    page.wait("TRAINING")
    page.wait("CANCELLING")
    page.wait("IDLE")
    assert not any(compared)
    assert "The comparison without the encoder did not come to its end" in page.ui.resultLabel.text
    assert page.session.segmenting.model is not None


@pytest.mark.slow
@pytest.mark.ci_slow
@pytest.mark.parametrize("held_out", [True, False], ids=["with a held-out case", "without one"])
def test_a_training_that_was_killed_leaves_the_best_model_so_far(page, scans, drawn, tmp_path, held_out):
    from PCLLib.finetuning import BEST, Speed

    assert BEST.parts == (STATE_FOLDER, FILE)
    if held_out:
        drawn(scans[2])
        page.bench.wait_until(lambda: page.states()["scan2"] == "Annotated")
    settled(page, tmp_path / "models")
    page.session.speed = Speed(4000, 60.0, "cpu")
    page.bench.click(page.ui.finetuneButton)
    page.wait("TRAINING")
    folder = tmp_path / "models" / "model_01"
    page.bench.wait_until((folder / BEST).is_file, 120)
    os.kill(interpreter_of(page.session.jobs.process_id("train")), signal.SIGKILL)
    page.wait("IDLE")
    assert "ended from outside" in page.message
    assert "best model until then is kept and can be used" in page.message
    assert page.session.segmenting.model.path == folder / "model.safetensors"
    assert [one.name for one in page.session.segmenting.model.classes] == ["block"]
    assert page.segment(scans[3]) is not None


@pytest.mark.parametrize("began", [True, False], ids=["training", "segmenting"])
def test_what_was_killed_speaks_of_no_setting_that_is_not_there(ready, slicer, drawn, tmp_path, began):
    if began:
        drawn(scan(slicer))
        ready.bench.wait_until(lambda: ready.panel.desk.to_learn_from)
        settled(ready, tmp_path / "models", 0)
        ready.bench.click(ready.ui.finetuneButton)
        ready.bench.wait_until((tmp_path / "models" / "model_01").is_dir)
        os.kill(interpreter_of(ready.session.jobs.process_id("train")), signal.SIGKILL)
    else:
        ready.show(scan(slicer))
        ready.bench.click(ready.ui.segmentButton)
        ready.bench.wait_until(lambda: ready.session.worker.process_id)
        os.kill(interpreter_of(ready.session.worker.process_id), signal.SIGKILL)
    ready.wait("IDLE")
    assert "ended from outside" in ready.message
    assert "batch" not in ready.message
    assert "What was saved last is kept" not in ready.message
