"""Pictures of every state for the documents, at 400 pixels width, and at 150 % font size.

They are made on demand, so that usual runs leave the working tree as it is: make screenshots.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest

from Testing.slices.courses import course

IMAGES = Path(__file__).parents[2] / "Docs" / "images"
WIDTH = 400

pytestmark = [
    pytest.mark.screenshots,
    pytest.mark.slow,
    pytest.mark.skipif("PCL_SCREENSHOTS" not in os.environ, reason="pictures are made by make screenshots"),
]


@pytest.fixture(params=["", "_150"])
def camera(request, page):
    """Takes pictures of the panel at the width that Slicer gives it."""
    from PySide6 import QtWidgets

    application = QtWidgets.QApplication.instance()
    usual = application.font()
    if request.param:
        larger = application.font()
        larger.setPointSizeF(usual.pointSizeF() * 1.5)
        application.setFont(larger)
    window = page.bench.host.window
    window.resize(1200, 1500)
    raw = page.widget.parent._raw
    scroll = raw.parentWidget().parentWidget()
    widths = scroll.minimumWidth(), scroll.maximumWidth()
    scroll.setFixedWidth(WIDTH)

    def take(name):
        for _ in range(4):
            page.bench.host.process_events()
        for layout in raw.findChildren(QtWidgets.QLayout):
            layout.invalidate()  # another font was chosen after they had measured
        page.bench.host.process_events()
        needs = {one.objectName(): one.minimumSize().width() for one in raw.findChildren(QtWidgets.QLayout)}
        assert raw.minimumSizeHint().width() <= WIDTH, f"{name}: the panel is too wide: {needs}"
        end = page.ui.logButton._raw
        bottom = end.mapTo(raw, end.rect().bottomLeft()).y() + 10
        picture = raw.grab().toImage()
        picture = picture.copy(0, 0, WIDTH, min(bottom, picture.height())).convertToFormat(picture.Format.Format_RGB888)
        IMAGES.mkdir(parents=True, exist_ok=True)
        assert picture.save(str(IMAGES / f"{name}{request.param}.png"))

    yield take
    scroll.setMinimumWidth(widths[0])
    scroll.setMaximumWidth(widths[1])
    application.setFont(usual)


@pytest.fixture
def hearts_folder():
    """Six generated hearts and a file that is none, in a folder whose name is short enough to be read."""
    from pcl_core.demo.hearts import write_hearts
    from pcl_core.events import Reporter

    folder = Path(tempfile.gettempdir()) / "hearts"
    folder.mkdir()  # one of another's is left alone
    write_hearts(folder, 6, 0, Reporter())
    (folder / "imagesTr" / "heart_damaged.nii.gz").write_bytes(b"damaged")
    yield folder / "imagesTr"
    shutil.rmtree(folder)


def test_pictures_of_all_states(estimates, page, camera, hearts_folder, qt):
    from PCLLib import pretrain_texts as texts
    from PCLLib.events import Failed
    from PCLLib.messages import Action

    page.bench.wait_until(lambda: page.session.graphics.devices, 120)
    camera("no_folder")
    page.type_folder(hearts_folder)
    page.wait("SCANNING")
    camera("scanning")
    page.wait("READY")
    page.ui.scanTable.item(2, 0).setCheckState(qt.Qt.Unchecked)
    page.bench.wait_until(lambda: page.session.estimating.estimate and not page.session.estimating.running, 120)
    camera("ready")
    page.ui.advancedButton.collapsed = False
    camera("advanced")
    page.ui.advancedButton.collapsed = True
    page.small(epochs=100000, resolution=3.0)
    page.bench.click(page.ui.startButton)
    page.wait("RUNNING")
    page.steps(40)
    page.bench.wait_until(lambda: "left" in page.ui.progressLabel.text, 60)
    camera("running")
    page.ui.logButton.collapsed = False
    camera("log")
    page.ui.logButton.collapsed = True
    page.session.states.to(type(page.session.state).CANCELLING)
    camera("cancelling")
    page.session.jobs.cancel("train")
    page.wait("STOPPED")
    camera("stopped")
    page.bench.click(page.ui.resumeButton)
    page.wait("RUNNING")
    page.steps(45)
    page.kill()
    page.wait("FAILED")
    camera("failed")
    last = Failed("memory", "The memory of the device is not enough.", "", {"batch": 16})
    page.session.tell(texts.failed(last, (Action(texts.smaller_setting(last), lambda: None),)))
    camera("memory")
    page.small(epochs=8)
    page.bench.answer("Start anew")
    page.bench.click(page.ui.startButton)
    page.wait("RUNNING")
    page.wait("DONE")
    camera("done")
    _nothing_usable(page, camera, hearts_folder.parent / "bad")


def _nothing_usable(page, camera, bad):
    page.session.clear()
    bad.mkdir()
    (bad / "one.nrrd").write_bytes(b"nothing")
    (bad / "a_name_that_is_longer_than_the_column_is_wide.nii.gz").write_bytes(b"nothing")
    page.open(bad)
    camera("nothing_usable")


@pytest.fixture
def spoiled_folder(volume):
    """Twelve generated volumes: scan_04 upside down, scan_07 cut off, scan_10 another contrast."""
    folder = Path(tempfile.gettempdir()) / "scans"
    folder.mkdir()  # one of another's is left alone
    for number in range(12):
        images = course(number, cut=(0.4, 0.0) if number == 7 else (0.0, 0.0), flipped=number == 4).images
        volume(folder / f"scan_{number:02d}.nrrd", (1000 * (1 - images if number == 10 else images)).astype(np.int16))
    yield folder
    shutil.rmtree(folder)


def test_pictures_of_the_inspector(estimates, page, camera, request, hearts_folder, spoiled_folder):
    sections = (page.ui.volumesButton, page.ui.trainingButton)
    inspection = page.panel.inspection.widget
    shown = inspection.ui
    page.open(hearts_folder)
    page.ui.inspectorSection.collapsed = False
    for section in sections:
        section.collapsed = True
    page.bench.click(shown.lookButton)
    page.bench.wait_until(lambda: inspection.inspector.report is not None, 120)
    shown.positionSlider.setValue(450)
    inspection.slices._clicked(shown.tileList.item(1))
    shown.positionSlider.setValue(720)
    camera("inspector")
    if not request.node.callspec.params["camera"]:  # at the usual size of letters
        inspection.open(inspection.inspector.volumes[1], 5)
        page.bench.host.window.resize(1200, 1100)
        for _ in range(8):
            page.bench.host.process_events()
        page.bench.photograph(IMAGES / "inspector_window.png")
        page.bench.host.window.resize(1200, 1500)
    page.ui.volumesButton.collapsed = False
    page.type_folder(spoiled_folder)
    page.bench.wait_until(lambda: page.session.report and page.session.report.folder == spoiled_folder, 60)
    page.ui.volumesButton.collapsed = True
    page.bench.click(shown.lookButton)
    page.bench.wait_until(lambda: inspection.inspector.report is not None, 120)
    shown.inspectorTabs.setCurrentIndex(1)
    camera("inspector_threshold")
    shown.inspectorTabs.setCurrentIndex(2)
    page.parameters.leftOut = ["scan_10"]
    camera("inspector_outliers")
    for section in sections:
        section.collapsed = False
    page.ui.inspectorSection.collapsed = True
