"""The hands for the real application, tried on the bench: they speak PythonQt only."""

from pathlib import Path

import pytest

MODULES = Path(__file__).parent


@pytest.fixture
def hands(bench):
    """They answer the dialogs here; the bench's own would come in between."""
    from Testing.host.driving.slicer_bench import SlicerBench

    bench.load("Trivial", MODULES)
    bench._dialogs.stop()
    hands = SlicerBench()
    yield hands
    hands._timer.stop()


def test_they_click_and_type_in_a_module(hands):
    panel = hands.load("Trivial", MODULES)
    hands.type_text(panel.ui.numberBox, "21")
    hands.click(panel.ui.applyButton)
    assert panel.ui.resultLabel.text == "42"
    hands.click(panel.ui.section)
    with pytest.raises(AssertionError, match="not visible"):
        hands.type_text(panel.ui.numberBox, "3")
    hands.click(panel.ui.section)


def test_they_type_paths(hands, tmp_path):
    panel = hands.load("Trivial", MODULES)
    hands.type_text(panel.ui.folderEdit, str(tmp_path))
    assert panel.ui.folderEdit.currentPath == str(tmp_path)


def test_they_answer_dialogs(hands, slicer, qt, tmp_path):
    hands.answer("Yes")
    assert slicer.util.confirmYesNoDisplay("Overwrite?") is True
    hands.answer_file(tmp_path)
    dialog = qt.QFileDialog()
    dialog.setOption(qt.QFileDialog.DontUseNativeDialog, True)
    dialog.setFileMode(qt.QFileDialog.Directory)
    assert dialog.exec_()
    assert dialog.selectedFiles() == (str(tmp_path),)
    assert hands.dialogs[0].text == "Overwrite?"
    hands.finish()


def test_they_dismiss_what_was_not_announced(hands, slicer):
    assert slicer.util.confirmOkCancelDisplay("Really?") is False
    with pytest.raises(AssertionError, match="Really"):
        hands.finish()


def test_they_wait_photograph_and_close_the_scene(hands, slicer, tmp_path):
    panel = hands.load("Trivial", MODULES)
    before = panel.closed
    assert hands.photograph(tmp_path / "panel.png", panel.parent).stat().st_size > 1000
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode")
    hands.close_scene()
    hands.wait_until(lambda: panel.closed == before + 1)
    with pytest.raises(TimeoutError):
        hands.wait_until(lambda: False, 0.1)


def test_they_choose_entries(hands, qt):
    box, chosen = qt.QComboBox(), []
    box.addItems(["a", "b"])
    box.activated.connect(chosen.append)
    box.show()
    hands.choose(box, "b")
    assert (box.currentText, chosen) == ("b", [1])
    with pytest.raises(AssertionError, match="not among"):
        hands.choose(box, "c")
    box.hide()
