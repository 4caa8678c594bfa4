"""Segmenting that is cancelled, or whose worker, volume or scene goes away."""

from __future__ import annotations

import os
import signal

from Testing.host.driving.processes import held, interpreter_of
from Testing.PCLSegmentation.results import names, scan


def test_cancelling_changes_nothing(ready, slicer, new_volume):
    for number in range(4):
        new_volume(f"more{number}", number)
    ready.wait_for_cases(5)
    ready.bench.click(ready.ui.segmentAllButton)
    ready.wait("SEGMENTING")
    ready.bench.click(ready.ui.cancelButton)
    ready.wait("IDLE")
    assert "Cancelled. 0 of 5 volumes are segmented." in ready.message
    assert names(slicer) == []
    assert ready.segment(scan(slicer)) is not None


def test_a_worker_that_was_killed_is_told_and_started_again(segmented, slicer):
    page, volume, _node = segmented
    os.kill(interpreter_of(page.session.worker.process_id), signal.SIGKILL)
    page.bench.wait_until(lambda: not page.session.worker.running)
    again = page.segment(volume)
    assert page.message == ""
    assert slicer.mrmlScene.IsNodePresent(again)


def test_a_worker_that_dies_meanwhile_is_told_in_words(ready, slicer):
    ready.show(scan(slicer))
    ready.bench.click(ready.ui.segmentButton)
    ready.bench.wait_until(lambda: ready.session.worker.process_id)
    os.kill(interpreter_of(ready.session.worker.process_id), signal.SIGKILL)
    ready.wait("IDLE")
    assert "ended from outside" in ready.message
    assert names(slicer) == []


def test_a_worker_that_dies_between_many_volumes_is_not_started_for_each_of_the_others(ready, slicer, new_volume):
    for number in range(4):
        new_volume(f"more{number}", number)
    ready.wait_for_cases(5)
    ready.bench.click(ready.ui.segmentAllButton)
    ready.bench.wait_until(lambda: "2 of 5" in ready.ui.progressLabel.text, 60)
    process = ready.session.worker.process_id
    os.kill(interpreter_of(process), signal.SIGKILL)
    ready.wait("IDLE")
    assert "ended from outside" in ready.message
    done = len(names(slicer))
    assert done
    left = 4 - done
    assert f"1 could not be segmented. {left} {'was' if left == 1 else 'were'} not begun." in ready.message
    assert "batch" not in ready.message
    assert not ready.session.worker.running


def test_a_volume_that_is_removed_meanwhile_gets_no_result(ready, slicer):
    volume = scan(slicer)
    ready.show(volume)
    ready.bench.click(ready.ui.segmentButton)
    slicer.mrmlScene.RemoveNode(volume)
    ready.wait("IDLE")
    assert "changed or removed" in ready.message
    assert names(slicer) == []


def test_closing_the_scene_meanwhile_puts_nothing_into_the_new_one(ready, slicer):
    ready.show(scan(slicer))
    ready.bench.click(ready.ui.segmentButton)
    ready.bench.close_scene()
    ready.bench.wait_until(lambda: not ready.session.worker.busy)
    assert names(slicer) == []
    assert ready.doing == "IDLE"


def test_a_result_that_came_although_cancel_was_pressed_is_told(segmented, slicer):
    from PCLLib.segmentation_states import Doing

    page, volume, node = segmented
    page.show(volume)
    with held(page.session.worker.process_id):
        page.bench.click(page.ui.segmentButton)
        page.session.states.begin(Doing.CANCELLING)
        page.session.segmenting._run.stop()  # the worker has no more to cancel: it is writing
    page.wait("IDLE")
    assert not slicer.mrmlScene.IsNodePresent(node)
    assert "done before it could be cancelled" in page.message
    assert "nothing was changed" not in page.message
    page.bench.click(page.ui.undoButton)
    assert slicer.mrmlScene.IsNodePresent(node)


def test_a_worker_that_hangs_is_ended_when_it_does_not_cancel_in_time(segmented, slicer):
    page, volume, node = segmented
    page.session.worker._process._hanging.setInterval(1000)
    os.kill(interpreter_of(page.session.worker.process_id), signal.SIGSTOP)
    page.bench.click(page.ui.segmentButton)
    page.wait("SEGMENTING")
    page.bench.click(page.ui.cancelButton)
    page.wait("IDLE", seconds=10)
    assert "Cancelled; nothing was changed." in page.message
    assert slicer.mrmlScene.IsNodePresent(node)
    assert page.segment(volume) is not node


def test_a_request_that_was_cancelled_in_time_leaves_the_worker_alive(ready, slicer):
    ready.segment(scan(slicer))
    process = ready.session.worker.process_id
    ready.session.worker._process._hanging.setInterval(5000)
    with held(process):
        ready.bench.click(ready.ui.segmentButton)
        ready.wait("SEGMENTING")
        ready.bench.click(ready.ui.cancelButton)
    ready.wait("IDLE")
    assert "Cancelled; nothing was changed." in ready.message
    assert not ready.session.worker._process._hanging.active
    ready.segment(scan(slicer))
    assert ready.session.worker.process_id == process


def test_a_worker_that_cannot_be_started_is_told(ready, slicer, tmp_path, monkeypatch):
    from dataclasses import replace

    (tmp_path / "python").write_text("no program")
    (tmp_path / "python").chmod(0o755)
    worker = ready.session.worker
    worker.leave()
    monkeypatch.setattr(worker, "_engine", replace(worker._engine, interpreter=str(tmp_path / "python")))
    ready.show(scan(slicer))
    ready.bench.click(ready.ui.segmentButton)
    ready.wait("IDLE", seconds=20)
    assert "could not be started" in ready.message
