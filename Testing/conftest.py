"""The command line as tests call it, and small labelled volumes, an encoder and a model for it to work on."""

from __future__ import annotations

import contextlib
import io
import json
import locale
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pcl_core.cli import main
from pcl_core.demo.hearts import write_hearts
from pcl_core.events import Reporter
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.writing import write_volume

LAST = {"done", "cancelled", "error"}
# Options that keep a training to a blink.
SMALL = ("--size", "32", "--filters", "4", "--steps", "4", "--batch", "8")


@pytest.fixture(autouse=True)
def own_locale() -> Iterator[None]:
    """Ends what a test did to the locale of the process: writing DICOM by ITK sets it to C, in which files are ASCII."""
    before = locale.setlocale(locale.LC_ALL)
    yield
    locale.setlocale(locale.LC_ALL, before)


@dataclass(frozen=True)
class Outcome:
    """What a call of the command line came to."""

    code: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stdout.splitlines()]

    def named(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["event"] == name]

    def done(self) -> dict[str, Any]:
        """The summary of a command that ended well, whose events keep to the contract."""
        self._keeps_to_contract()
        assert self.code == 0, self.stdout + self.stderr
        assert self.events[0]["event"] == "started"
        assert self.events[-1]["event"] == "done"
        return dict(self.events[-1]["summary"])

    @property
    def warnings(self) -> list[str]:
        return [event["message"] for event in self.named("warning")]

    def refusal(self, *fragments: object) -> str:
        """The line of a command that refused its input; it must hold all fragments, and say what to do."""
        self._keeps_to_contract()
        last = self.events[-1]
        assert (self.code, last["event"], last["kind"]) == (2, "error", "input"), self.stdout + self.stderr
        assert last["hint"], f"no word of what to do: {last['message']}"
        line = f"{last['message']} {last['hint']}"
        assert "\n" not in line
        assert len(line) < 600, line
        for fragment in fragments:
            assert str(fragment) in line
        assert self.stderr == ""
        return line

    def _keeps_to_contract(self) -> None:
        assert all({"event", "time"} <= event.keys() for event in self.events)
        assert [event["event"] in LAST for event in self.events] == [False] * (len(self.events) - 1) + [True]


Run = Callable[..., Outcome]


def call(words: Sequence[object]) -> Outcome:
    """Runs the command line in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in words])
    return Outcome(code, out.getvalue(), err.getvalue())


@pytest.fixture
def pclseg(capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in this process with --events; what libraries write past Python counts as written."""

    def run(*words: object, events: bool = True) -> Outcome:
        capfd.readouterr()
        outcome = call([*words, "--events"] if events else words)
        past = capfd.readouterr()
        return Outcome(outcome.code, outcome.stdout + past.out, outcome.stderr + past.err)

    return run


@pytest.fixture
def estimates() -> None:
    """Asked for by tests in which panels estimate by themselves, as they do in Slicer (``Testing/estimates.py``)."""


@pytest.fixture(scope="session")
def hearts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four small labelled volumes: imagesTr, labelsTr and dataset.json. Read only."""
    folder = tmp_path_factory.mktemp("hearts")
    write_hearts(folder, 4, 0, Reporter())
    return folder


@pytest.fixture(scope="session")
def pretrained(hearts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a short pretraining on the hearts. Read only."""
    out = tmp_path_factory.mktemp("pretrained")
    outcome = call(["pretrain", hearts / "imagesTr", "--out", out, *SMALL, "--events"])
    assert outcome.code == 0, outcome
    return out


@pytest.fixture(scope="session")
def finetuned(hearts: Path, pretrained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a short fine-tuning on the hearts from that encoder. Read only."""
    out = tmp_path_factory.mktemp("finetuned")
    words = ["finetune", hearts / "imagesTr", hearts / "labelsTr", "--out", out, "--steps", "4"]
    outcome = call([*words, "--encoder", pretrained / "encoder.safetensors", "--events"])
    assert outcome.code == 0, outcome
    return out


@pytest.fixture
def small() -> tuple[str, ...]:
    """Options that keep a training to a blink."""
    return SMALL


@pytest.fixture
def volume() -> Callable[..., Path]:
    """Writes a volume (z, y, x) with a bright block in noise, or the given voxels; the spacing is 1 x 1 x 4 mm."""

    def write(path: Path, voxels: np.ndarray | None = None, seed: int = 0, shape: tuple[int, int, int] = (6, 20, 24)) -> Path:
        if voxels is None:
            voxels = np.random.default_rng(seed).integers(0, 60, shape).astype(np.int16)
            voxels[:, 6:14, 8:16] += 200
        z, y, x = voxels.shape
        direction = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
        write_volume(path, voxels, Geometry((x, y, z), (1.0, 1.0, 4.0), (0.0, 0.0, 0.0), direction))
        return path

    return write


@pytest.fixture
def labels_of(volume: Callable[..., Path]) -> Callable[..., Path]:
    """Writes the label map of such a volume: 1 in the block, 0 elsewhere."""

    def write(path: Path, shape: tuple[int, int, int] = (6, 20, 24), value: int = 1) -> Path:
        voxels = np.zeros(shape, np.uint8)
        voxels[:, 6:14, 8:16] = value
        return volume(path, voxels)

    return write


def unfinished(folder: Path) -> list[str]:
    """Files below a folder that a writer should have renamed or removed."""
    return [str(path.relative_to(folder)) for path in folder.rglob(".*")]


@pytest.fixture
def leftovers() -> Callable[[Path], list[str]]:
    """Files below a folder that a writer should have renamed or removed."""
    return unfinished
