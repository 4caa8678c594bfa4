"""A training that was cancelled, killed, or ended with its scene or module is kept and goes on."""

from __future__ import annotations

import sys

import pytest

from Testing.PCLPretrain.conftest import long_test


def test_a_cancelled_training_is_kept_and_goes_on(ready, out):
    ready.parameters.epochs = 60
    ready.start_and_cancel(10)
    assert ready.ui.startButton.text in ("Cancelling ...", "Start pretraining")
    assert ready.wait("STOPPED", "FAILED") == "STOPPED", ready.message
    assert ready.message.startswith("Cancelled. Step ")
    assert ready.ui.resumeButton.visible
    kept = ready.session._interrupted().step
    assert kept >= 10
    points = ready.panel.plot.points
    assert points >= 5
    ready.bench.click(ready.ui.resumeButton)
    ready.wait("RUNNING")
    ready.bench.wait_until(lambda: "Training" in ready.ui.progressLabel.text, 60)
    assert ready.ui.progressBar.value >= kept
    assert ready.panel.plot.points >= points - 1
    assert not ready.ui.resumeButton.visible


@long_test
def test_a_short_training_resumed_ends_with_its_encoder(ready, out):
    ready.parameters.epochs = 15
    ready.start_and_cancel(5)
    assert ready.wait("STOPPED", "DONE") == "STOPPED"
    ready.bench.click(ready.ui.resumeButton)
    assert ready.wait("DONE", "FAILED") == "DONE", ready.message
    assert "90 steps" in ready.ui.resultLabel.text
    assert not ready.ui.resumeButton.visible


def test_a_killed_training_says_so_in_words_and_can_be_resumed(ready, children):
    ready.start()
    ready.steps(20)
    ready.kill()
    assert ready.wait("FAILED") == "FAILED"
    assert "ended from outside" in ready.message
    assert "exit" not in ready.message
    assert ready.ui.resumeButton.visible
    assert ready.ui.startButton.enabled
    ready.bench.wait_until(lambda: not children())


@long_test
def test_after_a_crash_of_slicer_the_run_is_offered_again(ready, stacks, out):
    ready.start()
    ready.steps(20)
    ready.kill()
    ready.wait("FAILED")
    ready.bench.close_scene()
    assert ready.state == "NO_FOLDER"
    ready.open(stacks)
    assert "stopped at step" in ready.message
    assert "Press Resume" in ready.message
    ready.bench.click(ready.ui.resumeButton)
    assert ready.wait("RUNNING") == "RUNNING"


@long_test
def test_an_output_folder_alone_leads_back_to_its_volumes(ready, stacks, out):
    ready.start()
    ready.steps(20)
    ready.kill()
    ready.wait("FAILED")
    ready.bench.close_scene()
    ready.bench.type_text(ready.ui.outPathLineEdit, str(out))
    ready.bench.wait_until(lambda: ready.message)
    assert ready.offers() == ["Open its volumes"]
    ready.bench.click(ready.ui.firstOfferButton)
    assert ready.wait("READY") == "READY"
    assert ready.parameters.folder == str(stacks)
    assert ready.parameters.out == str(out)
    assert ready.ui.resumeButton.visible


@long_test
def test_what_was_left_out_stays_left_out_when_a_run_is_resumed(ready, out, qt):
    ready.ui.scanTable.item(0, 0).setCheckState(qt.Qt.Unchecked)
    ready.parameters.epochs = 15
    ready.start_and_cancel(5)
    assert ready.wait("STOPPED", "DONE") == "STOPPED"
    ready.parameters.leftOut = []
    ready.bench.click(ready.ui.resumeButton)
    assert ready.wait("DONE", "FAILED") == "DONE", ready.message
    assert "2 volumes" in ready.ui.resultLabel.text


def test_closing_the_scene_ends_the_training_and_keeps_it(ready, children, out):
    ready.start()
    ready.steps(5)
    ready.bench.close_scene()
    assert ready.state == "NO_FOLDER"
    assert ready.ui.scanTable.rowCount == 0
    ready.bench.wait_until(lambda: not children())
    assert (out / "state" / "state.safetensors").is_file()


@long_test
def test_reloading_the_module_ends_the_training_before_it_returns(estimates, ready, children, out, monkeypatch):
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("PCLLib", "pcl_core"):
            monkeypatch.setitem(sys.modules, name, module)  # the tests that follow go on with these
    ready.start()
    ready.steps(5)
    training = ready.pid
    assert training in children()
    ready.widget.onReload()
    assert not ready.session.jobs.busy
    assert training not in children(), "the new panel may ask for the graphics card, but nothing trains"
    assert (out / "state" / "state.safetensors").is_file()


@long_test
def test_opening_another_module_ends_nothing(ready, slicer):
    ready.start()
    slicer.util.selectModule("Data")
    ready.steps(5)
    assert ready.state == "RUNNING"
    slicer.util.selectModule("PCLPretrain")


@long_test
@pytest.mark.parametrize(("answer", "state"), [("Resume", "RUNNING"), ("Start anew", "RUNNING"), ("Cancel", "FAILED")])
def test_a_stopped_run_is_not_lost_without_a_question(ready, out, answer, state):
    ready.start()
    ready.steps(20)
    ready.kill()
    ready.wait("FAILED")
    kept = ready.session._interrupted().step
    ready.bench.answer(answer)
    ready.bench.click(ready.ui.startButton)
    ready.bench.wait_until(lambda: ready.bench.dialogs)
    assert "stopped at step" in ready.bench.dialogs[0].text
    ready.bench.wait_until(lambda: ready.state == state)
    if answer != "Cancel":
        ready.bench.wait_until(lambda: "Training" in ready.ui.progressLabel.text, 60)
    if answer == "Resume":
        assert ready.ui.progressBar.value >= kept > 0


@long_test
def test_an_earlier_run_can_be_resumed_when_a_new_one_is_cancelled_before_it_begins(ready, stacks):
    ready.parameters.epochs = 1000
    ready.start_and_cancel(2)
    ready.wait("STOPPED")
    kept = ready.session._interrupted()
    for path in stacks.iterdir():
        path.rename(path.with_suffix(".away"))
    ready.bench.answer("Start anew")
    ready.bench.click(ready.ui.startButton)
    ready.wait("FAILED")
    for path in stacks.iterdir():
        path.rename(path.with_suffix(".nrrd"))
    assert ready.session._interrupted() == kept
    ready.bench.click(ready.ui.resumeButton)
    ready.wait("RUNNING")
    ready.steps(kept.step + 1)
