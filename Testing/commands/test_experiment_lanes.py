"""``experiment --lanes``: cells side by side, in processes that are stopped, killed and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from pcl_core.commands.experiment_lanes import lanes_on
from pcl_core.training.weights import load_weights
from Testing.commands import experiments

ROOT = Path(__file__).parents[2]
SLOW = (pytest.mark.slow, pytest.mark.ci_slow)


@pytest.fixture
def config(hearts, tmp_path) -> Path:
    """Three methods at M = 1 and 2 in one of two folds: six cells, two encoders."""
    data = {
        "name": "Hearts",
        "images": str(hearts / "imagesTr"),
        "labels": str(hearts / "labelsTr"),
        "methods": ["random", "pcl", "simclr"],
        "labelled": [1, 2],
        "folds": 2,
        "use_folds": [1],
        "plan": {
            "slices": {"size": 32},
            "network": {"filters": 4},
            "pretrain": {"steps": 6, "batch": 8},
            "finetune": {"steps": 6, "batch": 4},
        },
    }
    path = tmp_path / "CONFIG.json"
    path.write_text(json.dumps(data))
    return path


def rows_of(out: Path) -> list[dict[str, str]]:
    """The rows of results.csv in the order of their names: lanes end in any."""
    return sorted(experiments.rows_of(out), key=lambda row: (row["method"], row["labelled"]))


def started(*words: object) -> subprocess.Popen[str]:
    """The command line in a process group of its own, all of it on one thread, so that runs can be compared bit for bit."""
    return subprocess.Popen(
        [sys.executable, "-m", "pcl_core", "experiment", *map(str, words), "--events"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
    )


def family(group: int) -> list[int]:
    """The processes of a group that are there."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, own = path.read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if int(own) == group and state != "Z":
            found.append(int(path.parent.name))
    return found


def none_left(group: int, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while family(group) and time.monotonic() < deadline:
        time.sleep(0.1)
    return not family(group)


@pytest.mark.parametrize(
    ("count", "cores", "expected"),
    [(None, 8, [("cpu", 3)]), (1, 8, [("cpu", 3)]), (2, 8, [("cpu", 4)] * 2), (3, 2, [("cpu", 1)] * 3)],
)
def test_lanes_on_a_processor_share_its_cores(count, cores, expected, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert lanes_on(torch.device("cpu"), "auto", count, cores) == expected


@pytest.mark.parametrize(
    ("named", "count", "devices"),
    [
        ("auto", None, ["cuda:0", "cuda:1"]),
        ("cuda", None, ["cuda:0", "cuda:1"]),
        ("auto", 3, ["cuda:0", "cuda:1", "cuda:0"]),
        ("auto", 1, ["cuda:0"]),
        ("cuda:1", None, ["cuda:1"]),
        ("cuda:1", 2, ["cuda:1", "cuda:1"]),
    ],
)
def test_each_gpu_is_a_lane_unless_one_is_named(named, count, devices, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    device = torch.device("cuda" if named == "auto" else named)
    assert [name for name, _ in lanes_on(device, named, count, 8)] == devices


@pytest.mark.slow
@pytest.mark.ci_slow
def test_two_lanes_come_to_the_results_of_one_and_make_each_encoder_once(config, tmp_path, leftovers):
    for name, count in (("one", 1), ("two", 2)):
        run = started(config, "--out", tmp_path / name, "--lanes", count)
        out, err = run.communicate(timeout=300)
        assert (run.returncode, err) == (0, "")
        events = [json.loads(line) for line in out.splitlines()]
        assert events[-1]["summary"]["done_now"] == 6
        made = [event["path"] for event in events if event["event"] == "artifact" and event["kind"] == "encoder"]
        assert len([path for path in made if "encoders" in path]) == len(set(made)) == 2
        if count == 2:
            assert {event["lane"] for event in events if "lane" in event} == {0, 1}
        assert none_left(run.pid)
    assert rows_of(tmp_path / "one") == rows_of(tmp_path / "two")
    assert leftovers(tmp_path / "two") == []
    for folder in (tmp_path / "one" / "encoders").iterdir():
        first, _ = load_weights(folder / "encoder.safetensors", "encoder")
        second, _ = load_weights(tmp_path / "two" / "encoders" / folder.name / "encoder.safetensors", "encoder")
        assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.slow
@pytest.mark.ci_slow
@pytest.mark.parametrize("way", ["cancelled", "terminated", "killed", "interrupted with its group"])
def test_lanes_that_are_stopped_leave_no_process_and_go_on_later(way, config, tmp_path):
    run = started(config, "--out", tmp_path / "out", "--lanes", 2)
    for line in run.stdout:
        event = json.loads(line)
        if event.get("stage") == "experiment" and event["done"] >= 1:
            break
    if way == "killed":
        os.kill(run.pid, signal.SIGKILL)
    elif way == "interrupted with its group":
        os.killpg(run.pid, signal.SIGINT)
    else:
        os.kill(run.pid, signal.SIGINT if way == "cancelled" else signal.SIGTERM)
    out, err = run.communicate(timeout=120)
    if way != "killed":
        assert (run.returncode, err) == (3, "")
        assert json.loads(out.splitlines()[-1])["event"] == "cancelled"
    assert none_left(run.pid)
    before = rows_of(tmp_path / "out")
    assert 1 <= len(before) < 6

    again = started(config, "--out", tmp_path / "out", "--lanes", 2, "--resume")
    out, err = again.communicate(timeout=300)
    assert (again.returncode, err) == (0, "")
    assert json.loads(out.splitlines()[-1])["summary"]["done_now"] == 6 - len(before)
    assert len(rows_of(tmp_path / "out")) == 6
    assert [row for row in rows_of(tmp_path / "out") if row in before] == before


@pytest.mark.slow
@pytest.mark.ci_slow
def test_a_lane_that_the_system_ends_is_told_as_want_of_memory(config, tmp_path):
    run = started(config, "--out", tmp_path / "out", "--lanes", 2)
    for line in run.stdout:
        if "[1]" in json.loads(line).get("stage", ""):
            break
    workers = [pid for pid in family(run.pid) if b"spawn_main" in (Path("/proc") / str(pid) / "cmdline").read_bytes()]
    assert len(workers) == 2
    os.kill(workers[0], signal.SIGKILL)
    out, err = run.communicate(timeout=120)
    last = json.loads(out.splitlines()[-1])
    assert (run.returncode, last["event"], last["kind"], err) == (4, "error", "memory", "")
    assert "--lanes" in last["hint"]
    assert none_left(run.pid)
