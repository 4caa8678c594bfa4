"""How long it takes from the slider to the picture, with the slices of 200 volumes: less than 50 ms."""

from __future__ import annotations

import json
import os
import sys
import time

import numpy as np
import pytest

VOLUMES, SLICES = 200, 30
LIMIT_MS = 50.0


class Volumes:
    """As many volumes as a large study has; nothing is asked of them but their names."""

    decides = True

    def __getattr__(self, name):
        answers = {"why_not": "", "encoder": None, "threshold": 0.0, "marks": ((), ()), "volume_of": None}
        if name == "name_of":
            return lambda volume: volume.id
        return lambda *_arguments: answers[name]


@pytest.fixture
def folder(tmp_path):
    """What the engine writes about 200 volumes."""
    shape = (VOLUMES * SLICES, 64, 64)
    np.save(tmp_path / "pictures.npy", np.random.default_rng(0).integers(0, 255, shape).astype(np.uint8))
    positions = ((np.arange(SLICES) + 1) / SLICES).tolist()
    volumes = [
        {
            "id": f"patient{number:03d}_frame01", "path": f"/data/patient{number:03d}.nii.gz", "format": "nifti",
            "plane": "axial", "first_centre": [0, 0, 5 * number], "step": [0, 0, 3.5], "slices": SLICES,
            "positions": positions, "aligned": positions, "counted_from_the_other_end": False, "outliers": [],
            "first_row": SLICES * number, "part": None,
        }
        for number in range(VOLUMES)
    ]  # fmt: skip
    matrix = np.eye(20).tolist()
    report = {
        "axis": "auto",
        "left_out": [],
        "threshold": {"proposed": 0.2, "reason": ""},
        "likeness": {"relative": matrix, "aligned": matrix},
    }
    (tmp_path / "positions.json").write_text(json.dumps({**report, "volumes": volumes}))
    return tmp_path


@pytest.fixture
def widget(bench, qt, folder):
    """The inspector in a window, as wide as Slicer's panel."""
    from PCLLib.engine import Engine
    from PCLLib.inspector_widget import InspectorWidget
    from PCLLib.job_group import JobGroup

    section = qt.QWidget()
    qt.QVBoxLayout(section)
    one = InspectorWidget(section, Volumes(), JobGroup(Engine(sys.executable)), lambda then: then())
    section.resize(400, 900)
    section.show()
    one._found(folder)
    bench.host.process_events()
    yield one
    one.clear()
    section.close()


def test_200_volumes_follow_the_slider(widget, bench, record_property):
    milliseconds = []
    for step in range(20):
        begin = time.perf_counter()
        widget.ui.positionSlider.setValue(200 + 30 * step)
        bench.host.process_events()  # paints
        milliseconds.append(1000 * (time.perf_counter() - begin))
        assert f"slice {round(0.03 * (200 + 30 * step))} of 30" in widget.ui.tileList.item(0).text()
    last = f"slice {round(0.03 * (200 + 30 * 19))} of 30"
    bench.wait_until(lambda: last in widget.ui.tileList.item(VOLUMES - 1).text())  # those out of sight follow
    record_property("milliseconds", milliseconds)
    print("ms from slider to picture:", [round(one) for one in sorted(milliseconds)])  # noqa: T201 (a measurement, shown with -s)
    if min(milliseconds) >= LIMIT_MS and os.getloadavg()[0] > 2.5:
        pytest.skip(f"the machine is busy with other work: {min(milliseconds):.0f} ms says nothing")
    assert min(milliseconds) < LIMIT_MS
