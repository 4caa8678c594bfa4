"""From annotated cases to a model, by clicks."""

from __future__ import annotations

import json
import struct

import pytest

from pcl_core.volumes.writing import write_volume
from Testing.PCLSegmentation.conftest import TERMINOLOGY, block, run_engine
from Testing.PCLSegmentation.folders import GRID, add_folder, two_labels


def about(path) -> dict:
    with path.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        return json.loads(json.loads(stream.read(length))["__metadata__"]["pcl"])


@pytest.fixture
def annotated(page, scans, slicer):
    """Two annotated cases, whose first segment has a terminology."""
    from PCLLib.segment_roles import annotation_of

    segment = annotation_of(scans[0]).GetSegmentation().GetSegment("block")
    segment.SetTag(segment.GetTerminologyEntryTagName(), TERMINOLOGY)
    return page


def test_a_model_keeps_classes_and_learns_from_the_slices_that_count(annotated, tmp_path, slicer):
    layout = slicer.app.layoutManager().layout
    annotated.finetune(tmp_path / "models")
    assert annotated.message == ""
    model = tmp_path / "models" / "model_01" / "model.safetensors"
    assert annotated.parameters.model == str(model)
    found = about(model)
    (one,) = found["classes"]
    assert (one["name"], one["terminology"]) == ("block", TERMINOLOGY)
    assert one["color"] == pytest.approx([0.9, 0.3, 0.0])
    assert sorted(found["training"]["annotated_slices"].values()) == [list(range(8)), [2, 3, 4]]
    assert found["training"]["steps"] == 20
    assert "The model has learned from 2 cases: 20 steps" in annotated.ui.resultLabel.text
    assert "No case was held out" in annotated.ui.resultLabel.text
    assert not annotated.ui.diceTable.visible
    assert annotated.panel.finetune.curves.points > 5
    assert slicer.app.layoutManager().layout == layout
    assert annotated.parameters.begin.value == "model"
    assert annotated.ui.segmentButton.enabled


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(None, marks=(pytest.mark.slow, pytest.mark.ci_slow), id="values"),
        pytest.param(("LV", "myocardium"), id="names"),
    ],
)
def test_a_folder_with_labels_is_learned_from_without_opening_a_case(page, tmp_path, names):
    folder = tmp_path / "scans"
    for seed in range(2):
        write_volume(folder / "imagesTr" / f"case{seed}.nrrd", block(seed), GRID)
        write_volume(folder / "labelsTr" / f"case{seed}.nrrd", two_labels(1, 4), GRID)
    if names:
        values = {"background": 0, names[0]: 1, names[1]: 4}
        (folder / "dataset.json").write_text(json.dumps({"labels": values, "channel_names": {"0": "MR"}}))
    add_folder(page, folder)
    page.finetune(tmp_path / "models")
    assert page.message == ""
    found = about(tmp_path / "models" / "model_01" / "model.safetensors")["classes"]
    assert [(one["value"], one["name"]) for one in found] == list(zip((1, 4), names or ("class 1", "class 4"), strict=True))
    assert [one.value for one in page.panel.desk.classes] == [1, 4]


def test_classes_with_values_above_a_byte_are_learned(page, scans, tmp_path):
    from PCLLib.segment_classes import SegmentClass
    from PCLLib.training_set import write_training_set

    (tmp_path / "set").mkdir()
    classes = [SegmentClass(420, "block", (1, 0, 0))]
    found = write_training_set(tmp_path / "set", page.panel.desk.to_learn_from, classes, "auto")
    small = ("--size", "32", "--filters", "4", "--steps", "4", "--device", "cpu")
    run_engine("finetune", *found.words, "--out", tmp_path / "out", *small)
    model = about(tmp_path / "out" / "model.safetensors")
    assert [one["value"] for one in model["classes"]] == [420]
    assert sorted(model["training"]["annotated_slices"].values()) == [list(range(8)), [2, 3, 4]]


def test_a_cancelled_training_keeps_the_best_model_so_far(annotated, tmp_path):
    from PCLLib.finetuning import Speed

    annotated.small(tmp_path / "models")
    annotated.bench.wait_until(lambda: "estimate" not in annotated.session.jobs, 60)
    annotated.panel.finetune._pause.stop()
    annotated.session.speed = Speed(2000, 60.0, "cpu")
    annotated.parameters.minutes = 1
    annotated.bench.click(annotated.ui.finetuneButton)
    annotated.wait("TRAINING")
    annotated.bench.wait_until(lambda: annotated.panel.finetune.curves.points > 0, 120)
    assert "Fine-tuning: " in annotated.ui.progressLabel.text
    assert not annotated.ui.finetuneButton.enabled
    assert not annotated.ui.segmentButton.enabled
    annotated.bench.click(annotated.ui.cancelButton)
    assert annotated.wait("CANCELLING", "IDLE") is not None
    annotated.wait("IDLE")
    assert "The best model so far is kept" in annotated.message
    model = tmp_path / "models" / "model_01" / "model.safetensors"
    assert about(model)["training"]["steps"] < 2000
    assert annotated.session.segmenting.model.path == model


@pytest.mark.slow
@pytest.mark.ci_slow
def test_dice_is_told_for_cases_left_out_and_without_the_encoder(annotated, tmp_path, pretrained_here, slicer):
    annotated.parameters.encoder = str(pretrained_here)
    annotated.parameters.begin = type(annotated.parameters.begin).ENCODER
    assert annotated.ui.compareCheckBox.visible
    annotated.bench.click(annotated.ui.leaveOneOutCheckBox)
    annotated.bench.click(annotated.ui.compareCheckBox)
    annotated.finetune(tmp_path / "models", seconds=400)
    assert annotated.message == ""
    table = annotated.ui.diceTable
    assert table.visible
    titles = [table.horizontalHeaderItem(column).text() for column in range(table.columnCount)]
    assert titles == ["Case", "Class", "Dice", "No encoder"]
    said = [tuple(table.item(row, column).text() for column in (0, 1)) for row in range(table.rowCount)]
    assert said == [("scan0, left out in turn", "block"), ("scan1, left out in turn", "block")]
    assert all(0 <= float(table.item(row, column).text()) <= 1 for row in range(2) for column in (2, 3))
    assert about(annotated.session.segmenting.model.path)["training"]["tensors_transferred"] > 0


@pytest.mark.slow
@pytest.mark.ci_slow
def test_the_time_is_proposed_from_the_device(estimates, annotated, tmp_path):
    annotated.small(tmp_path / "models")
    annotated.bench.wait_until(lambda: annotated.session.speed is not None, 120)
    assert annotated.session.speed.steps == 600
    assert "on the processor." in annotated.ui.estimateLabel.text
    assert "About " in annotated.ui.estimateLabel.text
    annotated.bench.type_text(annotated.ui.minutesSpinBox, "7")
    annotated.bench.wait_until(lambda: "About 7 min on the processor." in annotated.ui.estimateLabel.text)


def test_an_encoder_that_is_none_is_told_before_anything_runs(annotated, tmp_path):
    annotated.parameters.begin = type(annotated.parameters.begin).ENCODER
    assert "Choose the encoder file" in annotated.ui.finetuneButton.toolTip
    (tmp_path / "encoder.safetensors").write_bytes(b"nothing of the kind")
    annotated.bench.type_text(annotated.ui.encoderPathLineEdit, str(tmp_path / "encoder.safetensors"))
    annotated.bench.wait_until(lambda: "is no encoder of this extension" in annotated.ui.estimateLabel.text)
    assert not annotated.ui.finetuneButton.enabled


def test_the_encoder_just_pretrained_is_offered(page, slicer, tmp_path, pretrained_here):
    from PCLLib.handover import offer_encoder

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "PCLPretrain")
    offer_encoder(node, pretrained_here)
    page.widget.enter()
    assert page.parameters.encoder == str(pretrained_here)
    assert page.parameters.begin.value == "encoder"
    assert page.ui.encoderPathLineEdit.currentPath == str(pretrained_here)


def test_a_failure_of_the_engine_is_told_with_the_name_of_the_case(annotated, scans, tmp_path, slicer):
    import numpy as np

    slicer.util.updateVolumeFromArray(scans[0], np.zeros((8, 32, 32), np.int16))
    slicer.util.updateVolumeFromArray(scans[1], np.zeros((8, 32, 32), np.int16))
    annotated.finetune(tmp_path / "models")
    assert "scan0" in annotated.message
    assert "pcl-finetune" not in annotated.message
    assert annotated.doing == "IDLE"
    assert annotated.ui.finetuneButton.enabled


@pytest.mark.slow
@pytest.mark.ci_slow
def test_a_case_that_the_engine_cannot_prepare_is_left_out_and_told_of(annotated, scans, tmp_path, slicer, drawn):
    import numpy as np

    drawn(scans[2])
    slicer.util.updateVolumeFromArray(scans[2], np.zeros((8, 32, 32), np.int16))
    annotated.bench.wait_until(lambda: annotated.states()["scan2"] == "Annotated")
    annotated.finetune(tmp_path / "models")
    assert sorted(annotated.session.result.trained_on) == ["scan0", "scan1"]
    assert "Could not be learned from: scan2." in annotated.message
    assert "pcl-finetune" not in annotated.message
    assert "same value" in annotated.message or "constant" in annotated.message
    assert annotated.parameters.model


@pytest.mark.slow
@pytest.mark.ci_slow
def test_a_model_that_is_gone_on_from_tells_no_dice_of_what_it_knows(annotated, scans, tmp_path, drawn):
    drawn(scans[2])
    annotated.bench.wait_until(lambda: annotated.states()["scan2"] == "Annotated")
    annotated.finetune(tmp_path / "models")
    assert annotated.parameters.begin.value == "model"
    learned = annotated.session.result.trained_on
    drawn(scans[3])
    annotated.bench.wait_until(lambda: annotated.states()["scan3"] == "Annotated")
    annotated.finetune(tmp_path / "models")
    result = annotated.session.result
    assert sorted(result.known_before) == sorted(learned)
    assert not {row.case for row in result.rows} & set(learned)
    assert "had learned from them" in annotated.ui.resultLabel.text
