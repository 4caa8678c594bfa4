"""Runs that are stopped in the middle, by a person or by the system, and gone on with."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from safetensors import safe_open

STEPS = 300
TINY = ("--size", "16", "--filters", "2", "--batch", "4", "--steps", str(STEPS))
ROOT = Path(__file__).parents[2]
SLOW = (pytest.mark.slow, pytest.mark.ci_slow)


def tensors(path: Path) -> dict[str, np.ndarray]:
    with safe_open(path, framework="np") as stream:
        return {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118 (not a mapping)


def same(first: Path, second: Path) -> bool:
    ours, theirs = tensors(first), tensors(second)
    return ours.keys() == theirs.keys() and all(np.array_equal(ours[key], theirs[key]) for key in ours)


class Running:
    """The command line in a process group of its own."""

    def __init__(self, *words: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pcl_core", *map(str, words), "--events"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.events: list[dict[str, Any]] = []

    def until(self, stage: str, done: int) -> None:
        """Waits for so many units of a stage."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            if self.events[-1].get("stage") == stage and self.events[-1]["done"] >= done:
                return
        pytest.fail(f"it ended before: {self.events[-1:]}, {self.ended()}")

    def signalled(self, number: int, group: bool = False) -> tuple[int, str]:
        """Sends a signal; returns the exit code and what was written on the standard error stream."""
        (os.killpg if group else os.kill)(self.process.pid, number)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        out, err = self.process.communicate(timeout=300)
        self.events += [json.loads(line) for line in out.splitlines()]
        return self.process.returncode, err

    def family(self) -> list[int]:
        """The processes of the group that are there."""
        return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _group(path) == self.process.pid]


def _group(path: Path) -> int | None:
    try:
        state, _parent, group = (path / "stat").read_text().rpartition(")")[2].split()[:3]
    except OSError:
        return None
    return None if state == "Z" else int(group)


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Starts the command line; what still runs at the end of the test is ended."""
    running: list[Running] = []

    def begin(*words: object) -> Running:
        running.append(Running(*words))
        return running[-1]

    yield begin
    for one in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(one.process.pid, signal.SIGKILL)
        one.process.communicate()


@pytest.fixture(scope="module")
def pretrain(hearts: Path) -> tuple:
    return ("pretrain", hearts / "imagesTr", *TINY)


@pytest.fixture(scope="module")
def finetune(hearts: Path) -> tuple:
    return ("finetune", hearts / "imagesTr", hearts / "labelsTr", *TINY)


@pytest.fixture(scope="module")
def unbroken(pretrain: tuple, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a pretraining that nobody stopped."""
    out = tmp_path_factory.mktemp("unbroken")
    assert Running(*pretrain, "--out", out).ended()[0] == 0
    return out


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=SLOW)])
def test_a_cancelled_pretraining_keeps_its_state_and_ends_like_an_unbroken_one(
    number, pretrain, unbroken, start, pclseg, tmp_path, leftovers
):
    run = start(*pretrain, "--out", tmp_path / "run")
    run.until("pretrain", 20)
    assert run.signalled(number) == (3, "")
    assert run.events[-1]["event"] == "cancelled"
    assert run.events[-1]["kept"] == str(tmp_path / "run" / "state")
    assert leftovers(tmp_path) == []
    kept = tensors(tmp_path / "run" / "encoder.safetensors")
    assert kept.keys() == tensors(unbroken / "encoder.safetensors").keys()

    outcome = pclseg(*pretrain, "--out", tmp_path / "run", "--resume")
    assert outcome.done()["steps"] == STEPS
    first = next(event for event in outcome.named("progress") if event["stage"] == "pretrain")
    assert first["done"] >= 20
    assert same(tmp_path / "run" / "encoder.safetensors", unbroken / "encoder.safetensors")
    steps = [line.split(",")[0] for line in (tmp_path / "run" / "metrics.csv").read_text().splitlines()[1:]]
    assert steps == sorted(set(steps), key=int)
    assert steps[-1] == str(STEPS)


def test_a_pretraining_whose_starter_is_gone_keeps_its_state(pretrain, start, tmp_path, leftovers):
    run = start(*pretrain, "--out", tmp_path / "run", "--cancel-with-stdin")
    run.until("pretrain", 20)
    run.process.stdin.close()
    run.process.stdin = None  # or communicate complains
    assert run.ended() == (3, "")
    assert run.events[-1]["kept"] == str(tmp_path / "run" / "state")
    assert leftovers(tmp_path) == []


def test_a_command_whose_starter_is_gone_before_it_is_loaded_does_nothing(pretrain, start, tmp_path):
    run = start(*pretrain, "--out", tmp_path / "run", "--cancel-with-stdin")
    run.process.stdin.close()
    run.process.stdin = None  # or communicate complains
    assert run.ended() == (3, "")
    assert [event["event"] for event in run.events] == ["cancelled"]
    assert not (tmp_path / "run").exists()


def test_a_killed_pretraining_is_resumed_from_its_last_checkpoint(pretrain, unbroken, start, pclseg, tmp_path):
    run = start(*pretrain, "--out", tmp_path / "run")
    run.until("pretrain", 60)
    assert run.signalled(signal.SIGKILL)[0] == -signal.SIGKILL
    outcome = pclseg(*pretrain, "--out", tmp_path / "run", "--resume")
    outcome.done()
    first = next(event for event in outcome.named("progress") if event["stage"] == "pretrain")
    assert 0 < first["done"] <= STEPS
    assert same(tmp_path / "run" / "encoder.safetensors", unbroken / "encoder.safetensors")


@pytest.mark.slow
@pytest.mark.ci_slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_stopped_fine_tuning_ends_like_an_unbroken_one(number, finetune, start, pclseg, tmp_path):
    assert start(*finetune, "--out", tmp_path / "unbroken").ended()[0] == 0
    run = start(*finetune, "--out", tmp_path / "run")
    run.until("finetune", 40)
    code, _ = run.signalled(number)
    assert code == (3 if number == signal.SIGTERM else -number)
    pclseg(*finetune, "--out", tmp_path / "run", "--resume").done()
    assert same(tmp_path / "run" / "model.safetensors", tmp_path / "unbroken" / "model.safetensors")
    assert (tmp_path / "run" / "validation.json").read_text() == (tmp_path / "unbroken" / "validation.json").read_text()


@pytest.mark.slow
@pytest.mark.ci_slow
def test_a_run_that_is_resumed_twice_ends_like_an_unbroken_one(pretrain, unbroken, start, pclseg, tmp_path):
    run = start(*pretrain, "--out", tmp_path / "run")
    run.until("pretrain", 10)
    assert run.signalled(signal.SIGTERM)[0] == 3
    run = start(*pretrain, "--out", tmp_path / "run", "--resume")
    run.until("pretrain", 100)
    assert run.signalled(signal.SIGTERM)[0] == 3
    pclseg(*pretrain, "--out", tmp_path / "run", "--resume").done()
    assert same(tmp_path / "run" / "encoder.safetensors", unbroken / "encoder.safetensors")


def test_resuming_what_is_done_changes_nothing_and_is_over_at_once(pretrain, unbroken, pclseg, tmp_path):
    shutil.copytree(unbroken, tmp_path / "run")
    outcome = pclseg(*pretrain, "--out", tmp_path / "run", "--resume")
    assert outcome.done()["steps"] == STEPS
    assert outcome.named("metric") == []
    for name in ("encoder.safetensors", "metrics.csv", "plan.json"):
        assert (tmp_path / "run" / name).read_bytes() == (unbroken / name).read_bytes()


def test_a_cancelled_segmentation_keeps_whole_label_volumes_only(hearts, finetuned, start, tmp_path, leftovers):
    (tmp_path / "data").mkdir()
    for k in range(200):
        source = hearts / "imagesTr" / f"heart_{k % 4:03d}_0000.nii.gz"
        (tmp_path / "data" / f"heart{k:03d}.nii.gz").symlink_to(source)
    run = start("segment", finetuned / "model.safetensors", tmp_path / "data", "--out", tmp_path / "out")
    run.until("segment", 1)
    assert run.signalled(signal.SIGTERM) == (3, "")
    written = sorted((tmp_path / "out").iterdir())
    assert 0 < len(written) < 200
    assert leftovers(tmp_path / "out") == []
    told = sorted(Path(event["path"]) for event in run.events if event["event"] == "artifact")
    assert written == told
    assert run.events[-1]["kept"] == str(tmp_path / "out")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """Volumes enough to be prepared by several processes."""
    folder = tmp_path / "large"
    folder.mkdir()
    voxels = np.random.default_rng(0).integers(0, 500, (128, 128, 140)).astype(np.int16)
    for k in range(10):
        nib.save(nib.Nifti1Image(np.roll(voxels, k, axis=0), np.diag([1.0, 1.0, 1.5, 1.0])), folder / f"case{k}.nii")
    return folder


def gone(run: Running) -> bool:
    """Whether all processes of a run end within ten seconds."""
    until = time.monotonic() + 10
    while run.family() and time.monotonic() < until:
        time.sleep(0.1)
    return not run.family()


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system does not list processes in /proc")


@needs_proc
@pytest.mark.slow
@pytest.mark.ci_slow
@pytest.mark.parametrize(
    ("number", "group", "done"),
    [(signal.SIGINT, True, 0), (signal.SIGINT, True, 1), (signal.SIGTERM, True, 1), (signal.SIGTERM, False, 1)],
)
def test_a_preparation_by_several_processes_is_cancelled_without_a_trace(number, group, done, large, start, pclseg, leftovers):
    """With ``group`` the signal reaches all processes, as Ctrl-C in a terminal does; at 0 of 10 they are just starting."""
    out = large.parent / "run"
    run = start("pretrain", large, "--out", out, *TINY[:-1], 2)
    run.until("prepare", done)
    if not done:
        time.sleep(0.4)
    assert run.signalled(number, group) == (3, "")
    assert run.events[-1]["event"] == "cancelled"
    assert run.events[-1]["kept"] is None
    assert gone(run)
    assert [path for path in out.rglob("*") if path.is_file()] == []


@needs_proc
@pytest.mark.slow
@pytest.mark.ci_slow
def test_a_kill_while_preparing_leaves_no_process_and_nothing_that_hinders_the_next_run(large, start, pclseg, leftovers):
    out = large.parent / "run"
    run = start("pretrain", large, "--out", out, *TINY[:-1], 2)
    run.until("prepare", 1)
    run.signalled(signal.SIGKILL)
    assert gone(run)
    assert len(leftovers(out)) == 1
    assert pclseg("pretrain", large, "--out", out, *TINY[:-1], 2, "--resume").done()["volumes"] == 10
    assert leftovers(out) == []


@needs_proc
@pytest.mark.slow
@pytest.mark.ci_slow
def test_a_helper_that_the_system_ends_is_told_as_want_of_memory(large, start, leftovers):
    out = large.parent / "run"
    run = start("pretrain", large, "--out", out, *TINY[:-1], 2)
    run.until("prepare", 1)
    helpers = [number for number in run.family() if b"spawn_main" in Path(f"/proc/{number}/cmdline").read_bytes()]
    os.kill(helpers[0], signal.SIGKILL)
    code, err = run.ended()
    assert (code, err, run.events[-1]["kind"]) == (4, "", "memory")
    assert leftovers(out) == []
    assert gone(run)


@pytest.mark.slow
@pytest.mark.ci_slow
def test_two_interrupts_end_a_run_at_once_and_in_words(pretrain, start, tmp_path, leftovers):
    run = start(*pretrain, "--out", tmp_path / "run")
    run.until("pretrain", 5)
    os.kill(run.process.pid, signal.SIGINT)
    with contextlib.suppress(ProcessLookupError):
        os.kill(run.process.pid, signal.SIGINT)
    code, err = run.ended()
    assert (code, err) == (3, "")
    assert run.events[-1]["event"] == "cancelled"
    assert leftovers(tmp_path) == []


@pytest.mark.slow
@pytest.mark.ci_slow
def test_a_reader_of_events_that_goes_away_cancels_the_run(pretrain, unbroken, start, pclseg, tmp_path):
    run = start(*pretrain, "--out", tmp_path / "run")
    run.until("pretrain", 5)
    assert run.process.stdout is not None
    run.process.stdout.close()
    assert run.process.wait(timeout=60) == 3
    assert run.process.stderr is not None
    assert run.process.stderr.read() == ""
    pclseg(*pretrain, "--out", tmp_path / "run", "--resume").done()
    assert same(tmp_path / "run" / "encoder.safetensors", unbroken / "encoder.safetensors")
