"""Slice positions of the volumes of a folder: looked at, trusted or not, and what follows for the pretraining."""

from __future__ import annotations

import numpy as np
import pytest

from Testing.conftest import call
from Testing.making import stored
from Testing.PCLPretrain.conftest import long_test
from Testing.slices.courses import course

COUNT = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Eight volumes of one course: case3 upside down, case6 without its first 40 %. Read only."""
    volumes = tmp_path_factory.mktemp("course") / "volumes"
    for number in range(COUNT):
        one = course(number, cut=(0.4, 0.0) if number == 6 else (0.0, 0.0), flipped=number == 3)
        stored(volumes / f"case{number}.nrrd", (one.images * 1000).astype(np.int16))
    return volumes


@pytest.fixture(scope="module")
def found(folder, tmp_path_factory):
    """What the engine finds in them. Read only."""
    out = tmp_path_factory.mktemp("found")
    files = ["--json", out / "positions.json", "--pictures", out / "pictures.npy"]
    assert call(["positions", folder, *files, "--events"]).code == 0
    return out


@pytest.fixture
def opened(page, folder):
    """The panel after a person opened the folder and the section of the positions."""
    page.open(folder)
    page.small()
    page.ui.inspectorSection.collapsed = False
    page.inspection = page.panel.inspection.widget
    page.shown = page.inspection.ui
    yield page
    page.ui.inspectorSection.collapsed = True


@pytest.fixture
def looked(opened, found):
    """The panel with what was found; the process that finds it ran once for all of these tests."""
    opened.inspection.run.done.emit(found)
    return opened


@pytest.fixture
def looked_now(opened):
    """The panel after a click on Look."""
    look_again(opened)
    return opened


def look_again(page):
    before = page.inspection.inspector.report
    page.bench.click(page.shown.lookButton)
    page.bench.wait_until(lambda: page.inspection.inspector.report is not before, 60)


def slide(page, position):
    page.shown.positionSlider.setValue(round(1000 * position))


def captions(page):
    found = page.shown.tileList
    page.bench.wait_until(lambda: not page.inspection.slices._waiting)  # pictures out of sight follow
    return [found.item(row).text().split("\n") for row in range(found.count)]


def click_tile(page, row, double=False):
    from PySide6 import QtCore
    from PySide6.QtTest import QTest

    raw = page.shown.tileList._raw
    raw.scrollToItem(raw.item(row))
    place = raw.visualItemRect(raw.item(row)).center()
    for act in (QTest.mouseClick, QTest.mouseDClick)[: 1 + double]:
        act(raw.viewport(), QtCore.Qt.MouseButton.LeftButton, QtCore.Qt.KeyboardModifier.NoModifier, place)
    page.bench.host.process_events()


def test_the_slices_at_the_position_of_the_slider_are_shown_with_name_number_position_and_millimetres(looked):
    slide(looked, 0.5)
    found = captions(looked)
    assert len(found) == COUNT
    assert found[0] == ["case0", "slice 12 of 24", "at 0.50", "S 44.0 mm", "positive"]
    slide(looked, 1.0)
    assert captions(looked)[0][1:4] == ["slice 24 of 24", "at 1.00", "S 92.0 mm"]
    assert looked.shown.positionLabel.text == "1.00"


def test_a_click_on_a_picture_compares_the_others_with_it_and_the_slider_then_leaves_its_band(looked):
    looked.parameters.threshold = 0.2
    slide(looked, 0.5)
    click_tile(looked, 1)
    assert captions(looked)[1][4] == "compared with"
    assert "slice 12 of case1" in looked.shown.comparedLabel.text
    slide(looked, 0.65)
    assert captions(looked)[0][4] == "positive"
    slide(looked, 0.75)
    assert captions(looked)[0][4] == "negative"
    assert "0.30 to 0.70" in looked.shown.legendLabel.text
    looked.bench.click(looked.shown.letGoButton)
    assert captions(looked)[0][4] == "positive"
    assert not looked.shown.letGoButton.visible


def test_positions_can_be_those_of_the_common_frame(looked):
    slide(looked, 0.1)
    assert captions(looked)[6][4] == "positive"  # by m / n it is as long as the others
    looked.bench.choose(looked.shown.framesComboBox, "common frame")
    assert captions(looked)[6][4] == "no slice here"
    number = int(captions(looked)[3][1].split()[1])
    assert number > 18  # its last slices show what the first ones of the others show


def test_the_slider_moves_the_slice_view_and_the_slice_view_moves_the_slider(looked, slicer):
    slide(looked, 0.3)
    click_tile(looked, 2, double=True)
    red = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed")
    assert red.GetSliceOffset() == pytest.approx(6 * 4, abs=1e-6)  # slice 7, from 0, of 4 mm
    slide(looked, 0.75)
    assert red.GetSliceOffset() == pytest.approx(17 * 4, abs=1e-6)
    red.SetSliceOffset(3 * 4 + 1)
    assert captions(looked)[2][1] == "slice 4 of 24"
    assert looked.shown.positionSlider.value == round(1000 * 4 / 24)
    assert red.GetSliceOffset() == 13  # the view stays where the person put it


def test_outliers_are_listed_with_reason_and_picture_and_left_out_by_one_click(looked, qt):
    assert outliers(looked) == ["case3: upside down", "case6: truncated"]
    tabs = looked.shown.inspectorTabs
    assert tabs.tabText(2) == "Outliers (2)"
    tabs.setCurrentIndex(2)
    item = looked.shown.outlierTable.item(1, 0)
    assert "only the part from" in item.text()
    assert not item.icon().isNull()
    assert buttons(looked, 1) == ["Leave out", "Show"]
    looked.bench.click(button(looked, 1, "Leave out"))
    assert looked.parameters.leftOut == ["case6"]
    assert looked.ui.scanTable.item(6, 0).checkState() == qt.Qt.Unchecked
    assert looked.ui.tableLabel.text.startswith("7 of 8 volumes")
    assert captions(looked)[6][4] == "left out"
    looked.bench.click(button(looked, 1, "Take back"))
    assert looked.parameters.leftOut == []
    assert looked.ui.scanTable.item(6, 0).checkState() == qt.Qt.Checked


@long_test
def test_a_left_out_volume_takes_no_part_in_the_next_look(looked):
    looked.shown.inspectorTabs.setCurrentIndex(2)
    looked.bench.click(button(looked, 1, "Leave out"))
    look_again(looked)
    assert outliers(looked) == ["case3: upside down"]
    assert [volume.id for volume in looked.inspection.inspector.report.volumes] == [f"case{n}" for n in (0, 1, 2, 3, 4, 5, 7)]


@long_test
def test_a_flipped_volume_is_counted_from_the_other_end_here_and_by_the_next_look(looked):
    slide(looked, 0.25)
    assert captions(looked)[3][1] == "slice 6 of 24"
    looked.shown.inspectorTabs.setCurrentIndex(2)
    looked.bench.click(button(looked, 0, "Flip"))
    assert looked.parameters.flipped == ["case3"]
    assert captions(looked)[3][1] == "slice 19 of 24"
    assert "Flipped" in looked.ui.scanTable.item(3, 2).text()
    look_again(looked)
    assert outliers(looked) == ["case6: truncated"]
    assert captions(looked)[3][1] == "slice 19 of 24"


@long_test
def test_the_pretraining_leaves_out_and_flips_what_was_decided(looked, tmp_path):
    from PCLLib.weight_files import header_of

    looked.shown.inspectorTabs.setCurrentIndex(2)
    looked.bench.click(button(looked, 0, "Flip"))
    looked.bench.click(button(looked, 1, "Leave out"))
    looked.parameters.out = str(tmp_path / "out")
    looked.small(epochs=1)
    looked.bench.click(looked.ui.startButton)
    looked.wait("DONE", "FAILED", "STOPPED", seconds=120)
    assert looked.state == "DONE", looked.message
    about = header_of(tmp_path / "out" / "encoder.safetensors")
    assert about["training"]["flipped"] == ["case3"]
    assert "case6" not in about["data"]
    assert looked.shown.compareEncoderPathLineEdit.currentPath == str(tmp_path / "out" / "encoder.safetensors")
    look_again(looked)
    assert "encoder" in looked.shown.heatTitleLabel.text


def test_the_proposed_threshold_is_explained_and_used_by_a_click(looked):
    looked.shown.inspectorTabs.setCurrentIndex(1)
    looked.parameters.threshold = 0.47
    proposed = looked.inspection.inspector.report.threshold
    assert f"t = {proposed:.2f}" in looked.shown.adviceLabel.text
    assert "half-way" in looked.shown.adviceLabel.text
    assert looked.shown.heatLabel.pixmap.width() == 180
    looked.bench.click(looked.shown.useThresholdButton)
    assert looked.parameters.threshold == pytest.approx(proposed)
    assert looked.ui.thresholdSpinBox.value == pytest.approx(proposed)
    assert not looked.shown.useThresholdButton.enabled


def test_a_look_can_be_cancelled_and_leaves_nothing_behind(page, folder, tmp_path, children, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    page.open(folder)
    page.ui.inspectorSection.collapsed = False
    shown, inspection = page.panel.inspection.widget.ui, page.panel.inspection.widget
    page.bench.click(shown.lookButton)
    assert shown.lookButton.text == "Cancel"
    page.bench.wait_until(lambda: shown.lookProgressBar.maximum > 0, 60)
    page.bench.click(shown.lookButton)
    page.bench.wait_until(lambda: not inspection.run.running)
    assert shown.lookButton.text == "Look at the positions"
    assert inspection.inspector.report is None
    page.session.clear()
    page.bench.wait_until(lambda: not children())
    assert list((tmp_path / "temporary").glob("pcl-look-*")) == []


def test_closing_the_scene_ends_a_look_and_removes_its_files(looked_now, children, tmp_path):
    folder = looked_now.inspection.run._kept.path
    looked_now.bench.click(looked_now.shown.lookButton)
    looked_now.bench.wait_until(lambda: looked_now.inspection.run.running)
    looked_now.bench.close_scene()
    assert not looked_now.inspection.run.running
    looked_now.bench.wait_until(lambda: not looked_now.session.jobs.busy)
    assert not folder.exists()
    assert looked_now.inspection.inspector.report is None
    assert not looked_now.shown.inspectorTabs.visible


def test_a_failed_look_says_why(page, folder, tmp_path):
    page.open(folder)
    page.ui.inspectorSection.collapsed = False
    shown = page.panel.inspection.widget.ui
    (tmp_path / "no_encoder.safetensors").write_bytes(b"nothing")
    shown.compareEncoderPathLineEdit.setCurrentPath(str(tmp_path / "no_encoder.safetensors"))
    page.bench.click(shown.lookButton)
    page.bench.wait_until(lambda: "no_encoder" in shown.lookLabel.text, 60)
    assert shown.lookButton.enabled
    shown.compareEncoderPathLineEdit.setCurrentPath("")


@long_test
def test_what_was_found_stays_when_a_new_look_is_cancelled_or_fails(looked_now, tmp_path):
    shown, inspection = looked_now.shown, looked_now.inspection
    before, folder = inspection.inspector.report, inspection.run._kept.path
    looked_now.bench.click(shown.lookButton)
    assert shown.inspectorTabs.visible
    looked_now.bench.click(shown.lookButton)
    looked_now.bench.wait_until(lambda: not inspection.run.running)
    (tmp_path / "no_encoder.safetensors").write_bytes(b"nothing")
    shown.compareEncoderPathLineEdit.setCurrentPath(str(tmp_path / "no_encoder.safetensors"))
    looked_now.bench.click(shown.lookButton)
    looked_now.bench.wait_until(lambda: "no_encoder" in shown.lookLabel.text, 60)
    assert inspection.inspector.report is before
    assert outliers(looked_now) == ["case3: upside down", "case6: truncated"]
    slide(looked_now, 0.25)
    assert captions(looked_now)[3][1] == "slice 6 of 24"
    shown.compareEncoderPathLineEdit.setCurrentPath("")
    looked_now.bench.click(shown.lookButton)
    assert shown.lookLabel.text == "Starting ..."
    looked_now.bench.wait_until(lambda: inspection.inspector.report is not before, 60)
    assert not shown.lookLabel.visible
    assert not folder.exists()


def test_without_volumes_there_is_nothing_to_look_at(page):
    page.ui.inspectorSection.collapsed = False
    shown = page.panel.inspection.widget.ui
    assert not shown.lookButton.enabled
    assert "two or more volumes" in shown.lookLabel.text


def outliers(page):
    table = page.shown.outlierTable
    return [table.item(row, 0).text().split("\n")[0] for row in range(table.rowCount)]


def buttons(page, row):
    import qt

    return [one.text for one in page.shown.outlierTable.cellWidget(row, 1).findChildren(qt.QPushButton)]


def button(page, row, text):
    import qt

    found = page.shown.outlierTable.cellWidget(row, 1).findChildren(qt.QPushButton)
    return next(one for one in found if one.text == text)
