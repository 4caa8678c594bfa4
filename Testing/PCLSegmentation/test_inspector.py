"""Slice positions of the cases, and which of them to annotate next."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from Testing.slices.courses import course

COUNT = 6


@pytest.fixture
def scene(page, slicer):
    """Six volumes in the scene, of one course: Scan3 upside down; the first is drawn in three slices."""
    nodes = [add(slicer, number) for number in range(COUNT)]
    page.wait_for_cases(COUNT)
    yield nodes
    for section in (page.ui.inspectorSection, page.ui.suggestSection):
        section.collapsed = True


def voxels(number):
    return (course(number, flipped=number == 3).images * 1000).astype(np.int16)


def add(slicer, number):
    matrix = slicer.util.vtkMatrixFromArray(np.diag([-1.0, -1.0, 4.0, 1.0]))
    return slicer.util.addVolumeFromArray(voxels(number), ijkToRAS=matrix, name=f"Scan{number}")


def look(page):
    page.ui.inspectorSection.collapsed = False
    inspection = page.panel.looking.inspector
    page.bench.click(inspection.ui.lookButton)
    page.bench.wait_until(lambda: inspection.inspector.report is not None, 60)
    return inspection


def ask(page):
    page.ui.suggestSection.collapsed = False
    page.bench.click(page.ui.suggestButton)
    page.bench.wait_until(lambda: not page.panel.looking.suggest.run.running, 120)
    table = page.ui.suggestTable
    return [table.item(row, 0).text() for row in range(table.rowCount)]


def click_row(page, row):
    from PySide6 import QtCore
    from PySide6.QtTest import QTest

    raw = page.ui.suggestTable._raw
    raw.scrollToItem(raw.item(row, 0))
    place = raw.visualItemRect(raw.item(row, 0)).center()
    QTest.mouseClick(raw.viewport(), QtCore.Qt.MouseButton.LeftButton, QtCore.Qt.KeyboardModifier.NoModifier, place)
    page.bench.host.process_events()


def red(slicer):
    return slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeRed")


def test_cases_of_the_scene_are_shown_by_their_names(page, scene):
    inspection = look(page)
    shown = inspection.ui
    page.bench.wait_until(lambda: not inspection.slices._waiting)  # pictures out of sight follow
    names = [shown.tileList.item(row).text().split("\n")[0] for row in range(shown.tileList.count)]
    assert names == [f"Scan{number}" for number in range(COUNT)]


def test_outliers_can_only_be_shown_and_the_slice_view_jumps_to_the_case(page, scene, slicer, qt):
    inspection = look(page)
    shown = inspection.ui
    shown.inspectorTabs.setCurrentIndex(2)
    assert shown.outlierTable.item(0, 0).text().startswith("Scan3: upside down")
    (button,) = shown.outlierTable.cellWidget(0, 1).findChildren(qt.QPushButton)
    assert button.text == "Show"
    page.bench.click(button)
    assert page.panel.desk.volume is scene[3]
    assert red(slicer).GetSliceOffset() == pytest.approx(0, abs=1e-6)
    shown.inspectorTabs.setCurrentIndex(1)
    assert not shown.useThresholdButton.visible


def test_the_slider_moves_the_views_of_a_case_in_the_scene(page, scene, slicer):
    inspection = look(page)
    page.show(scene[1])
    inspection.ui.positionSlider.setValue(250)
    assert red(slicer).GetSliceOffset() == pytest.approx(5 * 4, abs=1e-6)
    red(slicer).SetSliceOffset(40)
    assert inspection.inspector.position == pytest.approx(11 / 24, abs=1e-3)


def test_the_look_goes_on_when_a_case_leaves_the_scene(page, scene, slicer):
    inspection = look(page)
    slicer.mrmlScene.RemoveNode(scene[2])
    inspection.ui.positionSlider.setValue(300)
    inspection.open(inspection.inspector.volumes[2], 3)
    assert "could not load" in inspection.ui.lookLabel.text


def test_cases_are_ranked_and_a_click_shows_the_slice_to_draw(page, scene, slicer, drawn):
    drawn(scene[0], slice(4, 7))
    page.bench.wait_until(lambda: "Partly" in page.states()["Scan0"])
    rows = ask(page)
    titles = [row for row in rows if row[0].isdigit()]
    assert [title[:3] for title in titles] == ["1. ", "2. ", "3. ", "4. ", "5. "]
    assert all("Scan0" not in title for title in titles)  # something of it is drawn
    assert "Unlike what is drawn" in rows[1]
    name = titles[0][3:]
    number = int(rows[2].split()[1])
    assert f"of {24}" in rows[2]
    click_row(page, 2)
    assert page.panel.desk.chosen.name == name
    assert page.panel.desk.volume is scene[int(name[4:])]
    assert red(slicer).GetSliceOffset() == pytest.approx((number - 1) * 4, abs=1e-6)


def test_with_nothing_drawn_the_most_usual_case_comes_first_and_stays_when_the_next_question_is_cancelled(page, scene):
    rows = ask(page)
    assert "Nothing is drawn yet" in rows[1]
    page.bench.click(page.ui.suggestButton)
    assert ask(page) == rows  # the click cancels
    assert page.ui.suggestTable.visible


def test_a_case_of_a_folder_is_loaded_by_the_click(page, volume, tmp_path, slicer):
    for number in range(4):
        volume(tmp_path / "scans" / f"case{number}.nrrd", voxels(number))
    page.bench.answer_file(tmp_path / "scans")
    page.bench.click(page.ui.addFolderButton)
    page.wait_for_cases(4)
    page.wait("IDLE")
    rows = ask(page)
    name = rows[0][3:]
    assert slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") == []
    click_row(page, 3)
    assert page.panel.desk.volume.GetName() == name
    assert red(slicer).GetSliceOffset() == pytest.approx(4 * (int(rows[3].split()[1]) - 1), abs=1e-6)
    page.ui.suggestSection.collapsed = True


@pytest.fixture
def frames(page, tmp_path):
    """Five volumes in one file, as cases of a folder."""
    (tmp_path / "scans").mkdir()
    stacked = np.stack([voxels(number) for number in range(5)])
    nib.save(nib.Nifti1Image(stacked.T, np.diag([-1.0, -1.0, 4.0, 1.0])), tmp_path / "scans" / "cine.nii.gz")
    page.bench.answer_file(tmp_path / "scans")
    page.bench.click(page.ui.addFolderButton)
    page.wait_for_cases(5)
    page.wait("IDLE")
    return [name for name, _state in page.rows()]


def frame_shown(page, slicer):
    """The name of the case that is shown and the number of the frame whose voxels it has."""
    shown = slicer.util.arrayFromVolume(page.panel.desk.volume)
    (number,) = [number for number in range(5) if np.array_equal(shown, voxels(number))]
    return page.panel.desk.volume.GetName(), number


def test_frames_of_one_file_are_told_apart_by_the_inspector(page, frames, slicer):
    inspection = look(page)
    for number in (3, 1):
        inspection.open(inspection.inspector.volumes[number], 2)
        assert frame_shown(page, slicer) == (frames[number], number)
        assert red(slicer).GetSliceOffset() == pytest.approx(2 * 4, abs=1e-6)
        assert inspection._inspected.volume_of(page.panel.desk.volume, inspection.inspector.volumes).id == frames[number]


@pytest.mark.slow
@pytest.mark.ci_slow
def test_frames_of_one_file_are_told_apart_by_what_to_annotate_next(page, frames, slicer, drawn):
    page.ui.caseTable.cellDoubleClicked(2, 0)
    drawn(page.panel.desk.volume, slice(4, 7))
    page.bench.wait_until(lambda: "Partly" in page.states()[frames[2]])
    rows = ask(page)
    titles = {rank: row[3:] for rank, row in enumerate(rows) if row[0].isdigit()}
    assert sorted(titles.values()) == sorted(set(frames) - {frames[2]})
    row, name = next(iter(titles.items()))
    click_row(page, row)
    assert frame_shown(page, slicer) == (name, frames.index(name))


def test_the_model_the_encoder_and_what_is_drawn_are_handed_over(ready, new_volume, drawn, pretrained_here, monkeypatch):
    others = [new_volume(f"other{number}", number) for number in range(4)]
    drawn(others[1], slice(2, 5))
    ready.wait_for_cases(5)
    ready.parameters.encoder = str(pretrained_here)
    said = []
    start = ready.session.jobs.run

    def run(name, work):
        if name == "suggest":
            words = list(map(str, work.words))
            said.append((words, json.loads(Path(words[words.index("--drawn") + 1]).read_text())))
        start(name, work)

    monkeypatch.setattr(ready.session.jobs, "run", run)
    rows = ask(ready)
    words, listed = said[0]
    assert words[words.index("--model") + 1] == str(ready.session.segmenting.model.path)
    assert words[words.index("--encoder") + 1] == str(pretrained_here)
    assert list(listed.values()) == [[2, 3, 4]]
    assert "uncertainty" in rows[1]
    assert len([row for row in rows if row[0].isdigit()]) == 4
    ready.ui.suggestSection.collapsed = True


def test_closing_the_scene_ends_the_question(page, scene, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    page.ui.suggestSection.collapsed = False
    page.bench.click(page.ui.suggestButton)
    assert page.ui.suggestButton.text == "Cancel"
    page.bench.close_scene()
    page.bench.wait_until(lambda: not page.session.busy)
    assert page.ui.suggestTable.rowCount == 0
    assert list((tmp_path / "temporary").glob("pcl-look-*")) == []


def add_folder(page, folder, cases):
    page.bench.answer_file(folder)
    page.bench.click(page.ui.addFolderButton)
    page.wait_for_cases(cases)
    page.wait("IDLE")


@pytest.mark.slow
@pytest.mark.ci_slow
def test_slices_are_suggested_as_fine_tuning_counts_them_whatever_data_set_the_names_are_of(page, tmp_path, slicer):
    """HVSMR's slices are axial by its files; fine-tuning on cases of this panel goes by the thickest direction, sagittal."""
    from PCLLib.slice_lines import line_of

    for number in range(4):
        stack = np.ascontiguousarray(voxels(number).transpose(1, 2, 0))  # what changes lies along x
        path = tmp_path / "hearts" / f"training_axial_full_pat{number}.nii.gz"
        path.parent.mkdir(exist_ok=True)
        nib.save(nib.Nifti1Image(stack.T, np.diag([-4.0, -1.0, 1.0, 1.0])), path)
    labels = nib.Nifti1Image((stack.T > 500).astype(np.uint8), np.diag([-4.0, -1.0, 1.0, 1.0]))
    nib.save(labels, tmp_path / "hearts" / "training_axial_full_pat3-label.nii.gz")  # drawn, and not loaded
    add_folder(page, tmp_path / "hearts", 4)
    rows = ask(page)
    assert len([row for row in rows if row[0].isdigit()]) == 3, page.ui.suggestLabel.text
    assert "of 24," in rows[2]
    click_row(page, 2)
    line = line_of(page.panel.desk.volume, "auto")
    yellow = slicer.mrmlScene.GetNodeByID("vtkMRMLSliceNodeYellow")
    assert yellow.GetSliceOffset() == pytest.approx(line.millimetres(int(rows[2].split()[1]) - 1), abs=1e-3)
    assert {volume.count for volume in look(page).inspector.volumes} == {24}


@pytest.mark.slow
@pytest.mark.ci_slow
def test_frames_of_files_of_one_name_are_found_again(page, tmp_path, slicer, drawn):
    """The engine, given both folders, calls them by other ids than the table, which was told of one after the other."""
    for place in (1, 2):
        (tmp_path / f"site{place}").mkdir()
        frames = np.stack([voxels(10 * place + frame).T for frame in range(2)], axis=-1)
        nib.save(nib.Nifti1Image(frames, np.diag([-1.0, -1.0, 4.0, 1.0])), tmp_path / f"site{place}" / "heart.nii.gz")
        add_folder(page, tmp_path / f"site{place}", 2 * place)
    page.panel.desk.case_wanted.emit(page.panel.desk.cases[0])
    drawn(page.panel.desk.volume, slice(4, 7))
    page.bench.wait_until(lambda: any("Partly" in state for _, state in page.rows()))
    titles = [row for row in ask(page) if row[0].isdigit()]
    assert len(titles) == 3, page.ui.suggestLabel.text
    inspection = look(page)
    at_once = inspection._inspected
    assert [at_once.node_of(one) for one in inspection.inspector.volumes].count(page.panel.desk.volume) == 1
    assert at_once.volume_of(page.panel.desk.volume, inspection.inspector.volumes) is inspection.inspector.volumes[0]


def test_a_volume_that_could_not_be_looked_at_is_named(page, volume, tmp_path):
    for number in range(3):
        volume(tmp_path / "scans" / f"case{number}.nrrd", voxels(number))
    volume(tmp_path / "scans" / "flat.nrrd", np.full((6, 32, 32), 7, np.int16))
    add_folder(page, tmp_path / "scans", 4)
    inspection = look(page)
    assert len(inspection.inspector.volumes) == 3
    assert "flat.nrrd is constant" in inspection.ui.lookLabel.text
    assert inspection.ui.lookLabel.visible
    page.ui.inspectorSection.collapsed = True
