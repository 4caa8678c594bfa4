"""``segment --log``: a folder is gone on with where it was stopped."""

from __future__ import annotations

import json
import os
import shutil

import pytest


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


def test_a_line_that_a_crash_cut_off_is_done_again(segment, tmp_path):
    segment()
    log = tmp_path / "out" / "log.jsonl"
    log.write_bytes(log.read_bytes()[:-30])
    assert segment() == (1, 1)
    assert segment() == (0, 2)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="an administrator may write anywhere")
def test_a_log_that_cannot_be_written_is_refused_in_words(model, folder, tmp_path, pclseg):
    (tmp_path / "shut").mkdir(mode=0o500)
    words = ("segment", model, folder, "--out", tmp_path / "out", "--log", tmp_path / "shut" / "log.jsonl")
    pclseg(*words).refusal("shut")
