from pathlib import Path

MODULES = Path(__file__).parent


def test_a_click_on_a_button_of_a_ui_file_reaches_the_module(bench):
    panel = bench.load("Trivial", MODULES)
    bench.type_text(panel.ui.numberBox, "21")
    bench.click(panel.ui.applyButton)
    assert panel.ui.resultLabel.text == "42"


def test_a_module_is_known_by_its_lower_case_name_with_what_it_says_of_itself(bench, slicer):
    bench.load("Trivial", MODULES)
    assert slicer.modules.trivial.title == "Trivial"
    assert slicer.modules.trivial.categories == ("Testing",)
    assert slicer.util.modulePath("Trivial") == str(MODULES / "Trivial" / "Trivial.py")


def test_closing_the_scene_tells_the_module(bench):
    panel = bench.load("Trivial", MODULES)
    before = panel.closed
    bench.close_scene()
    assert panel.closed == before + 1


def test_values_of_a_ui_file_reach_the_stand_ins(bench, ctk):
    panel = bench.load("Trivial", MODULES)
    assert panel.ui.thresholdSlider.value == 0.35
    assert panel.ui.thresholdSlider.decimals == 3
    assert panel.ui.folderEdit.filters == ctk.ctkPathLineEdit.Dirs | ctk.ctkPathLineEdit.Hidden
