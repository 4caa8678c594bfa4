"""Parameters live in the scene: they are saved and loaded with it."""

from __future__ import annotations

import pytest


@pytest.fixture
def changed(page, stacks, tmp_path, qt):
    """The panel after a person changed everything."""
    page.open(stacks)
    page.bench.click(page.ui.advancedButton)
    page.bench.choose(page.ui.methodComboBox, "Plain (SimCLR)")
    page.bench.choose(page.ui.presetComboBox, "As in the paper")
    page.bench.choose(page.ui.deviceComboBox, "Processor")
    page.bench.type_text(page.ui.thresholdSpinBox, "0.25")
    page.bench.type_text(page.ui.resolutionSpinBox, "2.5")
    page.bench.type_text(page.ui.batchSpinBox, "12")
    page.bench.type_text(page.ui.epochsSpinBox, "7")
    page.bench.type_text(page.ui.outPathLineEdit, str(tmp_path / "mine"))
    page.bench.wait_until(lambda: page.parameters.out == str(tmp_path / "mine"))
    page.ui.scanTable.item(2, 0).setCheckState(qt.Qt.Unchecked)
    yield page
    page.bench.click(page.ui.advancedButton)


def values(page):
    parameters = page.widget.logic.getParameterNode()
    return {name: parameters.getValue(name) for name in type(parameters).allParameters}


def test_what_a_person_changes_is_in_the_scene(changed, stacks, tmp_path):
    found = values(changed)
    assert found["folder"] == str(stacks)
    assert found["out"] == str(tmp_path / "mine")
    assert found["leftOut"] == ["case2"]
    assert (found["method"].value, found["preset"].value, found["device"].value) == ("simclr", "paper", "cpu")
    assert (found["threshold"], found["resolution"], found["batch"], found["epochs"]) == (0.25, 2.5, 12, 7)


def test_saving_and_loading_the_scene_keeps_the_parameters(changed, tmp_path, slicer):
    before = values(changed)
    scene = tmp_path / "scene.mrml"
    assert slicer.util.saveScene(str(scene))
    changed.bench.close_scene()
    assert values(changed)["folder"] == ""
    assert changed.ui.folderPathLineEdit.currentPath == ""
    slicer.util.loadScene(str(scene))
    changed.wait("READY")
    assert values(changed) == before
    assert changed.ui.folderPathLineEdit.currentPath == before["folder"]
    assert changed.ui.methodComboBox.currentText == "Plain (SimCLR)"
    assert changed.ui.batchSpinBox.value == 12
    assert changed.ui.tableLabel.text.startswith("2 of 3 volumes")


def test_a_scene_without_parameters_has_the_usual_ones(page):
    found = values(page)
    assert (found["folder"], found["leftOut"], found["batch"]) == ("", [], 0)
    assert found["method"].value == "pcl"


def test_a_scene_whose_folder_is_gone_says_so_and_asks_nothing(changed, stacks, tmp_path, slicer):
    scene = tmp_path / "scene.mrml"
    slicer.util.saveScene(str(scene))
    changed.bench.close_scene()
    stacks.rename(tmp_path / "elsewhere")
    slicer.util.loadScene(str(scene))
    changed.wait("NOTHING_USABLE")
    assert "There is no folder" in changed.message
