"""However work ends: the panel is idle again, shows what there is by then, and nothing that a person made is lost."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.writing import write_volume
from Testing.PCLSegmentation.conftest import SHAPE, block

GRID = Geometry(SHAPE[::-1], (1.0, 1.0, 4.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))


@pytest.fixture
def folder(tmp_path):
    """Two volumes, the first with a label map beside it."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[:, 8:20, 8:20] = 1
    for seed in range(2):
        write_volume(tmp_path / "scans" / f"case{seed}.nrrd", block(seed), GRID)
    write_volume(tmp_path / "scans" / "case0_seg.nrrd", labels, GRID)
    return tmp_path / "scans"


def segment_folder(page, folder, out):
    out.mkdir()
    page.bench.answer_file(folder)
    page.bench.answer_file(out)
    page.bench.click(page.ui.segmentFolderButton)
    page.wait("FOLDER")


def add_folder(page, folder):
    page.bench.answer_file(folder)
    page.bench.click(page.ui.addFolderButton)
    page.bench.wait_until(lambda: page.doing == "LOOKING")
    page.wait("IDLE")


def test_what_was_drawn_and_loaded_while_a_folder_was_segmented_is_there_afterwards(
    ready, slicer, folder, tmp_path, drawn, new_volume
):
    segment_folder(ready, folder, tmp_path / "out")
    drawn(slicer.util.getNode("scan"), slice(2, 4))
    late = new_volume("late", 3)
    ready.bench.wait_until(lambda: not ready.panel._watch.waiting)
    ready.wait("IDLE")
    assert ready.states() == {"scan": "Partly annotated (2 of 8 slices)", "late": "Not annotated"}
    assert [case.name for case in ready.panel.desk.to_learn_from] == ["scan"]
    ready.segment(late)
    assert ready.states()["late"] == "Predicted"


def test_what_was_drawn_during_a_training_that_failed_is_there_afterwards(page, scans, slicer, tmp_path, drawn):
    for scan in scans[:2]:
        slicer.util.updateVolumeFromArray(scan, np.zeros(SHAPE, np.int16))
    page.small(tmp_path / "models")
    page.bench.wait_until(lambda: "estimate" not in page.session.jobs, 60)
    page.panel.finetune._pause.stop()
    page.bench.click(page.ui.finetuneButton)
    page.wait("TRAINING")
    drawn(scans[2], slice(0, 1))
    page.bench.wait_until(lambda: not page.panel._watch.waiting)
    page.wait("IDLE")
    assert "scan" in page.message
    assert page.states()["scan2"] == "Partly annotated (1 of 8 slices)"


def test_writing_a_case_that_was_opened_since_the_table_was_read_removes_nothing(page, slicer, folder, tmp_path):
    from PCLLib.scene_volumes import node_of
    from PCLLib.segment_roles import annotation_of
    from PCLLib.training_set import write_training_set

    add_folder(page, folder)
    (case,) = page.panel.desk.to_learn_from
    assert not case.loaded
    page.parameters.classes = json.dumps([{"value": 1, "name": "class 1", "color": [1, 0, 0], "terminology": ""}])
    page.panel.cases.show_case(case)  # the case at hand does not know of it
    volume, annotation = node_of(case), annotation_of(node_of(case))
    (tmp_path / "set").mkdir()
    write_training_set(tmp_path / "set", [case], page.panel.desk.classes, "auto")
    assert slicer.mrmlScene.IsNodePresent(volume)
    assert slicer.mrmlScene.IsNodePresent(annotation)


def test_writing_a_case_that_is_not_open_leaves_nothing_in_the_scene(page, slicer, folder, tmp_path):
    from PCLLib.training_set import write_training_set

    add_folder(page, folder)
    page.parameters.classes = json.dumps([{"value": 1, "name": "class 1", "color": [1, 0, 0], "terminology": ""}])
    (tmp_path / "set").mkdir()
    write_training_set(tmp_path / "set", page.panel.desk.to_learn_from, page.panel.desk.classes, "auto")
    assert not slicer.util.getNodesByClass("vtkMRMLVolumeNode")
    assert not slicer.util.getNodesByClass("vtkMRMLSegmentationNode")


@pytest.fixture
def no_temporary_folder(tmp_path, monkeypatch):
    """The folder for temporary files is gone, as a full or unplugged disk makes it."""
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))


def settled(page, out):
    """Ready for a click on Fine-tune, with no estimate on the way."""
    page.small(out)
    page.bench.wait_until(lambda: "estimate" not in page.session.jobs, 60)
    page.panel.finetune._pause.stop()


def test_a_training_on_a_case_whose_annotation_was_just_removed_says_so(page, scans, slicer, tmp_path):
    from PCLLib.segment_roles import annotation_of

    settled(page, tmp_path / "models")
    desk = page.panel.desk
    slicer.mrmlScene.RemoveNode(annotation_of(scans[0]))
    page.session.start(desk.settings, desk.to_learn_from, desk.classes)  # before the table knows
    assert page.doing == "IDLE"
    assert "scan0" in page.message
    assert "annotation" in page.message
    page.bench.wait_until(lambda: page.states()["scan0"] == "Not annotated")
    assert page.ui.finetuneButton.enabled


def test_a_training_on_a_volume_that_is_none_any_more_says_so(page, scans, slicer, tmp_path):
    settled(page, tmp_path / "models")
    desk = page.panel.desk
    scans[0].SetAndObserveImageData(None)
    page.session.start(desk.settings, desk.to_learn_from, desk.classes)
    assert page.doing == "IDLE"
    assert "scan0 has no voxels" in page.message


def test_a_training_for_a_folder_that_cannot_be_looked_into_says_so(page, scans, tmp_path):
    out = str(tmp_path)
    while len(out) < 4090:  # with the folder of a model in it, this is longer than paths may be
        out += "/" + "x" * min(200, 4089 - len(out))
    settled(page, Path(out))
    page.panel.finetune._start()
    assert page.doing == "IDLE"
    assert "too long" in page.message
    assert "Choose another folder" in page.message


def test_without_a_folder_for_temporary_files_nothing_begins_and_the_reason_is_told(
    ready, slicer, folder, drawn, no_temporary_folder, tmp_path
):
    drawn(slicer.util.getNode("scan"))
    ready.bench.wait_until(lambda: ready.panel.desk.to_learn_from)
    ready.show(slicer.util.getNode("scan"))
    for begin in (ready.panel.segment._segment, ready.panel.finetune._start, lambda: ready.panel.cases.add_folder(folder)):
        ready.session.tell(None)
        begin()
        assert ready.doing == "IDLE"
        assert "temporary" in ready.message.lower()


def test_an_error_of_the_software_ends_what_it_interrupts(ready, slicer):
    """Whatever is raised while work begins or goes on, the panel does not wait for what will never come."""
    from PCLLib.segment_run import SegmentOrder, SegmentRun
    from PCLLib.segmentation_states import Doing
    from PCLLib.segmenter import Segmented, Segmenter

    with pytest.raises(ZeroDivisionError), ready.session.states.beginning(Doing.TRAINING):
        _ = 1 / 0
    assert ready.doing == "IDLE"
    (case,) = ready.panel.desk.cases
    volume, ends = slicer.util.getNode("scan"), []
    order = SegmentOrder((case,), ready.session.segmenting.model.path, "cpu", False)
    run = SegmentRun(Segmenter(ready.session.worker), order, lambda _progress: None, ends.append)
    with pytest.raises(TypeError):
        run._take(case, volume, Segmented(np.full(SHAPE, "x"), ready.session.segmenting.model.classes, {}, None))
    (report,) = ends
    assert report.failures == [("scan", "Something unexpected went wrong.")]


@pytest.mark.slow
@pytest.mark.ci_slow
def test_a_finished_model_is_handed_over_when_something_after_it_fails(page, scans, tmp_path):
    from PCLLib.finetuning import Speed

    settled(page, tmp_path / "models")
    page.parameters.leaveOneOut = True
    page.session.speed = Speed(600, 3600.0, "cpu")
    page.parameters.minutes = 1
    page.bench.click(page.ui.finetuneButton)
    page.wait("TRAINING")
    model = tmp_path / "models" / "model_01" / "model.safetensors"
    page.bench.wait_until((model.parent / "leave_one_out").is_dir, 200)
    os.kill(page.session.jobs.process_id("train"), signal.SIGKILL)
    page.wait("IDLE")
    assert page.parameters.model == str(model)
    assert page.session.segmenting.model.path == model
    assert "The model is made and can be used" in page.message
    assert "ended from outside" in page.message


def test_frames_of_one_heart_are_one_patient_and_volumes_of_the_scene_each_their_own(page, new_volume, drawn, tmp_path):
    from PCLLib.training_set import write_training_set

    (tmp_path / "cine").mkdir()
    affine = np.diag([1.0, 1.0, 4.0, 1.0])
    nib.save(nib.Nifti1Image(np.stack([block(seed) for seed in range(2)]).T, affine), tmp_path / "cine" / "heart.nii.gz")
    labels = np.zeros((2, *SHAPE), np.uint8)
    labels[:, :, 8:20, 8:20] = 1
    nib.save(nib.Nifti1Image(labels.T, affine), tmp_path / "cine" / "heart_seg.nii.gz")
    for seed in (1, 2):
        drawn(new_volume(f"scan{seed}", seed))
    page.wait_for_cases(2)
    add_folder(page, tmp_path / "cine")
    page.bench.wait_until(lambda: len(page.panel.desk.to_learn_from) == 4)
    (tmp_path / "set").mkdir()
    found = write_training_set(tmp_path / "set", page.panel.desk.to_learn_from, page.panel.desk.classes, "auto")
    patients = json.loads((tmp_path / "set" / "patients.json").read_text())
    assert patients.keys() == found.names.keys()
    whose = {known: patients[name] for name, known in found.names.items()}
    frames = {patient for known, patient in whose.items() if known.startswith("heart")}
    assert len(frames) == 1
    assert len({whose["scan1"], whose["scan2"], *frames}) == 3


def patients_of(page, folder):
    """Whose each case is taken to be by a fine-tuning."""
    from PCLLib.training_set import write_training_set

    folder.mkdir()
    found = write_training_set(folder, page.panel.desk.to_learn_from, page.panel.desk.classes, "auto")
    patients = json.loads((folder / "patients.json").read_text())
    return {known: patients[name] for name, known in found.names.items()}


def test_frames_stay_one_patient_when_their_folder_is_taken_away(page, new_volume, drawn, tmp_path):
    """Otherwise one would be held out from what was learned from the other."""
    (tmp_path / "cine").mkdir()
    affine = np.diag([1.0, 1.0, 4.0, 1.0])
    nib.save(nib.Nifti1Image(np.stack([block(seed) for seed in range(2)]).T, affine), tmp_path / "cine" / "heart.nii.gz")
    add_folder(page, tmp_path / "cine")
    for case in page.panel.desk.cases:
        page.panel.cases.show_case(case)
        drawn(page.panel.desk.volume)
    drawn(new_volume("scan", 3))
    page.bench.click(page.ui.removeFolderButton)
    page.bench.wait_until(lambda: len(page.panel.desk.to_learn_from) == 3 and not page.parameters.folders)
    whose = patients_of(page, tmp_path / "set")
    assert len({patient for known, patient in whose.items() if known.startswith("heart")}) == 1
    assert len(set(whose.values())) == 2


def test_series_of_one_dicom_patient_in_the_scene_are_one_patient(page, slicer, new_volume, drawn, tmp_path):
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "somebody")
    study = hierarchy.CreateStudyItem(patient, "a day")
    for seed in range(3):
        volume = new_volume(f"scan{seed}", seed)
        drawn(volume)
        if seed < 2:
            item = hierarchy.GetItemByDataNode(volume) or hierarchy.CreateItem(study, volume)
            hierarchy.SetItemParent(item, study)
    page.bench.wait_until(lambda: len(page.panel.desk.to_learn_from) == 3)
    whose = patients_of(page, tmp_path / "set")
    assert whose["scan0"] == whose["scan1"] != whose["scan2"]
