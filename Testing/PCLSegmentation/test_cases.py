"""The table of cases: where they come from, how far each is, and which slices count."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest

from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.writing import write_volume
from Testing.dicom_files import write_dicom
from Testing.PCLSegmentation.conftest import SHAPE, block
from Testing.PCLSegmentation.folders import GRID, add_folder, labels, voxels_of_case


@pytest.fixture
def folder(tmp_path):
    """Three volumes, the first with a label map beside it."""
    for seed in range(3):
        write_volume(tmp_path / "scans" / f"case{seed}.nrrd", block(seed), GRID)
    write_volume(tmp_path / "scans" / "case0_seg.nrrd", labels(), GRID)
    return tmp_path / "scans"


def test_an_empty_scene_says_what_to_do(page):
    assert page.rows() == []
    assert "add a folder" in page.ui.tableLabel.text
    for button in (page.ui.annotateButton, page.ui.importButton, page.ui.finetuneButton, page.ui.segmentButton):
        assert not button.enabled
    assert "Annotate a case first" in page.ui.finetuneButton.toolTip
    assert "Fine-tune a model first" in page.ui.segmentButton.toolTip


def test_volumes_of_the_scene_are_cases_with_their_states(page, scans):
    assert page.rows() == [
        ("scan0", "Annotated"),
        ("scan1", "Partly annotated (3 of 8 slices)"),
        ("scan2", "Not annotated"),
        ("scan3", "Not annotated"),
    ]
    assert page.ui.tableLabel.text == "4 cases; 2 with 11 slices to learn from."


def test_what_is_drawn_and_removed_shows_at_once(page, scans, drawn, slicer):
    node = drawn(scans[2], slice(0, 1))
    page.bench.wait_until(lambda: page.states()["scan2"] == "Partly annotated (1 of 8 slices)")
    segment = node.GetSegmentation().GetNthSegmentID(0)
    slicer.util.updateSegmentBinaryLabelmapFromArray(np.ones(SHAPE, np.uint8), node, segment, scans[2])
    page.bench.wait_until(lambda: page.states()["scan2"] == "Annotated")
    slicer.mrmlScene.RemoveNode(node)
    page.bench.wait_until(lambda: page.states()["scan2"] == "Not annotated")
    slicer.mrmlScene.RemoveNode(scans[3])
    page.wait_for_cases(3)


def test_which_slices_count_can_be_changed_a_case(page, scans):
    page.choose("scan1")
    assert page.ui.countingComboBox.currentText == "Drawn slices"
    assert not page.ui.firstSpinBox.visible
    page.bench.choose(page.ui.countingComboBox, "All slices")
    assert page.states()["scan1"] == "Annotated"
    page.bench.choose(page.ui.countingComboBox, "A range of slices")
    assert (page.ui.firstSpinBox.value, page.ui.lastSpinBox.value) == (1, 8)
    page.bench.type_text(page.ui.firstSpinBox, "2")
    page.bench.type_text(page.ui.lastSpinBox, "5")
    assert page.states()["scan1"] == "Partly annotated (4 of 8 slices)"
    page.choose("scan0")
    assert page.ui.countingComboBox.currentText == "Drawn slices"
    page.choose("scan2")
    assert not page.ui.countingComboBox.visible


def test_a_cleared_check_box_keeps_a_case_from_being_learned(page, scans):
    page.check("scan1", False)
    assert page.ui.tableLabel.text == "4 cases; 1 with 8 slices to learn from."
    page.check("scan0", False)
    assert not page.ui.finetuneButton.enabled
    page.check("scan0", True)
    assert page.ui.finetuneButton.enabled


def test_a_cleared_check_box_stays_cleared_while_the_annotation_is_away(page, scans, slicer):
    from PCLLib.segment_roles import annotation_of

    page.check("scan1", False)
    annotation = annotation_of(scans[1])
    slicer.mrmlScene.RemoveNode(annotation)
    page.bench.wait_until(lambda: page.states()["scan1"] == "Not annotated")
    page.check("scan0", False)
    page.check("scan0", True)
    slicer.mrmlScene.AddNode(annotation)
    page.bench.wait_until(lambda: page.states()["scan1"] != "Not annotated")
    assert page.checked("scan0")
    assert not page.checked("scan1")


def test_a_cleared_check_box_stays_with_its_volume_when_scenes_are_joined(page, slicer, tmp_path, new_volume, drawn):
    for number, name in enumerate(("a", "b")):
        drawn(new_volume(name, number))
    page.bench.wait_until(lambda: page.states() == {"a": "Annotated", "b": "Annotated"})
    page.check("b", False)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    page.bench.close_scene()
    for number, name in enumerate(("c", "d")):
        drawn(new_volume(name, number))
    page.wait_for_cases(2)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"), properties={"clear": False})
    page.bench.wait_until(lambda: list(page.states().values()) == ["Annotated"] * 4)
    assert {name: page.checked(name) for name in "abcd"} == {"a": True, "b": False, "c": True, "d": True}


def test_a_cleared_check_box_of_a_file_stays_cleared_when_it_is_loaded(page, folder):
    add_folder(page, folder)
    page.check("case0", False)
    page.ui.caseTable.cellDoubleClicked(0, 0)
    assert page.states()["case0"] == "Annotated"
    assert not page.checked("case0")
    assert page.panel.desk.to_learn_from == ()


def test_a_cleared_check_box_outlives_the_folder_and_can_be_cleared_without_it(page, folder):
    """The disk of the folder may be unplugged; what was loaded of it is still there, and so is what was said of it."""
    add_folder(page, folder)
    page.wait_for_cases(3)
    page.choose("case0")
    page.panel.cases.show_case(page.panel.desk.chosen)
    page.bench.wait_until(lambda: page.panel.desk.chosen.loaded)
    page.check("case0", False)
    page.bench.click(page.ui.removeFolderButton)
    page.wait_for_cases(1)
    assert page.states() == {"case0": "Annotated"}
    assert not page.checked("case0")
    assert page.panel.desk.to_learn_from == ()
    page.check("case0", True)
    assert [case.name for case in page.panel.desk.to_learn_from] == ["case0"]
    page.check("case0", False)
    assert page.panel.desk.to_learn_from == ()


def test_classes_are_those_of_the_first_annotated_case_and_matched_by_name(page, scans, drawn):
    drawn(scans[2], names=("BLOCK ", "tumour"))
    page.bench.wait_until(lambda: page.states()["scan2"] == "Annotated")
    (one,) = page.panel.desk.classes
    assert (one.value, one.name) == (1, "block")
    assert one.color == pytest.approx((0.9, 0.3, 0.0))
    assert "Not learned, since no class is called so: tumour." in page.ui.caseTable.item(2, 1).toolTip()


def test_a_new_name_becomes_a_class_on_request(page, scans, drawn):
    assert not page.ui.classesButton.visible
    drawn(scans[2], names=("block", "tumour"))
    page.bench.wait_until(lambda: page.ui.classesButton.visible)
    assert page.ui.classesButton.text == "New class: tumour"
    page.bench.click(page.ui.classesButton)
    assert [(one.value, one.name) for one in page.panel.desk.classes] == [(1, "block"), (2, "tumour")]
    assert not page.ui.classesButton.visible
    assert "Not learned" not in page.ui.caseTable.item(2, 1).toolTip()


def test_a_folder_adds_its_volumes_with_the_labels_beside_them(page, folder):
    add_folder(page, folder)
    assert page.rows() == [("case0", "Annotated"), ("case1", "Not annotated"), ("case2", "Not annotated")]
    assert page.parameters.folders == [str(folder)]
    page.bench.click(page.ui.removeFolderButton)
    assert page.rows() == []


def test_a_case_of_a_folder_is_loaded_with_its_labels_by_a_double_click(page, folder, slicer):
    add_folder(page, folder)
    assert slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") == []
    page.ui.caseTable.cellDoubleClicked(0, 0)
    (node,) = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    assert page.rows()[0] == ("case0", "Annotated")
    from PCLLib.segment_nodes import mask_of
    from PCLLib.segment_roles import annotation_of

    annotation = annotation_of(node)
    # Slicer may turn slices round on loading, in which this volume is the same.
    assert np.array_equal(mask_of(annotation, annotation.GetSegmentation().GetNthSegmentID(0), node), labels() > 0)
    assert page.panel.desk.volume is node
    page.ui.caseTable.cellDoubleClicked(0, 0)
    assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == 1


def test_each_dicom_series_of_a_folder_is_a_case_of_its_own(page, tmp_path, slicer):
    folder = tmp_path / "scans"
    write_dicom(folder, block(1), series="1.2.3", prefix="a", _0008103e="T1")
    write_dicom(folder, block(2), series="1.2.4", prefix="b", _0008103e="T2")
    add_folder(page, folder)
    names = sorted(name for name, _state in page.rows())
    assert names == ["scans_T1", "scans_T2"]
    assert np.array_equal(voxels_of_case(page, slicer, "scans_T2"), block(2))
    assert sorted(name for name, _state in page.rows()) == names, "loading one must not hide the other"
    assert np.array_equal(voxels_of_case(page, slicer, "scans_T1"), block(1))
    assert np.array_equal(voxels_of_case(page, slicer, "scans_T2"), block(2))
    assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == 2


def test_a_dicom_series_lies_in_the_scene_where_it_lies_in_the_patient(page, tmp_path, slicer):
    from PCLLib.volume_nodes import geometry_of

    turned = np.array([[1.0, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]])
    write_dicom(tmp_path / "scans", block(1), direction=turned)
    add_folder(page, tmp_path / "scans")
    assert np.array_equal(voxels_of_case(page, slicer, page.rows()[0][0]), block(1))
    (source,) = find_volumes(tmp_path / "scans").sources
    assert geometry_of(page.panel.desk.volume).differs_from(source.geometry, 1e-5) == ""


def test_each_frame_of_a_file_is_a_case_of_its_own(page, tmp_path, slicer):
    (tmp_path / "scans").mkdir()
    frames = np.stack([block(seed) for seed in range(3)])
    nib.save(nib.Nifti1Image(frames.T, np.diag([1.0, 1.0, 4.0, 1.0])), tmp_path / "scans" / "cine.nii.gz")
    add_folder(page, tmp_path / "scans")
    assert len(page.rows()) == 3
    names = [name for name, _state in page.rows()]
    for frame in (2, 0, 1):
        assert np.array_equal(voxels_of_case(page, slicer, names[frame]), block(frame))
    assert len(page.rows()) == 3


def test_a_bad_file_of_a_folder_is_told(page, folder):
    (folder / "broken.nrrd").write_bytes(b"nothing")
    add_folder(page, folder)
    assert len(page.rows()) == 3
    assert "1 file of the folder cannot be used" in page.message
    assert "broken.nrrd" in page.ui.logTextEdit.toPlainText()


def test_a_folder_without_volumes_is_told(page, tmp_path):
    (tmp_path / "empty").mkdir()
    add_folder(page, tmp_path / "empty")
    assert "There are no volumes" in page.message
    assert page.rows() == []


def test_a_clone_of_a_loaded_case_is_a_case_of_its_own(page, folder, slicer, drawn):
    add_folder(page, folder)
    page.ui.caseTable.cellDoubleClicked(1, 0)
    volume = page.panel.desk.volume
    clone = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, volume, "case1 filtered")
    clone.CreateDefaultDisplayNodes()
    page.wait_for_cases(4)
    drawn(clone, slice(2, 4))
    page.bench.wait_until(lambda: page.states()["case1 filtered"] == "Partly annotated (2 of 8 slices)")
    assert page.states()["case1"] == "Not annotated"
    assert len({case.key for case in page.panel.desk.cases}) == 4
    from PCLLib.scene_volumes import node_of

    assert [node_of(page.panel.desk.case_of(one)) for one in (volume, clone)] == [volume, clone]
    slicer.mrmlScene.RemoveNode(volume)
    page.bench.wait_until(lambda: page.rows()[-2:] == [("case1", "Not annotated"), ("case2", "Not annotated")])
    assert page.states()["case1 filtered"] == "Partly annotated (2 of 8 slices)", "the clone is not the file"


def test_annotate_opens_the_segment_editor_with_the_classes(page, scans, slicer):
    page.choose("scan3")
    page.bench.click(page.ui.annotateButton)
    editor = page.panel.editor.widget
    assert not page.ui.annotateSection.collapsed
    assert editor.sourceVolumeNode() is scans[3]
    from PCLLib.segment_nodes import segments_of

    assert [segment.name for segment in segments_of(editor.segmentationNode())] == ["block"]
    (segment,) = segments_of(editor.segmentationNode())
    slicer.util.updateSegmentBinaryLabelmapFromArray(labels(1, slice(2, 4)), editor.segmentationNode(), segment.id, scans[3])
    page.bench.wait_until(lambda: page.states()["scan3"] == "Partly annotated (2 of 8 slices)")


def test_cancelling_the_look_at_a_second_folder_keeps_the_first_and_adding_it_again_looks_again(page, tmp_path):
    for name in "ab":
        for seed in range(2):
            write_volume(tmp_path / name / f"{name}{seed}.nrrd", block(seed), GRID)
    add_folder(page, tmp_path / "a")
    page.bench.answer_file(tmp_path / "b")
    page.bench.click(page.ui.addFolderButton)
    page.bench.wait_until(lambda: page.doing == "LOOKING")
    page.bench.click(page.ui.cancelButton)
    page.wait("IDLE")
    assert list(page.states()) == ["a0", "a1"]
    add_folder(page, tmp_path / "b")
    assert list(page.states()) == ["a0", "a1", "b0", "b1"]
    assert page.parameters.folders == [str(tmp_path / "a"), str(tmp_path / "b")]


def test_only_a_new_folder_is_looked_at_and_a_known_one_when_it_is_added_again(page, tmp_path):
    for name in "ab":
        write_volume(tmp_path / name / f"{name}0.nrrd", block(0), GRID)
    add_folder(page, tmp_path / "a")
    write_volume(tmp_path / "a" / "a1.nrrd", block(1), GRID)
    add_folder(page, tmp_path / "b")
    assert list(page.states()) == ["a0", "b0"]
    add_folder(page, tmp_path / "a")
    assert list(page.states()) == ["a0", "a1", "b0"]
