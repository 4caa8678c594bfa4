"""``segment --log``: a folder is gone on with where it was stopped."""

from __future__ import annotations

import json
import os
import shutil

import pytest
import SimpleITK


@pytest.fixture
def model(finetuned):
    return finetuned / "model.safetensors"


@pytest.fixture
def folder(tmp_path, volume):
    for name in "ab":
        volume(tmp_path / "in" / f"{name}.nrrd", seed=ord(name))
    return tmp_path / "in"


@pytest.fixture
def segment(model, folder, tmp_path, pclseg):
    """Runs the command and tells how many were segmented now, and how many before."""

    def run(by=model):
        summary = pclseg("segment", by, folder, "--out", tmp_path / "out", "--log", tmp_path / "out" / "log.jsonl").done()
        return summary["segmented"], summary["done_before"]

    return run


def test_what_the_log_says_is_done_is_left_out(segment, folder, tmp_path, volume):
    assert segment() == (2, 0)
    written = (tmp_path / "out" / "a_seg.nrrd").stat().st_mtime_ns
    volume(folder / "c.nrrd", seed=9)
    assert segment() == (1, 2)
    assert (tmp_path / "out" / "a_seg.nrrd").stat().st_mtime_ns == written
    assert segment() == (0, 3)


def test_the_log_tells_file_and_millilitres_of_each_volume(segment, folder, tmp_path):
    segment()
    entries = [json.loads(line) for line in (tmp_path / "out" / "log.jsonl").read_text().splitlines()]
    assert [(one["id"], one["input"]) for one in entries] == [(name, str(folder / f"{name}.nrrd")) for name in "ab"]
    assert entries[0]["labels"] == str(tmp_path / "out" / "a_seg.nrrd")
    assert set(entries[0]["millilitres"]) == {"right ventricle", "myocardium", "left ventricle"}


def test_changed_inputs_lost_results_and_another_model_are_done_again(segment, folder, tmp_path, volume, model):
    segment()
    volume(folder / "a.nrrd", seed=77)
    assert segment() == (1, 1)
    (tmp_path / "out" / "b_seg.nrrd").unlink()
    assert segment() == (1, 1)
    shutil.copy(model, tmp_path / "other.safetensors")
    assert segment(tmp_path / "other.safetensors") == (2, 0)


def test_a_line_that_a_crash_cut_off_says_nothing(segment, tmp_path):
    segment()
    log = tmp_path / "out" / "log.jsonl"
    log.write_bytes(log.read_bytes()[:-30])
    assert segment() == (1, 1)
    assert segment() == (0, 2)


def test_a_label_file_that_was_there_before_stays_and_is_named(segment, folder, tmp_path, model, pclseg, volume):
    manual = volume(tmp_path / "out" / "a_seg.nrrd", seed=3).read_bytes()
    outcome = pclseg("segment", model, folder, "--out", tmp_path / "out", "--log", tmp_path / "out" / "log.jsonl")
    assert outcome.done()["segmented"] == 1
    assert outcome.done()["kept"] == [str(tmp_path / "out" / "a_seg.nrrd")]
    (warning,) = [one for one in outcome.warnings if "a_seg.nrrd is there already" in one]
    assert str(folder / "a.nrrd") in warning
    assert "Choose another folder for the results" in warning
    assert (tmp_path / "out" / "a_seg.nrrd").read_bytes() == manual


def test_a_result_that_somebody_corrected_survives_another_model(segment, tmp_path, model, volume):
    segment()
    corrected = volume(tmp_path / "out" / "b_seg.nrrd", seed=3).read_bytes()
    shutil.copy(model, tmp_path / "other.safetensors")
    assert segment(tmp_path / "other.safetensors") == (1, 0)
    assert (tmp_path / "out" / "b_seg.nrrd").read_bytes() == corrected


def test_volumes_of_one_name_in_two_folders_do_not_replace_each_others_labels(model, tmp_path, pclseg, volume):
    for place in ("one", "two"):
        volume(tmp_path / place / "T2.nrrd", seed=len(place) + ord(place[0]))
    words = ("--out", tmp_path / "out", "--log", tmp_path / "out" / "log.jsonl")
    assert pclseg("segment", model, tmp_path / "one", *words).done()["segmented"] == 1
    first = (tmp_path / "out" / "T2_seg.nrrd").read_bytes()
    assert pclseg("segment", model, tmp_path / "two", *words).done()["kept"] == [str(tmp_path / "out" / "T2_seg.nrrd")]
    assert (tmp_path / "out" / "T2_seg.nrrd").read_bytes() == first
    assert pclseg("segment", model, tmp_path / "one", *words).done()["done_before"] == 1


def test_without_a_log_label_files_are_replaced_on_request_only(model, folder, tmp_path, pclseg, volume):
    manual = volume(tmp_path / "out" / "a_seg.nrrd", seed=3).read_bytes()
    one = ("segment", model, folder / "a.nrrd", "--out", tmp_path / "out")
    pclseg(*one).refusal("a_seg.nrrd is there already")
    pclseg("segment", model, folder, "--out", tmp_path / "out", "--strict").refusal("a_seg.nrrd is there already")
    assert pclseg("segment", model, folder, "--out", tmp_path / "out").done()["segmented"] == 1
    assert (tmp_path / "out" / "a_seg.nrrd").read_bytes() == manual
    assert pclseg(*one, "--overwrite").done()["segmented"] == 1
    assert (tmp_path / "out" / "a_seg.nrrd").read_bytes() != manual


def test_results_are_replaced_without_a_word_until_somebody_changes_a_voxel(model, folder, tmp_path, pclseg):
    words = ("segment", model, folder, "--out", tmp_path / "out")
    assert pclseg(*words).done()["segmented"] == 2
    assert pclseg(*words, "--strict").done()["segmented"] == 2
    path = str(tmp_path / "out" / "a_seg.nrrd")
    labels = SimpleITK.ReadImage(path)
    labels[0, 0, 0] = 0 if labels[0, 0, 0] else 1
    SimpleITK.WriteImage(labels, path)  # the header's notes stay as they were
    summary = pclseg(*words).done()
    assert (summary["segmented"], summary["kept"]) == (1, [path])
    assert SimpleITK.ReadImage(path)[0, 0, 0] == labels[0, 0, 0]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="an administrator may write anywhere")
def test_a_log_that_cannot_be_written_is_refused_in_words(model, folder, tmp_path, pclseg):
    (tmp_path / "shut").mkdir(mode=0o500)
    words = ("segment", model, folder, "--out", tmp_path / "out", "--log", tmp_path / "shut" / "log.jsonl")
    pclseg(*words).refusal("shut")
