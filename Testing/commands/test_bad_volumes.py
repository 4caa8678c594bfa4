"""Volumes that cannot be used: one line that names the file and says what to do, exit code 2, nothing half written."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

Spoil = Callable[[Path], Path]


def text_named_nifti(folder: Path) -> Path:
    path = folder / "notes.nii.gz"
    path.write_text("Patient moved; scan again.\n")
    return path


def empty_file(folder: Path) -> Path:
    path = folder / "empty.nii.gz"
    path.write_bytes(b"")
    return path


def text_named_nrrd(folder: Path) -> Path:
    path = folder / "notes.nrrd"
    path.write_text("Patient moved; scan again.\n")
    return path


def truncated_gzip(folder: Path) -> Path:
    path = folder / "cut.nii.gz"
    voxels = np.random.default_rng(0).integers(0, 1000, (40, 40, 8)).astype(np.int16)
    whole = gzip.compress(nib.Nifti1Image(voxels, np.diag([1.0, 1.0, 4.0, 1.0])).to_bytes())
    path.write_bytes(whole[: len(whole) // 2])
    return path


def flat_image(folder: Path) -> Path:
    path = folder / "flat.nii.gz"
    nib.save(nib.Nifti1Image(np.arange(600, dtype=np.int16).reshape(20, 30), np.eye(4)), path)
    return path


def constant(folder: Path) -> Path:
    path = folder / "constant.nii.gz"
    nib.save(nib.Nifti1Image(np.full((20, 24, 6), 7, np.int16), np.diag([1.0, 1.0, 4.0, 1.0])), path)
    return path


def some_nan(folder: Path) -> Path:
    path = folder / "hole.nii.gz"
    voxels = np.random.default_rng(0).random((20, 24, 6), np.float32)
    voxels[3:5, 3:5, 2] = np.nan
    nib.save(nib.Nifti1Image(voxels, np.diag([1.0, 1.0, 4.0, 1.0])), path)
    return path


def all_nan(folder: Path) -> Path:
    path = folder / "nothing.nii.gz"
    nib.save(nib.Nifti1Image(np.full((20, 24, 6), np.nan, np.float32), np.diag([1.0, 1.0, 4.0, 1.0])), path)
    return path


def infinite(folder: Path) -> Path:
    path = folder / "infinite.nii.gz"
    voxels = np.random.default_rng(0).random((20, 24, 6), np.float32)
    voxels[0, 0, 0] = np.inf
    nib.save(nib.Nifti1Image(voxels, np.diag([1.0, 1.0, 4.0, 1.0])), path)
    return path


SPOILT = [
    text_named_nifti, empty_file, text_named_nrrd, truncated_gzip, flat_image, constant, some_nan, all_nan, infinite,
]  # fmt: skip


@pytest.fixture(params=SPOILT, ids=lambda spoil: spoil.__name__)
def spoil(request: pytest.FixtureRequest) -> Spoil:
    return request.param


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_pretrain_refuses_it_when_it_is_alone(spoil, tmp_path, pclseg, small):
    bad = spoil(tmp_path)
    pclseg("pretrain", bad, "--out", tmp_path / "run", *small).refusal(bad)
    assert files_in(tmp_path / "run") == []


def test_pretrain_skips_it_among_good_ones_and_says_so_once(spoil, tmp_path, pclseg, small, volume, leftovers):
    (tmp_path / "data").mkdir()
    bad = spoil(tmp_path / "data")
    volume(tmp_path / "data" / "good.nii.gz")
    outcome = pclseg("pretrain", tmp_path / "data", "--out", tmp_path / "run", *small)
    assert (outcome.done()["volumes"], outcome.done()["skipped"]) == (1, 1)
    (warning,) = [text for text in outcome.warnings if str(bad) in text]
    assert warning.endswith("It is left out.")
    assert "eave it out. It is left out" not in warning
    assert [event["path"] for event in outcome.named("warning") if str(bad) in event["message"]] == [str(bad)]
    assert outcome.stderr == ""
    assert leftovers(tmp_path) == []


def test_pretrain_refuses_it_among_good_ones_when_strict(spoil, tmp_path, pclseg, small, volume):
    (tmp_path / "data").mkdir()
    bad = spoil(tmp_path / "data")
    volume(tmp_path / "data" / "good.nii.gz")
    words = ("pretrain", tmp_path / "data", "--out", tmp_path / "run", *small)
    pclseg(*words, "--strict").refusal(bad)
    assert files_in(tmp_path / "run") == []
    pclseg(*words).done()
    pclseg(*words, "--strict").refusal(bad)  # though the bank of the call before is there


def test_finetune_skips_it_among_good_ones(spoil, tmp_path, pclseg, small, volume, labels_of):
    (tmp_path / "images").mkdir()
    bad = spoil(tmp_path / "images")
    volume(tmp_path / "images" / "good.nii.gz")
    labels_of(tmp_path / "labels" / "good.nii.gz")
    labels_of(tmp_path / "labels" / f"{bad.name.split('.')[0]}.nii.gz")
    words = ("finetune", tmp_path / "images", tmp_path / "labels", "--out", tmp_path / "run", *small)
    outcome = pclseg(*words)
    assert outcome.done()["trained_on"] == ["good"]
    assert sum(str(bad) in warning for warning in outcome.warnings) == 1
    assert outcome.stderr == ""
    pclseg(*words, "--strict").refusal(bad)


def test_finetune_refuses_it_when_it_is_alone(spoil, tmp_path, pclseg, small, labels_of):
    (tmp_path / "images").mkdir()
    bad = spoil(tmp_path / "images")
    labels_of(tmp_path / "labels" / f"{bad.name.split('.')[0]}.nii.gz")
    pclseg("finetune", tmp_path / "images", tmp_path / "labels", "--out", tmp_path / "run", *small).refusal(bad)
    assert files_in(tmp_path / "run") == []


def test_segment_refuses_it_when_it_is_alone(spoil, tmp_path, pclseg, finetuned):
    bad = spoil(tmp_path)
    pclseg("segment", finetuned / "model.safetensors", bad, "--out", tmp_path / "labels").refusal(bad)
    assert files_in(tmp_path / "labels") == []


def test_segment_skips_it_among_good_ones_and_refuses_it_when_strict(spoil, tmp_path, pclseg, finetuned, volume):
    (tmp_path / "data").mkdir()
    bad = spoil(tmp_path / "data")
    volume(tmp_path / "data" / "good.nii.gz")
    words = ("segment", finetuned / "model.safetensors", tmp_path / "data", "--out", tmp_path / "labels")
    outcome = pclseg(*words)
    assert (outcome.done()["segmented"], outcome.done()["skipped"]) == (1, 1)
    (warning,) = [said for said in outcome.warnings if "left out" in said]
    assert str(bad) in warning
    assert "eave it out. It is left out" not in warning
    assert files_in(tmp_path / "labels") == ["good_seg.nrrd"]
    assert outcome.stderr == ""
    pclseg(*words, "--strict").refusal(bad)


@pytest.mark.parametrize("make", [text_named_nifti, empty_file, truncated_gzip, flat_image], ids=lambda make: make.__name__)
def test_evaluate_refuses_it_on_either_side(make, tmp_path, pclseg, labels_of):
    (tmp_path / "bad").mkdir()
    bad = make(tmp_path / "bad")
    labels_of(tmp_path / "good" / bad.name)
    for words in ((bad.parent, tmp_path / "good"), (tmp_path / "good", bad.parent), (bad, tmp_path / "good" / bad.name)):
        pclseg("evaluate", *words, "--json", tmp_path / "figures.json").refusal(bad)
        assert not (tmp_path / "figures.json").exists()


@pytest.mark.parametrize("make", SPOILT[:5], ids=lambda make: make.__name__)
def test_scan_reports_it_and_refuses_it_when_strict(make, tmp_path, pclseg, volume):
    (tmp_path / "data").mkdir()
    bad = make(tmp_path / "data")
    volume(tmp_path / "data" / "good.nii.gz")
    outcome = pclseg("scan", tmp_path / "data")
    assert (outcome.done()["volumes"], outcome.done()["unreadable"]) == (1, 1)
    assert sum(str(bad) in warning for warning in outcome.warnings) == 1
    pclseg("scan", tmp_path / "data", "--strict", "--json", tmp_path / "scan.json").refusal(bad)
    assert not (tmp_path / "scan.json").exists()


def test_many_bad_volumes_are_refused_in_one_line_of_bearable_length(tmp_path, pclseg, small, finetuned):
    (tmp_path / "data").mkdir()
    for k in range(40):
        constant(tmp_path / "data").rename(tmp_path / "data" / f"constant{k:02d}.nii.gz")
    line = pclseg("pretrain", tmp_path / "data", "--out", tmp_path / "run", *small).refusal("constant00.nii.gz", "40")
    assert "constant01" not in line
    words = ("segment", finetuned / "model.safetensors", tmp_path / "data", "--out", tmp_path / "labels")
    line = pclseg(*words).refusal("constant00.nii.gz", "40")
    assert "constant01" not in line


@pytest.mark.parametrize("command", ["scan", "pretrain", "finetune", "segment", "evaluate"])
@pytest.mark.parametrize("what", ["empty", "missing", "without volumes"])
def test_a_folder_without_volumes_is_refused_by_name(command, what, tmp_path, pclseg, finetuned, labels_of):
    folder = tmp_path / "data"
    if what != "missing":
        folder.mkdir()
    if what == "without volumes":
        (folder / "readme.txt").write_text("See the other disk.")
    labels = labels_of(tmp_path / "labels" / "case.nii.gz").parent
    words = {
        "scan": (folder,),
        "pretrain": (folder, "--out", tmp_path / "run"),
        "finetune": (folder, labels, "--out", tmp_path / "run"),
        "segment": (finetuned / "model.safetensors", folder, "--out", tmp_path / "run"),
        "evaluate": (folder, labels),
    }[command]
    pclseg(command, *words).refusal(folder)
    assert not (tmp_path / "run").exists()


def test_a_single_slice_alone_gives_pretraining_nothing_to_compare(tmp_path, pclseg, small, volume):
    image = volume(tmp_path / "one.nii.gz", shape=(1, 20, 24))
    pclseg("pretrain", image, "--out", tmp_path / "run", *small).refusal("one slice")
    assert "encoder.safetensors" not in files_in(tmp_path / "run")


def test_several_single_slices_are_pretrained_on_with_a_warning_that_positions_say_nothing(tmp_path, pclseg, small, volume):
    for k in range(6):
        volume(tmp_path / "data" / f"case{k}.nii.gz", seed=k, shape=(1, 20, 24))
    outcome = pclseg("pretrain", tmp_path / "data", "--out", tmp_path / "run", *small)
    assert outcome.done()["slices"] == 6
    assert sum("simclr" in warning for warning in outcome.warnings) == 1
    words = ("pretrain", tmp_path / "data", "--out", tmp_path / "other", *small, "--method", "simclr")
    assert not any("simclr" in warning for warning in pclseg(*words).warnings)


def test_a_single_slice_is_fine_tuned_on_and_segmented(tmp_path, pclseg, small, volume, labels_of, finetuned):
    image = volume(tmp_path / "images" / "one.nii.gz", shape=(1, 20, 24))
    labels_of(tmp_path / "labels" / "one.nii.gz", shape=(1, 20, 24))
    pclseg("finetune", image, tmp_path / "labels", "--out", tmp_path / "run", *small).done()
    for model in (finetuned, tmp_path / "run"):
        words = ("segment", model / "model.safetensors", image, "--out", tmp_path / "out")
        assert pclseg(*words).done()["segmented"] == 1


def test_three_thousand_slices_go_all_the_way(tmp_path, pclseg, volume, labels_of):
    shape = (3000, 16, 16)
    image = volume(tmp_path / "images" / "long.nii.gz", shape=shape)
    labels_of(tmp_path / "labels" / "long.nii.gz", shape=shape)
    small = ("--size", "16", "--filters", "2", "--steps", "2")
    summary = pclseg("pretrain", image, "--out", tmp_path / "run", *small).done()
    assert summary["slices"] == 3000
    encoder = tmp_path / "run" / "encoder.safetensors"
    words = ("finetune", image, tmp_path / "labels", "--out", tmp_path / "tuned", "--encoder", encoder, "--steps", "2")
    pclseg(*words).done()
    pclseg("segment", tmp_path / "tuned" / "model.safetensors", image, "--out", tmp_path / "out").done()
    assert pclseg("evaluate", tmp_path / "out", tmp_path / "labels").done()["cases"] == 1


def test_slices_of_a_few_pixels_go_all_the_way(tmp_path, pclseg, small, volume):
    image = volume(tmp_path / "thin.nii.gz", np.random.default_rng(0).integers(0, 99, (5, 1, 2)).astype(np.int16))
    pclseg("pretrain", image, "--out", tmp_path / "run", *small).done()


def test_a_volume_that_went_away_since_its_bank_is_told_by_name(tmp_path, pclseg, small, volume):
    (tmp_path / "data").mkdir()
    link = tmp_path / "data" / "gone.nii.gz"
    link.symlink_to(tmp_path / "elsewhere.nii.gz")
    pclseg("pretrain", tmp_path / "data", "--out", tmp_path / "run", *small).refusal(link)
    volume(tmp_path / "data" / "good.nii.gz")
    outcome = pclseg("pretrain", tmp_path / "data", "--out", tmp_path / "run", *small)
    assert outcome.done()["volumes"] == 1
    assert sum(str(link) in warning for warning in outcome.warnings) == 1


def test_a_folder_of_labels_only_is_refused_where_images_are_wanted(tmp_path, pclseg, small, finetuned, labels_of):
    folder = labels_of(tmp_path / "labels" / "case_seg.nrrd").parent
    pclseg("pretrain", folder, "--out", tmp_path / "run", *small).refusal(folder, "images")
    words = ("segment", finetuned / "model.safetensors", folder, "--out", tmp_path / "out")
    pclseg(*words).refusal(folder, "images")
