"""Memory that is not enough: exit code 4, and a hint at the next smaller setting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from pcl_core.memory_model import pretraining_bytes
from pcl_core.plan import load_plan
from pcl_core.training.devices import compute_type
from pcl_core.training.history import read_history

# Starts the command line with so many MiB more than Python and the libraries take.
_LIMITED = """
import resource, sys
import SimpleITK, torch  # the former is loaded with the first file, which is too late here
from pcl_core.cli import main
import pcl_core.commands.pretrain, pcl_core.commands.finetune, pcl_core.commands.segment
torch.ones(64, 64) @ torch.ones(64, 64)
torch.optim.SGD([torch.nn.Parameter(torch.ones(1))])  # the first optimiser imports a large part of PyTorch
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + int(sys.argv[1]) * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
raise SystemExit(main(sys.argv[2:]))
"""

# glibc keeps freed tensors of some MB for later, and sets 64 MiB of addresses aside for each thread that asks for memory, on a
# machine with many cores often; the tests are about what is really in use.
_GIVEN_BACK = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_ARENA_MAX": "1"}

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system has no /proc")


@pytest.fixture
def limited() -> Callable[..., tuple[int, dict, str]]:
    """Runs the command line with little memory; returns the exit code, the last event and the standard error stream."""

    def run(mebibytes: int, *words: object, events: list[dict] | None = None) -> tuple[int, dict, str]:
        ended = subprocess.run(
            [sys.executable, "-c", _LIMITED, str(mebibytes), *map(str, words), "--events"],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1", **_GIVEN_BACK},
            capture_output=True,
            text=True,
            check=False,
        )
        if events is not None:
            events += map(json.loads, ended.stdout.splitlines())
        return ended.returncode, json.loads(ended.stdout.splitlines()[-1]), ended.stderr

    return run


@pytest.mark.slow
@pytest.mark.ci_slow
def test_pretraining_hints_at_half_the_batch(hearts, tmp_path, limited, leftovers):
    words = ("pretrain", hearts / "imagesTr", "--out", tmp_path / "run", "--size", 256, "--batch", 24, "--steps", 2)
    code, event, err = limited(300, *words)
    assert (code, event["event"], event["kind"], err) == (4, "error", "memory", "")
    assert "--batch 12" in event["hint"]
    assert event["smaller"] == {"batch": 12}
    assert leftovers(tmp_path) == []


@pytest.mark.slow
@pytest.mark.ci_slow
def test_pretraining_falls_to_parts_by_itself_once_and_learns_the_same(hearts, tmp_path, limited, leftovers):
    words = ("pretrain", hearts / "imagesTr", "--size", 256, "--batch", 16, "--filters", 16, "--steps", 2)
    assert limited(20_000, *words, "--out", tmp_path / "plain")[0] == 0
    plan = load_plan(tmp_path / "plain" / "plan.json")
    whole = pretraining_bytes(plan, compute_type(torch.device("cpu")).itemsize)
    events: list[dict] = []
    code, _, err = limited(int(0.7 * whole / 2**20), *words, "--out", tmp_path / "fallen", events=events)
    assert (code, err) == (0, "")
    (warning,) = [event["message"] for event in events if "32 views at once" in event.get("message", "")]
    assert "4 at a time" in warning
    assert leftovers(tmp_path) == []
    losses = [[row["loss"] for row in read_history(tmp_path / name / "metrics.csv", 2)] for name in ("plain", "fallen")]
    assert losses[0] == pytest.approx(losses[1], rel=5e-3)


@pytest.mark.slow
@pytest.mark.ci_slow
def test_fine_tuning_hints_at_half_the_batch(hearts, tmp_path, limited, leftovers):
    words = ("finetune", hearts / "imagesTr", hearts / "labelsTr", "--out", tmp_path / "run")
    code, event, err = limited(300, *words, "--size", 256, "--batch", 24, "--steps", 2)
    assert (code, event["kind"], err) == (4, "memory", "")
    assert "--batch 12" in event["hint"]
    assert leftovers(tmp_path) == []


def test_segmenting_a_volume_that_is_too_large_names_it(finetuned, tmp_path, limited, volume, leftovers):
    voxels = np.zeros((4, 2500, 2500), np.int16)
    voxels[:, :1000] = 500
    image = volume(tmp_path / "vast.nii.gz", voxels)
    words = ("segment", finetuned / "model.safetensors", image, "--out", tmp_path / "out")
    code, event, err = limited(150, *words)
    assert (code, event["kind"], err) == (4, "memory", "")
    assert str(image) in event["message"]
    assert event["hint"]
    assert leftovers(tmp_path) == []
