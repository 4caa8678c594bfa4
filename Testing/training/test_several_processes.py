"""Two processes that train together compute what one computes on the joined batch, to rounding."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from pcl_core.commands import planning
from pcl_core.errors import InputError
from pcl_core.events import Collected, Reporter
from pcl_core.networks.joined_norm import JoinedBatchNorm, join_norms
from pcl_core.networks.joining import gathered, own_share
from pcl_core.networks.unet import Encoder
from pcl_core.processes import OnlyErrors, World
from pcl_core.training.history import read_history
from pcl_core.training.team import team_on
from pcl_core.training.weights import load_weights
from Testing.training import joined

ROOT = Path(__file__).parents[2]
TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def together(*words: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [*TORCHRUN, "-m", *map(str, words)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def test_in_one_process_nothing_is_joined() -> None:
    rows = torch.rand(5, 2, requires_grad=True)
    assert gathered(rows, 5) is rows
    assert own_share(5) == slice(0, 5)
    norm, plain = JoinedBatchNorm(3).train(), nn.BatchNorm2d(3).train()
    values = torch.rand(4, 3, 2, 2)
    torch.testing.assert_close(norm(values), plain(values))
    torch.testing.assert_close(norm.running_var, plain.running_var)


def test_joining_the_norms_keeps_weights_statistics_and_names() -> None:
    encoder = Encoder(4)
    nn.init.uniform_(encoder.levels[0].get_submodule("1").weight)
    encoder.levels[1].requires_grad_(False)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    join_norms(encoder, torch.device("cpu"))
    assert sum(type(part) is JoinedBatchNorm for part in encoder.modules()) == 8
    assert not any(parameter.requires_grad for parameter in encoder.levels[1].parameters())
    assert before.keys() == encoder.state_dict().keys()
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_the_world_is_what_torchrun_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("WORLD_SIZE", "4"), ("RANK", "3"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    assert World.of_environment() == World(4, 3, 1)


def test_a_build_without_nccl_says_so_before_several_gpus_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: False)
    with pytest.raises(InputError, match="no NCCL"), team_on(torch.device("cuda", 0), World(2, 0, 0)):
        pass


@pytest.mark.parametrize(("name", "local", "refused"), [("cuda:0", 1, True), ("cuda:1", 0, False), ("cuda", 1, False)])
def test_processes_do_not_share_a_gpu_that_is_named(name: str, local: int, refused: bool, monkeypatch) -> None:
    monkeypatch.setattr(World, "of_environment", lambda: World(2, local, local))
    monkeypatch.setattr(
        planning, "choose_device", lambda name, _number: torch.device(f"{name}:{local}" if name == "cuda" else name)
    )
    monkeypatch.setattr(planning, "device_name", str)
    args = argparse.Namespace(command="pretrain", device=name)
    with pytest.raises(InputError, match="cannot share cuda:0") if refused else nullcontext():
        planning.start(args, Reporter())


def test_the_other_processes_tell_errors_only() -> None:
    sink = Collected()
    other = OnlyErrors(sink)
    for event in ("started", "metric", "error", "cancelled"):
        other.write({"event": event})
    assert [event["event"] for event in sink.events] == ["error"]


@pytest.mark.slow
@pytest.mark.ci_slow
def test_loss_gradients_and_memories_of_every_method_are_those_of_one_process(tmp_path: Path) -> None:
    running = together("Testing.training.joined", tmp_path)
    _, err = running.communicate(timeout=600)
    assert running.returncode == 0, err
    wanted = joined.all_methods()
    largest: dict[
        str, float
    ] = {}  # gradient of each method and step; those of biases before BatchNorm are nothing but rounding
    for name, value in wanted.items():
        step = name.split(".gradient")[0]
        largest[step] = max(largest.get(step, 0.0), float(value.abs().max())) if "gradient" in name else largest.get(step, 0.0)
    for number in (0, 1):
        found = load_file(tmp_path / f"{number}.safetensors")
        assert found.keys() == wanted.keys()
        for name, value in wanted.items():
            # The second step starts from weights that differ by the first one's rounding.
            close = 1e-5 if "/0." in name else 1e-4
            if "loss" in name:
                torch.testing.assert_close(found[name], value, atol=close / 10, rtol=close / 10, msg=name)
            elif "gradient" in name:
                assert float((found[name] - value).abs().max()) <= close * largest[name.split(".gradient")[0]], name
            else:
                torch.testing.assert_close(found[name], value, atol=close, rtol=10 * close, msg=name)


@pytest.mark.slow
@pytest.mark.ci_slow
def test_the_command_under_torchrun_learns_what_one_process_learns_and_stops_and_goes_on(
    hearts, pclseg, tmp_path: Path
) -> None:
    words = ("pretrain", hearts / "imagesTr", "--size", 32, "--filters", 4, "--batch", 8, "--steps", 60)
    running = together("pcl_core", *words, "--out", tmp_path / "two", "--events")
    assert running.stdout is not None
    lines = []
    for line in running.stdout:
        lines.append(json.loads(line))
        if lines[-1]["event"] == "metric":
            os.kill(running.pid, signal.SIGTERM)
            break
    lines += [json.loads(line) for line in running.stdout]
    running.wait(60)
    assert [event["event"] for event in lines].count("started") == 1  # the first process tells for both
    assert lines[-1]["event"] == "cancelled"
    stopped = load_weights(tmp_path / "two" / "encoder.safetensors", "encoder")[1].training["steps"]
    assert 0 < stopped < 60
    # One process goes on where two stopped, and the curve is that of one process throughout.
    pclseg(*words, "--out", tmp_path / "two", "--resume").done()
    pclseg(*words, "--out", tmp_path / "one").done()
    curves = [[row["loss"] for row in read_history(tmp_path / name / "metrics.csv", 60)] for name in ("one", "two")]
    assert len(curves[0]) == len(curves[1]) == 60
    assert curves[0][:3] == pytest.approx(curves[1][:3], rel=0.02)  # half precision on this processor, maybe
    tensors = [load_weights(tmp_path / name / "encoder.safetensors", "encoder")[0] for name in ("one", "two")]
    assert tensors[0].keys() == tensors[1].keys()
    assert not list((tmp_path / "two").rglob(".*"))


@pytest.mark.slow
@pytest.mark.ci_slow
def test_two_processes_go_on_where_one_stopped(hearts, pclseg, tmp_path: Path) -> None:
    words = ("pretrain", hearts / "imagesTr", "--size", 32, "--filters", 4, "--batch", 8, "--out", tmp_path)
    pclseg(*words, "--steps", 3).done()
    running = together("pcl_core", *words, "--steps", 3, "--resume", "--events")
    out, err = running.communicate(timeout=300)
    assert running.returncode == 0, err
    assert [json.loads(line)["event"] for line in out.splitlines()][-1] == "done"


@pytest.mark.slow
@pytest.mark.ci_slow
def test_what_the_first_process_refuses_ends_the_others_quietly(tmp_path: Path) -> None:
    begin = time.monotonic()
    running = together("pcl_core", "pretrain", tmp_path / "nothing", "--out", tmp_path / "out", "--events")
    out, _ = running.communicate(timeout=300)
    assert running.returncode != 0
    errors = [event for event in map(json.loads, out.splitlines()) if event["event"] == "error"]
    assert [event["kind"] for event in errors] == ["input"]
    assert time.monotonic() - begin < 120


def test_a_command_for_one_process_says_so_under_torchrun(hearts, pclseg, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    pclseg("scan", hearts / "imagesTr")  # needs no device and asks for none
    pclseg("bench").refusal("runs in one process", "without torchrun")
