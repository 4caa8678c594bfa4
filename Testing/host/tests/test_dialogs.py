import pytest


def test_a_question_is_answered_by_a_click_on_its_button(bench, slicer):
    bench.answer("Cancel")
    bench.answer("OK")
    assert slicer.util.confirmOkCancelDisplay("Install torch?") is False
    assert slicer.util.confirmOkCancelDisplay("Install torch?") is True
    assert [dialog.text for dialog in bench.dialogs] == ["Install torch?", "Install torch?"]


def test_an_error_display_shows_its_details(bench, slicer):
    bench.answer("OK")
    slicer.util.errorDisplay("It failed.", detailedText="Traceback ...")
    assert bench.dialogs[0].details == "Traceback ..."


def test_static_file_dialogs_hand_over_the_name_alone(bench, tmp_path, qt):
    (tmp_path / "model.safetensors").touch()
    bench.answer_file(tmp_path / "model.safetensors")
    chosen = qt.QFileDialog.getOpenFileName(None, "Model", str(tmp_path), "Models (*.safetensors)")
    assert chosen == str(tmp_path / "model.safetensors")


def test_a_folder_is_chosen_through_the_directory_button(bench, tmp_path, ctk):
    button = ctk.ctkDirectoryButton()
    told = []
    button.directoryChanged.connect(told.append)
    bench.answer_file(tmp_path)
    button.browse()
    assert button.directory == str(tmp_path)
    assert told == [str(tmp_path)]


def test_an_unannounced_dialog_is_dismissed_and_fails_the_test(host, slicer):
    from Testing.host.driving.bench import Bench

    bench = Bench(host)
    assert slicer.util.confirmYesNoDisplay("Delete everything?") is False
    with pytest.raises(AssertionError, match="Delete everything"):
        bench.finish()


def test_an_exception_in_a_slot_is_not_lost(host, qt):
    from Testing.host.driving.fixtures import slot_errors

    button = qt.QPushButton()
    button.clicked.connect(lambda: 1 / 0)
    with slot_errors() as errors:
        button.click()
    assert [type(error) for error in errors] == [ZeroDivisionError]
