"""What "Reload and Test" of the module runs inside Slicer: from generated hearts to a segmentation."""

from __future__ import annotations

from collections.abc import Callable

import qt

from PCLLib.sample_data import add_hearts
from PCLLib.segment_nodes import segments_of
from PCLLib.segmentation_panel import SegmentationPanel
from PCLLib.segmentation_states import Doing
from PCLLib.temporary import TemporaryFolder

_LIMIT_S = 300


class SegmentationSelfTest:
    """Works the panel as a person would.

    Args:
        panel: of the module.
    """

    def __init__(self, panel: SegmentationPanel) -> None:
        self._panel = panel

    def run(self) -> None:
        """Runs all. Raises AssertionError when something is not as it should be."""
        if self._panel.session.installer.needed:
            return
        nodes = add_hearts(3, 2)
        self._wait(lambda: len(self._panel.desk.cases) == 3)
        with TemporaryFolder("self-test") as name:
            parameters = self._panel.desk.parameters
            assert parameters is not None
            parameters.out = str(name)
            parameters.minutes = 1
            self._wait(lambda: self._panel.session.speed is not None)
            self._panel.ui.finetuneButton.click()
            self._wait(lambda: self._panel.session.doing is Doing.IDLE and self._panel.session.segmenting.model is not None)
            self._panel.segment.show_volume(nodes[2])
            self._panel.ui.segmentButton.click()
            self._wait(lambda: self._panel.session.doing is Doing.IDLE and self._panel.segment.result is not None)
            assert len(segments_of(self._panel.segment.result)) == 3

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
