import sys
from pathlib import Path

import pytest

MODULES = Path(__file__).parent


def test_settings_last_and_are_the_benchs_own(bench, slicer, qt):
    qt.QSettings().setValue("Bench/Number", 7)
    assert slicer.util.settingsValue("Bench/Number", 0, converter=int) == 7
    assert slicer.util.settingsValue("Bench/Missing", "default") == "default"
    assert str(bench.host.folder) in slicer.app.settings().fileName()


def test_temporary_folders_lie_in_the_applications_own(bench, slicer):
    folder = Path(slicer.util.tempDirectory(key="bench"))
    assert folder.is_dir()
    assert str(folder).startswith(slicer.app.temporaryPath)


def test_a_reloaded_module_has_a_new_panel_and_the_old_one_was_cleaned_up(bench, slicer):
    before = bench.load("Trivial", MODULES)
    before.onReload()
    after = slicer.util.getModuleWidget("Trivial")
    assert after is not before
    assert before.cleaned == 1
    assert slicer.modules.TrivialWidget is after
    bench.type_text(after.ui.numberBox, "5")
    bench.click(after.ui.applyButton)
    assert after.ui.resultLabel.text == "10"


def test_the_logic_has_one_parameter_node_in_the_scene(bench, slicer):
    logic = bench.load("Trivial", MODULES).logic
    node = logic.getParameterNode()
    assert node is logic.getParameterNode()
    assert node.GetSingletonTag() == "Trivial"
    nodes = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
    assert [one.GetID() for one in nodes if one.GetSingletonTag() == "Trivial"] == [node.GetID()]
    bench.close_scene()
    assert logic.getParameterNode().GetAttribute("ModuleName") == "Trivial"


def test_only_the_modules_own_folder_comes_to_the_path(bench):
    bench.load("Trivial", MODULES)
    assert str(MODULES / "Trivial") in sys.path
    assert str(MODULES) not in sys.path


def test_a_module_file_that_ends_in_test_is_not_registered(bench, tmp_path):
    (tmp_path / "FooTest").mkdir()
    (tmp_path / "FooTest" / "FooTest.py").touch()
    with pytest.raises(RuntimeError, match="ends in Test"):
        bench.load("FooTest", tmp_path)


def test_a_missing_module_is_named(bench, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"Nothing\.py"):
        bench.load("Nothing", tmp_path)


def test_the_status_bar_shows_messages(bench, slicer):
    slicer.util.showStatusMessage("Training ...")
    assert slicer.util.mainWindow().statusBar().currentMessage() == "Training ..."


def test_a_failing_block_shows_its_error_and_raises_again(bench, slicer):
    bench.answer("OK")
    with pytest.raises(ValueError, match="inner"), slicer.util.tryWithErrorDisplay("It failed."):
        raise ValueError("inner")
    assert bench.dialogs[0].text == "It failed.\n\ninner"


def test_under_testing_no_dialog_is_shown(bench, slicer):
    slicer.app.commandOptions().testingEnabled = True
    try:
        slicer.util.errorDisplay("It failed.")
    finally:
        slicer.app.commandOptions().testingEnabled = False
    assert bench.dialogs == []


def test_sample_data_is_registered_downloaded_checked_and_loaded(bench, slicer, tmp_path):
    import SampleData

    from Testing.host.tests.making import add_heart

    slicer.util.saveNode(add_heart(slicer), str(tmp_path / "CT.nrrd"))
    bench.close_scene()
    checksum = "SHA256:" + slicer.util.computeChecksum("SHA256", str(tmp_path / "CT.nrrd"))
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="Bench",
        sampleName="BenchHeart",
        uris=(tmp_path / "CT.nrrd").as_uri(),
        fileNames="BenchHeart.nrrd",
        nodeNames="Heart",
        checksums=checksum,
    )
    nodes = SampleData.SampleDataLogic().downloadSamples("BenchHeart")
    assert [node.GetName() for node in nodes] == ["Heart"]
    with pytest.raises(TypeError, match="checksum"):
        SampleData.SampleDataLogic.registerCustomSampleDataSource(sampleName="x", checksum="y")


def test_pyside_keeps_the_count_of_references(qt):
    # PySide6 6.12 on Python 3.11 gives away None and True without counting: after long the interpreter dies.
    widget = qt.QWidget()
    widget.parent()
    before = sys.getrefcount(None)
    for _ in range(1000):
        widget.parent()
    assert sys.getrefcount(None) > before - 500


def test_modules_with_a_panel_are_offered_by_their_titles(bench, qt, slicer):
    bench.load("Trivial", MODULES)
    selector = slicer.util.moduleSelector()
    assert selector.selectedModule == "Trivial"
    box = selector.findChild(qt.QComboBox)
    assert {"Segment Editor", "Trivial"} <= {box.itemText(index) for index in range(box.count)}
    bench.choose(box, "Segment Editor")
    assert slicer.util.selectedModule() == "SegmentEditor"
    bench.choose(box, "Trivial")
    assert slicer.modules.TrivialWidget.parent.isEntered
