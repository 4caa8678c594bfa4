"""Choosing a folder, and what is shown of it."""

from __future__ import annotations

import pytest

from Testing.PCLPretrain.conftest import long_test


@pytest.fixture
def mixed(stacks):
    """Three volumes, one file that is none."""
    (stacks / "broken.nrrd").write_bytes(b"no volume at all")
    return stacks


def test_before_a_folder_is_chosen_nothing_can_be_started(page):
    assert page.state == "NO_FOLDER"
    assert not page.ui.startButton.enabled
    assert "folder" in page.ui.startButton.toolTip
    assert page.ui.scanTable.rowCount == 0
    assert not page.ui.scanButton.enabled
    assert not page.ui.resumeButton.visible
    assert not page.ui.progressBar.visible
    assert not page.ui.resultFrame.visible
    assert page.message == ""


def test_while_a_folder_is_looked_at_nothing_else_can_be_done_but_cancel(page, stacks):
    page.type_folder(stacks)
    assert page.wait("SCANNING") == "SCANNING"
    assert page.ui.startButton.text == "Cancel"
    assert page.ui.startButton.enabled
    assert page.ui.progressBar.visible
    assert not page.ui.folderPathLineEdit.enabled
    page.bench.click(page.ui.startButton)
    page.wait("NO_FOLDER")
    assert "cancelled" in page.message
    assert page.ui.folderPathLineEdit.enabled
    page.bench.click(page.ui.scanButton)
    assert page.wait("READY", "NOTHING_USABLE") == "READY"


def test_the_report_has_a_row_a_volume_and_the_reason_for_bad_files(page, mixed):
    assert page.open(mixed) == "READY"
    rows = page.rows()
    assert [row[:2] for row in rows] == [("case0", "8"), ("case1", "8"), ("case2", "8"), ("broken.nrrd", "")]
    assert rows[0][2] == "Good"
    assert rows[3][2].startswith("Cannot be used: ")
    assert len(rows[3][2]) > len("Cannot be used: ") + 5
    assert "32 × 32 × 8 voxels" in page.ui.scanTable.item(0, 0).toolTip()
    assert page.ui.tableLabel.text == "3 of 3 volumes, 24 slices. 1 cannot be used."
    assert page.ui.startButton.enabled


def test_a_cleared_path_is_a_folder_no_more(page, stacks):
    page.open(stacks)
    page.bench.type_text(page.ui.folderPathLineEdit, "")
    page.wait("NO_FOLDER", seconds=5)
    assert page.parameters.folder == ""
    assert page.ui.scanTable.rowCount == 0


def test_without_a_path_for_the_output_nothing_can_be_started(page, stacks):
    page.open(stacks)
    page.bench.type_text(page.ui.outPathLineEdit, "")
    page.bench.wait_until(lambda: page.parameters.out == "")
    assert not page.ui.startButton.enabled
    assert "output folder" in page.ui.startButton.toolTip


def test_a_cleared_check_box_leaves_a_volume_out(page, stacks, qt):
    page.open(stacks)
    page.ui.scanTable.item(1, 0).setCheckState(qt.Qt.Unchecked)
    assert page.parameters.leftOut == ["case1"]
    assert page.ui.tableLabel.text.startswith("2 of 3 volumes, 16 slices")
    page.ui.scanTable.item(1, 0).setCheckState(qt.Qt.Checked)
    assert page.parameters.leftOut == []


def test_when_all_are_left_out_nothing_can_be_started(page, stacks, qt):
    page.open(stacks)
    for row in range(3):
        page.ui.scanTable.item(row, 0).setCheckState(qt.Qt.Unchecked)
    assert not page.ui.startButton.enabled
    assert "No volume is left" in page.ui.startButton.toolTip


def test_a_bad_file_has_no_check_box(page, mixed, qt):
    page.open(mixed)
    assert not page.ui.scanTable.item(3, 0).flags() & qt.Qt.ItemIsUserCheckable


def test_a_double_click_shows_the_volume_once(page, stacks, slicer):
    page.open(stacks)
    page.ui.scanTable.cellDoubleClicked(2, 0)
    (node,) = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    assert node.GetName() == "case2"
    assert node.GetImageData().GetDimensions() == (32, 32, 8)
    composites = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")
    assert {one.GetBackgroundVolumeID() for one in composites} <= {node.GetID()}
    page.ui.scanTable.cellDoubleClicked(2, 1)
    assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == 1


def test_a_volume_that_has_vanished_is_told_in_the_panel(page, stacks):
    page.open(stacks)
    (stacks / "case2.nrrd").unlink()
    page.ui.scanTable.cellDoubleClicked(2, 0)
    assert "could not load" in page.message
    assert "case2.nrrd" in page.message


def test_an_empty_folder_is_told_in_words(page, tmp_path):
    (tmp_path / "empty").mkdir()
    assert page.open(tmp_path / "empty") == "NOTHING_USABLE"
    assert "There are no volumes" in page.message
    assert not page.ui.startButton.enabled


def test_a_folder_of_bad_files_shows_each_with_its_reason(page, tmp_path):
    folder = tmp_path / "bad"
    folder.mkdir()
    (folder / "one.nrrd").write_bytes(b"nothing")
    (folder / "two.nii.gz").write_bytes(b"nothing")
    assert page.open(folder) == "NOTHING_USABLE"
    assert "can be used" in page.message
    assert [row[0] for row in page.rows()] == ["one.nrrd", "two.nii.gz"]
    assert not page.ui.startButton.enabled


def test_a_folder_that_does_not_exist_starts_no_process(page, tmp_path, children):
    page.bench.wait_until(lambda: not page.session.jobs.busy, 60)
    assert page.open(tmp_path / "nowhere") == "NOTHING_USABLE"
    assert f"There is no folder {tmp_path / 'nowhere'}" in page.message
    assert children() == set()


def test_another_folder_can_be_chosen_after_a_bad_one(page, tmp_path, stacks):
    page.open(tmp_path / "nowhere")
    page.bench.type_text(page.ui.folderPathLineEdit, str(stacks))
    assert page.wait("READY") == "READY"
    assert page.message == ""


def test_the_output_folder_is_proposed_beside_the_volumes_and_follows_them(page, stacks, tmp_path):
    page.open(stacks)
    assert page.parameters.out == str(tmp_path / "volumes_pretrained")
    stacks.rename(tmp_path / "renamed")
    page.bench.type_text(page.ui.folderPathLineEdit, str(tmp_path / "renamed"))
    page.bench.wait_until(lambda: page.parameters.out == str(tmp_path / "renamed_pretrained"))


def test_an_output_folder_of_ones_own_stays(page, stacks, tmp_path):
    page.open(stacks)
    page.bench.type_text(page.ui.outPathLineEdit, str(tmp_path / "mine"))
    page.bench.wait_until(lambda: page.parameters.out == str(tmp_path / "mine"))
    stacks.rename(tmp_path / "renamed")
    page.bench.type_text(page.ui.folderPathLineEdit, str(tmp_path / "renamed"))
    page.bench.wait_until(lambda: page.parameters.folder == str(tmp_path / "renamed"))
    assert page.parameters.out == str(tmp_path / "mine")


def test_emptying_the_folder_forgets_everything(page, stacks):
    page.open(stacks)
    page.bench.type_text(page.ui.folderPathLineEdit, "")
    page.wait("NO_FOLDER")
    assert page.ui.scanTable.rowCount == 0


@long_test
def test_a_path_that_was_typed_just_before_a_click_counts(page, stacks, tmp_path):
    page.small(epochs=1)
    page.open(stacks)
    page.ui.outPathLineEdit.setCurrentPath(str(tmp_path / "other"))
    page.bench.click(page.ui.startButton)
    assert page.parameters.out == str(tmp_path / "other")
    page.wait("DONE")
    assert page.session.result.encoder == tmp_path / "other" / "encoder.safetensors"


def test_a_folder_that_was_typed_just_before_a_click_is_looked_at_first(page, stacks, volume, tmp_path):
    page.open(stacks)
    volume(tmp_path / "others" / "other.nrrd", shape=(8, 32, 32))
    page.ui.folderPathLineEdit.setCurrentPath(str(tmp_path / "others"))
    page.bench.click(page.ui.startButton)
    page.wait("READY")
    assert [row[0] for row in page.rows()] == ["other"]
    assert page.state == "READY"


@pytest.mark.parametrize("name", ["/", "n" * 300])
def test_a_folder_of_any_name_is_answered(page, name, monkeypatch):
    from PCLLib.pretrain_session import PretrainSession

    monkeypatch.setattr(PretrainSession, "_scan", lambda _session: None)  # a look at a whole disk takes long
    page.ui.folderPathLineEdit.setCurrentPath(name)  # keys would be completed by an earlier test's history
    page.bench.wait_until(lambda: str(page.session.folder).endswith(name))


def test_slices_across_another_axis_are_not_flipped_as_the_others_were(page, stacks):
    page.open(stacks)
    page.parameters.flipped = ["case1"]
    page.parameters.axis = type(page.parameters.axis).CORONAL
    page.wait("READY")
    assert page.parameters.flipped == []


@pytest.mark.parametrize(
    "gone_before", ["the look", pytest.param("the estimate", marks=(pytest.mark.slow, pytest.mark.ci_slow))]
)
def test_without_a_folder_for_temporary_files_the_panel_says_so(estimates, page, stacks, tmp_path, monkeypatch, gone_before):
    if gone_before == "the estimate":
        page.open(stacks)
        page.bench.wait_until(lambda: "estimate" not in page.session.jobs, 60)
        page.session.tell(None)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    if gone_before == "the look":
        page.type_folder(stacks)
    else:
        page.session.estimating.wanted.emit()
    assert "temporary files" in page.message
    assert page.state == ("NOTHING_USABLE" if gone_before == "the look" else "READY")
