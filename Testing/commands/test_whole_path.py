"""From a folder of volumes to segments and their figures, by command line."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 (its own usual name)
from safetensors import safe_open

from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.reading import read_volume


def about(weights: Path) -> dict:
    with safe_open(weights, framework="np") as stream:
        return json.loads(stream.metadata()["pcl"])


def geometry_of(path: Path) -> Geometry:
    return find_volumes(path).sources[0].geometry


def test_pretrain_writes_an_encoder_its_plan_its_curve_and_a_state(hearts, tmp_path, pclseg, small, leftovers):
    summary = pclseg("pretrain", hearts / "imagesTr", "--out", tmp_path / "run", *small).done()
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "encoder.safetensors",
        "metrics.csv",
        "plan.json",
        "state",
    ]
    assert (summary["volumes"], summary["skipped"], summary["steps"]) == (4, 0, 4)
    with (tmp_path / "run" / "metrics.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4"]
    assert float(rows[-1]["loss"]) == pytest.approx(summary["loss"], rel=1e-4)
    assert leftovers(tmp_path) == []


def test_the_plan_file_is_the_plan_in_the_weights(pretrained, finetuned):
    for folder, weights in ((pretrained, "encoder.safetensors"), (finetuned, "model.safetensors")):
        assert json.loads((folder / "plan.json").read_text()) == about(folder / weights)["plan"]


def test_events_tell_the_plan_the_progress_the_figures_and_the_files(hearts, tmp_path, pclseg, small):
    outcome = pclseg("pretrain", hearts / "imagesTr", "--out", tmp_path / "run", *small)
    outcome.done()
    (plan,) = outcome.named("plan")
    assert plan["plan"] == json.loads((tmp_path / "run" / "plan.json").read_text())
    assert {"prepare", "pretrain"} <= {event["stage"] for event in outcome.named("progress")}
    assert [(event["step"], event["epoch"]) for event in outcome.named("metric")] == [(1, 1), (2, 1), (3, 1), (4, 1)]
    artifacts = {event["kind"]: Path(event["path"]) for event in outcome.named("artifact")}
    assert artifacts == {"plan": tmp_path / "run" / "plan.json", "encoder": tmp_path / "run" / "encoder.safetensors"}
    assert outcome.stderr == ""


def test_fine_tuning_transfers_the_encoder_and_holds_one_case_out(hearts, pretrained, tmp_path, pclseg, leftovers):
    words = ["finetune", hearts / "imagesTr", hearts / "labelsTr", "--out", tmp_path / "run", "--steps", "4"]
    outcome = pclseg(*words, "--encoder", pretrained / "encoder.safetensors")
    summary = outcome.done()
    assert summary["tensors_transferred"] == 60
    ((held_out, figures),) = summary["held_out"].items()
    assert sorted([held_out, *summary["trained_on"]]) == ["heart_000", "heart_001", "heart_002", "heart_003"]
    assert set(figures) == {"right ventricle", "myocardium", "left ventricle"}
    dice = {name for event in outcome.named("metric") for name in event if name.startswith("dice_")}
    assert dice == {"dice_1", "dice_2", "dice_3"}
    assert json.loads((tmp_path / "run" / "validation.json").read_text())["held_out"] == summary["held_out"]
    assert {event["kind"] for event in outcome.named("artifact")} == {"plan", "model", "validation"}
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert names == {"model.safetensors", "metrics.csv", "plan.json", "validation.json", "state"}
    assert leftovers(tmp_path) == []
    facts = about(tmp_path / "run" / "model.safetensors")
    assert [entry["name"] for entry in facts["classes"]] == ["right ventricle", "myocardium", "left ventricle"]
    assert facts["training"]["held_out"] == [held_out]
    assert set(facts["data"]) == set(summary["trained_on"])


def test_fine_tuning_two_cases_without_an_encoder_holds_none_out(hearts, tmp_path, pclseg, small):
    words = ["finetune", hearts / "imagesTr", hearts / "labelsTr", "--out", tmp_path / "run", *small]
    summary = pclseg(*words, "--cases", "heart_001", "heart_003").done()
    assert summary["trained_on"] == ["heart_001", "heart_003"]
    assert (summary["held_out"], summary["tensors_transferred"]) == ({}, 0)


def test_a_case_to_hold_out_can_be_named(hearts, tmp_path, pclseg, small):
    words = ["finetune", hearts / "imagesTr", hearts / "labelsTr", "--out", tmp_path / "run", *small]
    assert list(pclseg(*words, "--hold-out", "heart_002").done()["held_out"]) == ["heart_002"]
    assert pclseg(*words, "--hold-out", "none").done()["held_out"] == {}


def test_segments_lie_on_their_inputs_and_are_named_after_them(hearts, finetuned, tmp_path, pclseg, leftovers):
    outcome = pclseg("segment", finetuned / "model.safetensors", hearts / "imagesTr", "--out", tmp_path / "labels")
    assert (outcome.done()["segmented"], outcome.done()["skipped"]) == (4, 0)
    written = sorted((tmp_path / "labels").iterdir())
    assert [path.name for path in written] == [f"heart_{k:03d}_seg.nrrd" for k in range(4)]
    assert sorted(Path(event["path"]) for event in outcome.named("artifact")) == written
    for k, path in enumerate(written):
        difference = geometry_of(path).differs_from(geometry_of(hearts / "imagesTr" / f"heart_{k:03d}_0000.nii.gz"))
        assert difference == ""
        assert set(np.unique(sitk.GetArrayFromImage(sitk.ReadImage(path)))) <= {0, 1, 2, 3}
    assert leftovers(tmp_path) == []


def test_probabilities_of_all_classes_sum_to_one(hearts, finetuned, tmp_path, pclseg):
    image = hearts / "imagesTr" / "heart_000_0000.nii.gz"
    pclseg("segment", finetuned / "model.safetensors", image, "--out", tmp_path, "--probabilities", "--tta").done()
    name = find_volumes(image).sources[0].id
    parts = [sitk.GetArrayFromImage(sitk.ReadImage(tmp_path / f"{name}_probability_{value}.nrrd")) for value in range(4)]
    assert np.abs(np.sum(parts, axis=0, dtype=int) - 255).max() <= 2
    labels = sitk.GetArrayFromImage(sitk.ReadImage(tmp_path / f"{name}_seg.nrrd"))
    chosen = np.take_along_axis(np.stack(parts), labels[None], axis=0)[0]
    assert (np.max(parts, axis=0) - chosen.astype(int) <= 1).all()


def test_evaluate_gives_figures_a_class_and_a_case_and_writes_them(hearts, finetuned, tmp_path, pclseg):
    pclseg("segment", finetuned / "model.safetensors", hearts / "imagesTr", "--out", tmp_path / "labels").done()
    outcome = pclseg("evaluate", tmp_path / "labels", hearts / "labelsTr", "--json", tmp_path / "figures.json")
    assert outcome.done()["cases"] == 4
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert outcome.done()["mean"] == figures["mean"]
    assert outcome.stderr == ""


def test_labels_evaluated_against_themselves_are_perfect(hearts, pclseg):
    outcome = pclseg("evaluate", hearts / "labelsTr", hearts / "labelsTr")
    assert set(outcome.done()["pooled_dice"].values()) == {1.0}


def test_few_predictions_against_many_truths_give_one_warning(tmp_path, pclseg, labels_of):
    labels_of(tmp_path / "ours" / "case_000_seg.nrrd")
    for k in range(20):
        labels_of(tmp_path / "truth" / f"case_{k:03d}.nrrd")
    outcome = pclseg("evaluate", tmp_path / "ours", tmp_path / "truth")
    assert outcome.done()["cases"] == 1
    (warning,) = outcome.warnings
    assert "19 label files" in warning
    assert len(warning) < 300 + 2 * len(str(tmp_path))


def test_a_dicom_series_is_pretrained_on_and_segmented(tmp_path, pclseg, small, hearts, finetuned):
    voxels = sitk.GetArrayFromImage(sitk.ReadImage(hearts / "imagesTr" / "heart_000_0000.nii.gz"))
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    (tmp_path / "series").mkdir()
    for k, plane in enumerate(voxels):
        image = sitk.GetImageFromArray(plane[None])
        image.SetSpacing((2.0, 2.0, 9.0))
        for tag, value in {"0020|000e": "1.2.3", "0020|0032": f"0\\0\\{9 * k}", "0010|0020": "ANON"}.items():
            image.SetMetaData(tag, value)
        writer.SetFileName(str(tmp_path / "series" / f"{99 - k}.dcm"))
        writer.Execute(image)
    assert pclseg("pretrain", tmp_path / "series", "--out", tmp_path / "run", *small).done()["volumes"] == 1
    pclseg("segment", finetuned / "model.safetensors", tmp_path / "series", "--out", tmp_path / "labels").done()
    assert geometry_of(tmp_path / "labels" / "series_seg.nrrd").size == voxels.shape[::-1]
    assert geometry_of(tmp_path / "labels" / "series_seg.nrrd").spacing == (2.0, 2.0, 9.0)


def test_each_frame_of_a_four_dimensional_file_is_a_volume(tmp_path, pclseg, small, finetuned):
    frames = np.random.default_rng(0).integers(0, 500, (24, 20, 6, 3)).astype(np.int16)
    nib.save(nib.Nifti1Image(frames, np.diag([1.0, 1.0, 4.0, 1.0])), tmp_path / "cine.nii.gz")
    summary = pclseg("pretrain", tmp_path / "cine.nii.gz", "--out", tmp_path / "run", *small).done()
    assert (summary["volumes"], summary["slices"]) == (3, 18)
    pclseg("segment", finetuned / "model.safetensors", tmp_path / "cine.nii.gz", "--out", tmp_path / "labels").done()
    written = sorted((tmp_path / "labels").iterdir())
    assert [path.name for path in written] == [f"cine_frame{k:02d}_seg.nrrd" for k in (1, 2, 3)]
    assert geometry_of(written[0]).size == (24, 20, 6)


def test_one_file_can_be_pretrained_on(hearts, tmp_path, pclseg, small):
    image = hearts / "imagesTr" / "heart_001_0000.nii.gz"
    assert pclseg("pretrain", image, "--out", tmp_path / "run", *small).done()["volumes"] == 1


def test_relative_paths_are_taken_from_the_working_folder(hearts, finetuned, tmp_path, pclseg, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(hearts)
    (tmp_path / "model.safetensors").symlink_to(finetuned / "model.safetensors")
    words = ("model.safetensors", "data/imagesTr/heart_000_0000.nii.gz", "--out", "out")
    assert pclseg("segment", *words).done()["out"] == "out"
    assert len(list(Path("out").iterdir())) == 1


def test_segmenting_into_the_folder_of_the_images_twice_does_not_segment_the_segments(
    hearts, finetuned, tmp_path, pclseg, volume: Callable[..., Path]
):
    volume(tmp_path / "case.nii.gz")
    for _ in range(2):
        pclseg("segment", finetuned / "model.safetensors", tmp_path, "--out", tmp_path).done()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["case.nii.gz", "case_seg.nrrd"]


def test_the_same_call_gives_the_same_weights_and_another_seed_others(hearts, tmp_path, pclseg, small):
    def weights(name: str, seed: int) -> dict[str, np.ndarray]:
        words = ("pretrain", hearts / "imagesTr", "--out", tmp_path / name, "--seed", seed, *small)
        pclseg(*words).done()
        with safe_open(tmp_path / name / "encoder.safetensors", framework="np") as stream:
            return {key: stream.get_tensor(key) for key in stream.keys()}  # noqa: SIM118 (not a mapping)

    first, second, other = weights("a", 1), weights("b", 1), weights("c", 2)
    assert all(np.array_equal(first[key], second[key]) for key in first)
    assert any(not np.array_equal(first[key], other[key]) for key in first)


def test_the_module_runs_from_a_shell_with_nothing_but_events_on_its_output(hearts, tmp_path, small):
    words = [sys.executable, "-m", "pcl_core", "pretrain", str(hearts / "imagesTr"), "--out", "run", *small, "--events"]
    path = str(Path(__file__).parents[2])
    ended = subprocess.run(
        words, cwd=tmp_path, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    events = [json.loads(line)["event"] for line in ended.stdout.splitlines()]
    assert (ended.returncode, events[0], events[-1]) == (0, "started", "done")
    assert ended.stderr == ""
    assert (tmp_path / "run" / "encoder.safetensors").exists()


def test_the_hearts_of_these_tests_are_stored_in_several_orientations(hearts):
    sources = find_volumes(hearts / "imagesTr").sources
    assert len({source.geometry.orientation() for source in sources}) > 1
    assert all(read_volume(source).voxels.std() > 0 for source in sources)
