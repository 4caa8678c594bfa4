import pytest


def test_a_collapsible_button_collapses_by_a_click_on_its_header(bench, qt, ctk):
    section = ctk.ctkCollapsibleButton()
    section.text = "Advanced"
    layout = qt.QVBoxLayout(section)
    line = qt.QLineEdit()
    layout.addWidget(line)
    told = []
    section.contentsCollapsed.connect(told.append)
    section.show()
    assert line.visible
    bench.click(section)
    assert (section.collapsed, line.visible, told) == (True, False, [True])
    bench.click(section)
    assert (section.collapsed, line.visible, told) == (False, True, [True, False])
    section.hide()


def test_collapsing_keeps_what_was_hidden_hidden(qt, ctk):
    section = ctk.ctkCollapsibleButton()
    layout = qt.QVBoxLayout(section)
    shown, hidden = qt.QLabel("a"), qt.QLabel("b")
    layout.addWidget(shown)
    layout.addWidget(hidden)
    hidden.hide()
    section.collapsed = True
    section.collapsed = False
    assert not shown.isHidden()
    assert hidden.isHidden()


def test_children_that_come_while_it_is_collapsed_stay_hidden_until_it_opens(bench, qt, ctk):
    section = ctk.ctkCollapsibleButton()
    section.collapsed = True
    layout = qt.QVBoxLayout(section)
    before, after, wanted = qt.QLabel("before"), qt.QLabel("after"), qt.QLabel("wanted")
    layout.addWidget(before)
    layout.addWidget(wanted)
    wanted.hide()
    section.show()
    bench.wait_until(lambda: section.visible)
    layout.addWidget(after)
    after.show()
    wanted.show()
    assert [label.visible for label in (before, after, wanted)] == [False, False, False]
    section.collapsed = False
    assert [label.visible for label in (before, after, wanted)] == [True, True, True]
    section.hide()


def test_a_path_is_typed_and_told(bench, ctk, tmp_path):
    edit, paths, valid = ctk.ctkPathLineEdit(), [], []
    edit.filters = ctk.ctkPathLineEdit.Dirs
    edit.currentPathChanged.connect(paths.append)
    edit.connect("validInputChanged(bool)", valid.append)
    edit.show()
    bench.type_text(edit, str(tmp_path))
    assert edit.currentPath == str(tmp_path)
    assert paths[-1] == str(tmp_path)
    assert valid[-1] is True
    edit.currentPath = str(tmp_path / "missing")
    assert (valid, paths[-1]) == ([True], str(tmp_path / "missing")), "nobody looks whether it exists"
    edit.currentPath = ""
    assert valid == [True, False]
    edit.hide()


def test_a_path_that_does_not_fit_is_the_current_one_but_is_not_told(bench, ctk):
    edit, paths, texts = ctk.ctkPathLineEdit(), [], []
    edit.nameFilters = ["Model (*.safetensors)"]
    edit.currentPathChanged.connect(paths.append)
    edit.comboBox().editTextChanged.connect(texts.append)
    for text in ("a.safetensors", "a.pth", ""):
        edit.currentPath = text
        assert edit.currentPath == text
    assert paths == ["a.safetensors"]
    assert texts == ["a.safetensors", "a.pth", ""]


def test_a_path_is_browsed_for(bench, ctk, tmp_path):
    edit = ctk.ctkPathLineEdit()
    edit.filters = ctk.ctkPathLineEdit.Dirs
    bench.answer_file(tmp_path)
    edit.browse()
    assert edit.currentPath == str(tmp_path)


def test_the_history_of_paths_lasts(ctk, tmp_path):
    first = ctk.ctkPathLineEdit()
    first.settingKey = "Bench/Folder"
    first.currentPath = str(tmp_path)
    first.addCurrentPathToHistory()
    second = ctk.ctkPathLineEdit()
    second.settingKey = "Bench/Folder"
    assert second.currentPath == str(tmp_path)


def test_a_slider_widget_moves_and_tells(bench, ctk, qt):
    slider, told = ctk.ctkSliderWidget(), []
    slider.maximum = 1.0
    slider.singleStep = 0.01
    slider.decimals = 2
    slider.valueChanged.connect(told.append)
    slider.value = 0.35
    assert told == [0.35]
    slider.show()
    bench.type_text(slider.findChild(qt.QDoubleSpinBox), "0.5")
    assert slider.value == 0.5
    slider.hide()


def test_entries_are_checked_one_by_one(ctk, qt):
    box, told = ctk.ctkCheckableComboBox(), []
    box.addItems(["LV", "RV", "Myo"])
    box.checkedIndexesChanged.connect(lambda: told.append(len(box.checkedIndexes())))
    index = box.checkableModel().index(1, 0)
    box.setCheckState(index, qt.Qt.Checked)
    assert told == [1]
    assert [one.data() for one in box.checkedIndexes()] == ["RV"]
    assert not box.allChecked()
    assert box.checkState(index) == qt.Qt.Checked


def test_a_colour_is_told_when_it_changes(ctk, qt):
    button, told = ctk.ctkColorPickerButton(), []
    button.colorChanged.connect(told.append)
    button.color = qt.QColor("red")
    assert [color.name() for color in told] == ["#ff0000"]


def test_a_message_box_can_be_told_not_to_come_again(bench, slicer):
    def never_again(dialog):
        dialog.checkBox().setChecked(True)
        dialog.defaultButton().click() if dialog.defaultButton() else dialog.buttons()[0].click()

    bench.answer(never_again)
    first = slicer.util.messageBox("Once.", dontShowAgainSettingsKey="Bench/DontShow")
    assert slicer.util.messageBox("Once.", dontShowAgainSettingsKey="Bench/DontShow") == first
    assert len(bench.dialogs) == 1


@pytest.mark.parametrize("name", ["minimum", "decimals", "suffix"])
def test_a_range_widget_has_its_limits_as_properties(ctk, name):
    assert hasattr(ctk.ctkRangeWidget(), name)
    assert not hasattr(ctk.ctkRangeWidget(), "setMinimum")


def test_a_range_keeps_its_order(ctk):
    widget, told = ctk.ctkRangeWidget(), []
    widget.setRange(0.0, 10.0)
    widget.valuesChanged.connect(lambda low, high: told.append((low, high)))
    widget.setValues(2.0, 5.0)
    assert told[-1] == (2.0, 5.0)
    widget.minimumValue = 7.0
    assert widget.minimumValue == 5.0
