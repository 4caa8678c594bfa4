"""What "Reload and Test" of the module runs inside Slicer: a short pretraining, from a folder to an encoder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import qt
import slicer

from PCLLib.pretrain_panel import PretrainPanel
from PCLLib.states import State
from PCLLib.temporary import TemporaryFolder

_LIMIT_S = 300


class PretrainSelfTest:
    """Works the panel as a person would.

    Args:
        panel: of the module.
    """

    def __init__(self, panel: PretrainPanel) -> None:
        self._panel = panel

    def run(self) -> None:
        """Runs all. Raises AssertionError when something is not as it should be."""
        with TemporaryFolder("self-test") as name:
            folder = name / "volumes"
            folder.mkdir()
            for number in range(3):
                _write_volume(folder / f"case{number}.nrrd", number)
            self._scan(folder)
            if not self._panel.session.installer.needed:
                self._train()

    def _scan(self, folder: Path) -> None:
        self._panel.ui.folderPathLineEdit.setCurrentPath(str(folder))
        self._wait(lambda: self._panel.session.state is State.READY)
        report = self._panel.session.report
        assert report is not None
        assert [row.slices for row in report.volumes] == [10, 10, 10]

    def _train(self) -> None:
        self._panel.ui.epochsSpinBox.setValue(1)
        self._panel.ui.startButton.click()
        self._wait(lambda: self._panel.session.state in (State.DONE, State.FAILED))
        result = self._panel.session.result
        assert result is not None, self._panel.session.message
        assert result.encoder.is_file()

    def _wait(self, condition: Callable[[], bool]) -> None:
        """Lets the application run until the condition holds. Raises AssertionError when it takes too long."""
        loop, watch, limit = qt.QEventLoop(), qt.QTimer(), qt.QTimer()
        watch.timeout.connect(lambda: loop.quit() if condition() else None)
        limit.setSingleShot(True)
        limit.timeout.connect(loop.quit)
        watch.start(50)
        limit.start(1000 * _LIMIT_S)
        loop.exec()
        watch.stop()
        limit.stop()
        assert condition(), self._panel.session.message


def _write_volume(path: Path, seed: int) -> None:
    """A block that grows from slice to slice, in noise."""
    voxels = np.random.default_rng(seed).integers(0, 60, (10, 32, 32)).astype(np.int16)
    for k in range(10):
        voxels[k, 8 : 12 + k, 8 : 12 + k] += 200
    node: Any = slicer.util.addVolumeFromArray(voxels)
    node.SetSpacing(1.0, 1.0, 4.0)
    slicer.util.saveNode(node, str(path))
    slicer.mrmlScene.RemoveNode(node)
