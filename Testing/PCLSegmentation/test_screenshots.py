"""Pictures of every state of PCLSegmentation for the documents; see Testing/PCLPretrain/test_screenshots.py."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

IMAGES = Path(__file__).parents[2] / "Docs" / "images"
WIDTH = 400

pytestmark = [
    pytest.mark.screenshots,
    pytest.mark.slow,
    pytest.mark.timeout(3000),
    pytest.mark.skipif("PCL_SCREENSHOTS" not in os.environ, reason="pictures are made by make screenshots"),
]


@pytest.fixture
def camera(request, page):
    """Takes pictures of the panel at the width that Slicer gives it, and of the whole window."""
    from PySide6 import QtWidgets

    application = QtWidgets.QApplication.instance()
    usual = application.font()
    window = page.bench.host.window
    window.resize(1400, 1700)
    raw = page.widget.parent._raw
    scroll = raw.parentWidget().parentWidget()
    widths = scroll.minimumWidth(), scroll.maximumWidth()
    scroll.setFixedWidth(WIDTH)

    def shoot(name):
        for _ in range(4):
            page.bench.host.process_events()
        needs = {child.objectName(): child.minimumSizeHint().width() for child in raw.findChildren(QtWidgets.QWidget)}
        widest = sorted(needs.items(), key=lambda item: -item[1])[:6]
        assert raw.minimumSizeHint().width() <= WIDTH, f"{name}: the panel is too wide: {widest}"
        labels = [label for label in raw.findChildren(QtWidgets.QLabel) if label.isVisible() and label.wordWrap()]
        cut = [label.text() for label in labels if label.height() < label.heightForWidth(label.width())]
        assert not cut, f"{name}: lines are cut off: {cut}"
        end = page.ui.logButton._raw
        bottom = end.mapTo(raw, end.rect().bottomLeft()).y() + 10
        picture = raw.grab().toImage()
        picture = picture.copy(0, 0, WIDTH, min(bottom, picture.height())).convertToFormat(picture.Format.Format_RGB888)
        IMAGES.mkdir(parents=True, exist_ok=True)
        assert picture.save(str(IMAGES / f"segmentation_{name}.png"))

    def take(name, whole=False, larger=True):
        shoot(name)
        if larger:
            font = application.font()
            font.setPointSizeF(usual.pointSizeF() * 1.5)
            application.setFont(font)
            shoot(f"{name}_150")
            application.setFont(usual)
        if whole:
            window.resize(1400, 950)
            for _ in range(8):
                page.bench.host.process_events()
            page.bench.photograph(IMAGES / f"segmentation_{name}_window.png")
            window.resize(1400, 1700)

    yield take
    scroll.setMinimumWidth(widths[0])
    scroll.setMaximumWidth(widths[1])
    application.setFont(usual)


def only(page, *names):
    """Opens some of the sections and closes the others."""
    sections = ("casesButton", "inspectorSection", "suggestSection", "finetuneSection", "segmentSection", "reviewSection")
    for name in (*sections, "annotateSection"):
        getattr(page.ui, name).collapsed = name not in names


def test_pictures_of_all_states(estimates, page, camera, tmp_path):
    from PCLLib.sample_data import add_hearts

    page.bench.wait_until(lambda: page.session.graphics.devices, 120)
    page.small(tmp_path / "models")
    only(page, "casesButton", "finetuneSection", "segmentSection", "reviewSection")
    camera("empty")
    nodes = add_hearts(6, 3)
    page.wait_for_cases(6)
    page.bench.wait_until(lambda: page.states()["Heart2"] == "Annotated")
    page.choose("Heart2")
    page.bench.choose(page.ui.countingComboBox, "A range of slices")
    page.bench.type_text(page.ui.firstSpinBox, "3")
    page.bench.type_text(page.ui.lastSpinBox, "9")
    page.bench.wait_until(lambda: page.session.speed is not None, 120)
    only(page, "casesButton", "finetuneSection")
    camera("cases", whole=True)
    page.bench.click(page.ui.annotateButton)
    only(page, "casesButton", "annotateSection")
    camera("annotate", larger=False)  # the editor is Slicer's own
    train(page, camera)
    review(page, camera, nodes)
    warn(page, camera, nodes[5])
    page.parameters.model = "/data/models/model_07/model.safetensors"  # not there
    camera("failed")


def train(page, camera):
    from PCLLib.finetuning import Speed

    only(page, "casesButton", "finetuneSection")
    page.session.speed = Speed(600, 300.0, "cpu")
    page.panel.finetune._pause.stop()
    page.parameters.minutes = 1
    page.bench.click(page.ui.finetuneButton)
    page.wait("TRAINING")
    page.bench.wait_until(lambda: page.panel.finetune.curves.points > 15, 200)
    camera("training", whole=True)
    page.wait("IDLE", seconds=1200)
    assert page.message == ""
    camera("trained")


def review(page, camera, nodes):
    only(page, "casesButton", "segmentSection", "reviewSection")
    page.segment(nodes[3])
    page.bench.wait_until(lambda: page.panel.segment.result.GetDisplayNode().GetVisibility3D(), 60)
    camera("segmented", whole=True)
    page.bench.click(page.ui.acceptButton)
    page.segment(nodes[4])
    page.bench.click(page.ui.correctButton)
    only(page, "casesButton", "reviewSection")
    page.bench.click(page.ui.markButton)
    camera("reviewed")


def warn(page, camera, other):
    only(page, "casesButton", "segmentSection")
    other.SetSpacing(0.5, 0.5, 2.0)
    page.show(other)
    camera("unlike")
    page.bench.answer("Segment all")
    page.bench.click(page.ui.segmentAllButton)
    page.wait("SEGMENTING")
    camera("segmenting")
    page.wait("IDLE")
    camera("all")


def test_pictures_of_what_to_annotate_next(estimates, page, camera):
    from PCLLib.sample_data import add_hearts

    add_hearts(6, 2)
    page.wait_for_cases(6)
    page.bench.wait_until(lambda: page.states()["Heart2"] == "Annotated")
    only(page, "casesButton", "suggestSection")
    page.bench.click(page.ui.suggestButton)
    page.bench.wait_until(lambda: page.ui.suggestTable.rowCount, 120)
    camera("next")
    only(page, "casesButton", "inspectorSection")
    inspection = page.panel.looking.inspector
    page.bench.click(inspection.ui.lookButton)
    page.bench.wait_until(lambda: inspection.inspector.report is not None, 120)
    inspection.ui.positionSlider.setValue(500)
    camera("positions", larger=False)
    only(page, "casesButton", "finetuneSection")
