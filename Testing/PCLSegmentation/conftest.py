"""The panel of PCLSegmentation in a test's hands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from Testing.estimates import without_estimates

SHAPE = (8, 32, 32)
TERMINOLOGY = "Segmentation category and type~SCT^123037004^Anatomical Structure~SCT^80891009^Heart~^^~~^^~^^"


class Page:
    """What a person sees and does: real clicks on the real panel, real processes behind it."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        self.widget = bench.load("PCLSegmentation")
        self.panel = self.widget.panel
        self.ui = self.panel.ui
        self.session = self.panel.session
        self.parameters = self.widget.logic.getParameterNode()

    @property
    def doing(self) -> str:
        return self.session.doing.name

    @property
    def message(self) -> str:
        """What the message area says; empty when it is hidden."""
        if not self.ui.messageFrame.visible:
            return ""
        return " ".join(label.text for label in (self.ui.messageLabel, self.ui.hintLabel) if label.visible)

    def wait(self, *doings: str, seconds: float = 120) -> str:
        """Waits until the panel does one of these."""
        self.bench.wait_until(lambda: self.doing in doings, seconds)
        return self.doing

    def rows(self) -> list[tuple[str, str]]:
        """The texts of the table of cases."""
        table = self.ui.caseTable
        return [(table.item(row, 0).text(), table.item(row, 1).text()) for row in range(table.rowCount)]

    def states(self) -> dict[str, str]:
        return dict(self.rows())

    def wait_for_cases(self, count: int) -> None:
        self.bench.wait_until(lambda: self.ui.caseTable.rowCount == count, 60)

    def choose(self, name: str) -> None:
        """Clicks a row of the table of cases."""
        row = [one[0] for one in self.rows()].index(name)
        self.ui.caseTable.setCurrentCell(row, 0)
        self.bench.wait_until(lambda: self.panel.desk.chosen is not None and self.panel.desk.chosen.name == name)

    def checked(self, name: str) -> bool:
        import qt

        row = [one[0] for one in self.rows()].index(name)
        return self.ui.caseTable.item(row, 0).checkState() == qt.Qt.Checked

    def check(self, name: str, on: bool) -> None:
        import qt

        row = [one[0] for one in self.rows()].index(name)
        self.ui.caseTable.item(row, 0).setCheckState(qt.Qt.Checked if on else qt.Qt.Unchecked)

    def small(self, out: Path) -> None:
        """Settings by which a fine-tuning is short."""
        self.parameters.device = type(self.parameters.device).CPU
        self.parameters.out = str(out)

    def finetune(self, out: Path, seconds: float = 240, minutes: int = 1) -> None:
        """Clicks Fine-tune with few steps and waits for the end."""
        from PCLLib.finetuning import Speed

        self.small(out)
        self.bench.wait_until(lambda: "estimate" not in self.session.jobs, 60)
        self.panel.finetune._pause.stop()
        self.session.speed = Speed(600, 3600.0, "cpu")  # a minute has ten steps then; the least is twenty
        self.parameters.minutes = minutes
        self.bench.click(self.ui.finetuneButton)
        self.wait("TRAINING")
        self.wait("IDLE", seconds=seconds)

    def segment(self, volume: Any, seconds: float = 120) -> Any:
        """Shows a volume, clicks Segment and waits for the overlay; returns the new segmentation."""
        self.show(volume)
        self.bench.click(self.ui.segmentButton)
        self.wait("IDLE", seconds=seconds)
        return self.panel.segment.result

    def show(self, volume: Any) -> None:
        """Chooses the volume that is shown."""
        self.ui.volumeComboBox.setCurrentNode(volume)
        assert self.panel.desk.volume is volume
        self.bench.wait_until(lambda: self.panel.desk.case_of(volume) is not None)
        self.panel.render()


def make_volume(slicer: Any, name: str, seed: int = 0, shape: tuple[int, int, int] = SHAPE) -> Any:
    """A volume node with a bright block in noise, and spacing of 1 x 1 x 4 mm."""
    voxels = block(seed, shape)
    affine = np.diag([-1.0, -1.0, 4.0, 1.0])
    return slicer.util.addVolumeFromArray(voxels, ijkToRAS=slicer.util.vtkMatrixFromArray(affine), name=name)


def draw(slicer: Any, volume: Any, slices: slice = slice(None), names: tuple[str, ...] = ("block",)) -> Any:
    """A segmentation of a volume as a person draws it, in some of its slices."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", f"{volume.GetName()} drawn")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    shape = slicer.util.arrayFromVolume(volume).shape
    for number, name in enumerate(names):
        mask = np.zeros(shape, np.uint8)
        mask[slices, 8 + 4 * number : 20, 8:20] = 1
        segment = node.GetSegmentation().AddEmptySegment(name, name, [0.9, 0.3, 0.2 * number])
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment, volume)
    return node


def block(seed: int, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    """Voxels (z, y, x) with a bright block in noise."""
    voxels = np.random.default_rng(seed).integers(0, 60, shape).astype(np.int16)
    voxels[:, 8:20, 8:20] += 200
    return voxels


def run_engine(*words: object) -> None:
    """Runs a command of the engine in a process of its own, as the modules do."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, "-m", "pcl_core", *map(str, words)], check=True, env=environment, capture_output=True)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that finds the block, with a class of a colour and terminology of its own. Read only."""
    from pcl_core.volumes.geometry import Geometry
    from pcl_core.volumes.writing import write_volume

    folder = tmp_path_factory.mktemp("model")
    grid = Geometry(SHAPE[::-1], (1.0, 1.0, 4.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    for seed in range(2):
        labels = np.zeros(SHAPE, np.uint8)
        labels[:, 8:20, 8:20] = 1
        write_volume(folder / "images" / f"case{seed}.nrrd", block(seed), grid)
        write_volume(folder / "labels" / f"case{seed}.nrrd", labels, grid)
    classes = [{"value": 1, "name": "block", "color": [0.2, 0.6, 0.9], "terminology": TERMINOLOGY}]
    (folder / "classes.json").write_text(json.dumps(classes))
    words = ["finetune", folder / "images", folder / "labels", "--out", folder / "out", "--class-list", folder / "classes.json"]
    words += ["--size", "32", "--filters", "8", "--steps", "60", "--learning-rate", "0.01", "--device", "cpu"]
    run_engine(*words)
    return folder / "out" / "model.safetensors"


@pytest.fixture(scope="session")
def pretrained_here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small encoder. Read only."""
    from pcl_core.volumes.geometry import Geometry
    from pcl_core.volumes.writing import write_volume

    folder = tmp_path_factory.mktemp("encoder")
    grid = Geometry(SHAPE[::-1], (1.0, 1.0, 4.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    for seed in range(2):
        write_volume(folder / "images" / f"case{seed}.nrrd", block(seed), grid)
    run_engine(
        "pretrain", folder / "images", "--out", folder / "out", "--size", "32", "--filters", "4", "--steps", "4", "--batch", "8"
    )
    return folder / "out" / "encoder.safetensors"


@pytest.fixture
def blind_model(model: Path, tmp_path: Path) -> Path:
    """The model with a last layer that finds nothing."""
    from safetensors import safe_open
    from safetensors.numpy import save_file

    with safe_open(model, framework="np") as stream:
        about = stream.metadata()
        tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 (not a mapping)
    (last,) = [name for name, tensor in tensors.items() if tensor.ndim == 4 and tensor.shape[0] == 2]
    tensors[last][1] = tensors[last][0]  # a draw goes to the first, which is the background
    save_file(tensors, tmp_path / "blind.safetensors", about)
    return tmp_path / "blind.safetensors"


@pytest.fixture
def ready(page: Page, model: Path, slicer: Any) -> Page:
    """The panel with a model, and a volume like those of its training."""
    page.parameters.device = type(page.parameters.device).CPU
    make_volume(slicer, "scan", 7)
    page.wait_for_cases(1)
    page.parameters.model = str(model)
    assert page.session.segmenting.model is not None, page.message
    return page


@pytest.fixture
def segmented(ready: Page, slicer: Any) -> tuple[Page, Any, Any]:
    """The panel after a click on Segment, with its volume and the new segmentation."""
    volume = slicer.util.getNode("scan")
    return ready, volume, ready.segment(volume)


@pytest.fixture
def page(bench: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """The panel, empty; when the test is over nothing runs any more."""
    without_estimates(request, monkeypatch)
    one = Page(bench)
    yield one
    one.panel.close_scene()
    bench.wait_until(lambda: not one.session.busy, 60)


@pytest.fixture
def scans(page: Page, slicer: Any) -> list[Any]:
    """Four volumes in the scene: the first drawn in all slices, the second in three of them."""
    nodes = [make_volume(slicer, f"scan{number}", number) for number in range(4)]
    draw(slicer, nodes[0])
    draw(slicer, nodes[1], slice(2, 5))
    page.wait_for_cases(4)
    page.bench.wait_until(lambda: page.states()["scan1"] != "Not annotated")
    return nodes


@pytest.fixture
def new_volume(slicer: Any) -> Callable[..., Any]:
    """Makes a volume node."""
    return lambda *arguments, **named: make_volume(slicer, *arguments, **named)


@pytest.fixture
def drawn(slicer: Any) -> Callable[..., Any]:
    """Draws in a volume node."""
    return lambda *arguments, **named: draw(slicer, *arguments, **named)
