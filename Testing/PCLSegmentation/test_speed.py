"""How long a click takes: a 256 x 256 x 30 volume on two CPU cores in less than 5 seconds, from the click to the overlay."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

from Testing.PCLSegmentation.conftest import run_engine

SHAPE = (30, 256, 256)
LIMIT_S = 5.0


@pytest.fixture(scope="module")
def large_model(tmp_path_factory):
    """A model by the plan that is proposed for such volumes without a GPU; it knows little."""
    from pcl_core.volumes.geometry import Geometry
    from pcl_core.volumes.writing import write_volume

    folder = tmp_path_factory.mktemp("large")
    grid = Geometry(SHAPE[::-1], (1.4, 1.4, 6.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, 90:150, 90:150], labels[:, 100:140, 100:140] = 1, 2
    write_volume(folder / "images" / "case.nrrd", voxels(), grid)
    write_volume(folder / "labels" / "case.nrrd", labels, grid)
    words = ("finetune", folder / "images", folder / "labels", "--out", folder / "out", "--device", "cpu")
    run_engine(*words, "--steps", "60", "--learning-rate", "0.01")  # what it finds is smooth then, as in earnest
    return folder / "out" / "model.safetensors"


def voxels() -> np.ndarray:
    drawn = np.random.default_rng(0).integers(0, 300, SHAPE).astype(np.int16)
    drawn[:, 90:150, 90:150] += 400
    return drawn


@pytest.mark.slow
def test_the_second_click_is_fast(page, large_model, slicer, record_property):
    matrix = slicer.util.vtkMatrixFromArray(np.diag([-1.4, -1.4, 6.0, 1.0]))
    volume = slicer.util.addVolumeFromArray(voxels(), ijkToRAS=matrix, name="large")
    page.wait_for_cases(1)
    page.parameters.model = str(large_model)
    page.segment(volume)
    seconds = []
    for _ in range(3):
        page.bench.wait_until(lambda: not page.panel.segment._later.active, 60)
        begin = time.monotonic()
        node = page.segment(volume)
        seconds.append(time.monotonic() - begin)
        assert node.GetDisplayNode().GetVisibility()
    record_property("seconds", seconds)
    print("seconds from click to overlay:", [round(one, 2) for one in seconds])  # noqa: T201 (a measurement, shown with -s)
    if min(seconds) >= LIMIT_S and os.getloadavg()[0] > 2.5:
        pytest.skip(f"the machine is busy with other work: {min(seconds):.1f} s says nothing")
    assert min(seconds) < LIMIT_S


@pytest.mark.slow
def test_a_look_at_what_was_drawn_holds_nobody_up(page, slicer, new_volume, record_property):
    shape = (120, 384, 384)
    volume = new_volume("large", 1, shape)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for number in range(4):
        mask = np.zeros(shape, np.uint8)
        mask[20:90, 50 + 60 * number : 100 + 60 * number, 100:250] = 1
        segment = node.GetSegmentation().AddEmptySegment("", f"class{number}", [1, 0, 0])
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment, volume)
    page.bench.wait_until(lambda: page.states().get("large") == "Partly annotated (70 of 120 slices)")
    seconds = []
    for stroke in range(3):
        mask[20 + stroke, 0:3, 0:3] = 1
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment, volume)
        begin = time.monotonic()
        page.panel.refresh()
        seconds.append(time.monotonic() - begin)
    record_property("seconds", seconds)
    print("seconds of a look after a stroke:", [round(one, 3) for one in seconds])  # noqa: T201 (a measurement, shown with -s)
    if min(seconds) >= 0.2 and os.getloadavg()[0] > 2.5:
        pytest.skip(f"the machine is busy with other work: {min(seconds):.2f} s says nothing")
    assert min(seconds) < 0.2
