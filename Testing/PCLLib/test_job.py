"""Real processes of the engine, through the events of Qt."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from Testing.host.driving.processes import interpreter_of

# What an engine says at its beginning, without listening to anybody.
STARTED = """
import json, os, time
print(json.dumps({"event": "started", "time": 0, "command": "scan", "version": "", "device": "", "process": os.getpid()}))
import sys; sys.stdout.flush()
"""
TINY = ("--size", "32", "--filters", "2", "--batch", "4", "--device", "cpu")


class Run:
    """A job with everything it said."""

    def __init__(self, bench, engine, *words, grace_s=20.0):
        from PCLLib.job import Job

        self.bench = bench
        self.events, self.log, self.ends = [], [], []
        self.job = Job(engine, words, grace_s)
        self.job.happened.connect(self.events.append)
        self.job.logged.connect(self.log.append)
        self.job.ended.connect(self.ends.append)
        self.job.start()

    def until(self, stage, done=1):
        from PCLLib.events import Progress

        def there():
            return any(isinstance(e, Progress) and e.stage == stage and e.done >= done for e in self.events) or self.ends

        self.bench.wait_until(there, 60)
        assert not self.ends, self.ends

    def end(self):
        self.bench.wait_until(lambda: self.ends, 60)
        self.bench.host.process_events()
        assert len(self.ends) == 1
        assert not self.job.running
        return self.ends[0]


@pytest.fixture
def run(bench, engine):
    """Starts a job; none outlives the test."""
    runs = []

    def start(*words, **options):
        runs.append(Run(bench, options.pop("engine", engine), *words, **options))
        return runs[-1]

    yield start
    for one in runs:
        one.job.kill()
        bench.wait_until(lambda one=one: not one.job.running)


@pytest.fixture
def false_engine(tmp_path):
    """Makes a program stand for an engine that has gone wrong, behind Slicer's launcher."""
    from PCLLib.engine import Engine

    def make(program):
        folder = tmp_path / "false" / "pcl_core"
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "__main__.py").write_text(program)
        return Engine(root=folder.parent)

    return make


def alive(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{number}/stat").read_text().split()[2] != "Z" if Path("/proc").exists() else True


def test_events_come_in_order_and_the_end_once(run, stacks, tmp_path):
    from PCLLib.events import Done, Progress, Started

    scan = run("scan", stacks, "--json", tmp_path / "report.json")
    last = scan.end()
    assert isinstance(last, Done)
    assert last.summary["volumes"] == 3
    assert isinstance(scan.events[0], Started)
    assert [e.done for e in scan.events if isinstance(e, Progress)][-1] == 3
    assert (tmp_path / "report.json").is_file()


def test_an_error_of_the_engine_comes_with_its_message_and_hint(run, tmp_path):
    from PCLLib.events import Failed

    last = run("scan", tmp_path / "nowhere").end()
    assert isinstance(last, Failed)
    assert str(tmp_path / "nowhere") in last.message
    assert last.hint


def test_a_cancelled_training_keeps_its_checkpoint(run, stacks, tmp_path):
    from PCLLib.events import Cancelled

    training = run("pretrain", stacks, "--out", tmp_path / "out", *TINY, "--steps", 100000)
    training.until("pretrain", 20)
    training.job.cancel()
    assert training.end() == Cancelled(tmp_path / "out" / "state")
    assert (tmp_path / "out" / "state" / "state.safetensors").is_file()


@pytest.mark.parametrize("who", ["interpreter", "launcher"])
def test_a_killed_training_says_what_may_have_happened(run, stacks, tmp_path, who):
    training = run("pretrain", stacks, "--out", tmp_path / "out", *TINY, "--steps", 100000)
    training.until("pretrain", 20)
    launcher = training.job.process_id
    interpreter = interpreter_of(launcher)
    os.kill(interpreter if who == "interpreter" else launcher, signal.SIGKILL)
    last = training.end()
    assert last.kind == "killed"
    assert "memory" in last.message
    assert "exit" not in last.message
    assert last.hint
    training.bench.wait_until(lambda: not alive(launcher) and not alive(interpreter))


def test_an_engine_that_is_killed_before_its_first_event_is_no_fault_of_the_software(run, false_engine):
    last = run("scan", engine=false_engine("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")).end()
    assert last.kind == "killed"
    assert "memory" in last.message


def test_an_engine_that_ends_without_its_last_event_was_ended(run, false_engine):
    """As on Windows, where who ends a process chooses its exit code, and the launcher takes it for a good end."""
    last = run("scan", engine=false_engine(STARTED + "os._exit(1)")).end()
    assert last.kind == "killed"


def test_an_engine_that_does_not_listen_is_ended_after_a_while(run, tmp_path):
    """An interpreter that ignores all arguments and sleeps stands for an engine that hangs."""
    from PCLLib.engine import Engine
    from PCLLib.events import Cancelled

    sleeper = tmp_path / "sleeper"
    sleeper.write_text(f"#!{sys.executable}\nimport time\nprint('up', flush=True)\ntime.sleep(60)\n")
    sleeper.chmod(0o755)
    job = run("scan", tmp_path, engine=Engine(str(sleeper)), grace_s=0.3)
    job.bench.wait_until(lambda: job.log == ["up"])
    begin = time.monotonic()
    job.job.cancel()
    assert job.end() == Cancelled(None)
    assert time.monotonic() - begin < 10


def test_ending_now_leaves_no_process(run, stacks, tmp_path):
    training = run("pretrain", stacks, "--out", tmp_path / "out", *TINY, "--steps", 100000)
    training.until("pretrain", 5)
    number = training.job.process_id
    interpreter = interpreter_of(number)
    training.job.end_now()
    assert not training.job.running
    assert not alive(number)
    assert not alive(interpreter)
    assert (tmp_path / "out" / "state" / "state.safetensors").is_file()


def test_an_abandoned_job_ends_at_once_and_is_no_failure(run, stacks, tmp_path):
    from PCLLib.events import Cancelled

    scan = run("scan", stacks)
    scan.job.abandon()
    assert scan.end() == Cancelled(None)


def test_an_abandoned_job_is_over_when_nothing_of_it_writes_any_more(run, stacks, tmp_path):
    training = run("pretrain", stacks, "--out", tmp_path / "out", *TINY, "--steps", 100000)
    training.until("pretrain", 5)
    interpreter = interpreter_of(training.job.process_id)
    still_there = []
    training.job.ended.connect(lambda _last: still_there.append(alive(interpreter)))
    begin = time.monotonic()
    training.job.abandon()
    training.end()
    assert still_there == [False]
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize("way", ["abandon", "cancel", "end_now", "kill", "from outside"])
def test_an_engine_that_does_not_listen_is_gone_with_its_launcher(run, false_engine, way):
    job = run("scan", engine=false_engine(STARTED + "time.sleep(600)"), grace_s=0.3)
    job.bench.wait_until(lambda: job.events)
    launcher = job.job.process_id
    interpreter = interpreter_of(launcher)
    if way == "from outside":
        os.kill(launcher, signal.SIGKILL)
    else:
        getattr(job.job, way)()
    job.end()
    job.bench.wait_until(lambda: not alive(interpreter))


def test_an_interpreter_that_is_missing_is_told_before_anything_starts(tmp_path):
    from PCLLib.engine import Engine, EngineNotFoundError

    with pytest.raises(EngineNotFoundError, match="was not found"):
        Engine(str(tmp_path / "PythonSlicer")).call(["scan"])


def test_an_interpreter_that_cannot_run_is_told_in_words(run, tmp_path):
    from PCLLib.engine import Engine

    broken = tmp_path / "PythonSlicer"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    last = run("scan", tmp_path, engine=Engine(str(broken))).end()
    assert "could not be started" in last.message
    assert last.hint


def test_a_crash_before_the_first_event_quotes_the_last_line(run, tmp_path):
    from PCLLib.engine import Engine

    (tmp_path / "broken" / "pcl_core").mkdir(parents=True)
    (tmp_path / "broken" / "pcl_core" / "__init__.py").touch()
    (tmp_path / "broken" / "pcl_core" / "__main__.py").write_text("raise OSError('the disk is gone')")
    last = run("scan", tmp_path, engine=Engine(sys.executable, tmp_path / "broken")).end()
    assert "the disk is gone" in last.message
    assert "exit" not in last.message


def test_the_environment_of_the_application_is_left_alone(run, stacks):
    before = dict(os.environ)
    run("scan", stacks).end()
    assert dict(os.environ) == before


def test_the_child_finds_the_engine_beside_pcllib(engine, monkeypatch):
    import PCLLib

    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    paths = engine.call(["scan"]).environment["PYTHONPATH"].split(os.pathsep)
    assert paths == [str(Path(PCLLib.__file__).parents[1]), "elsewhere"]


def test_lines_that_are_no_events_go_to_the_log(run, tmp_path):
    from PCLLib.engine import Engine

    talker = tmp_path / "talker"
    text = "printf 'one\\ntw'; sleep 0.2; printf 'o\\n'; printf 'three' >&2"
    talker.write_text(f"#!/bin/sh\n{text}\n")
    talker.chmod(0o755)
    job = run("scan", tmp_path, engine=Engine(str(talker)))
    job.end()
    assert sorted(job.log) == ["one", "three", "two"]
