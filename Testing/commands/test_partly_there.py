"""Data sets of which something is missing: one message lists it by patient; what is there is used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from Testing.data_sets import CINE_FRAMES, WRITERS

SMALL = ("--size", 32, "--resolution", 1.0, "--filters", 4, "--steps", 2, "--batch", 8)
WORDS = "Not all of the data set is there"


@pytest.fixture
def torn(tmp_path: Path) -> Path:
    """ACDC of four patients; the second lacks a label map, the third its cine file, the fourth Info.cfg."""
    folder = WRITERS["acdc"](tmp_path / "data").folder
    (folder / "patient002" / "patient002_frame03_gt.nii.gz").unlink()
    (folder / "patient003" / "patient003_4d.nii.gz").unlink()
    (folder / "patient004" / "Info.cfg").unlink()
    return folder


def told(outcome) -> list[str]:
    outcome.done()
    return [warning for warning in outcome.warnings if WORDS in warning]


def test_scan_lists_all_that_is_missing(torn: Path, tmp_path: Path, pclseg) -> None:
    (line,) = told(pclseg("scan", torn, "--json", tmp_path / "scan.json"))
    assert line == (
        f"{WORDS} (3 patients): patient002: no labels of ES (frame 03); patient003: no 4-D file; patient004: no Info.cfg."
    )
    missing = json.loads((tmp_path / "scan.json").read_text())["missing"]
    assert {gap["patient"] for gap in missing} == {"patient002", "patient003", "patient004"}


def test_pretraining_asks_for_no_labels(torn: Path, tmp_path: Path, pclseg) -> None:
    outcome = pclseg("pretrain", torn, "--out", tmp_path / "out", *SMALL)
    assert told(outcome) == [f"{WORDS} (1 patient): patient003: no 4-D file."]
    assert outcome.done()["volumes"] == 3 * CINE_FRAMES + 2


def test_fine_tuning_uses_the_labels_that_are_there(torn: Path, tmp_path: Path, pclseg) -> None:
    outcome = pclseg("finetune", torn, torn, "--out", tmp_path / "out", "--hold-out", "none", *SMALL)
    (line,) = told(outcome)
    assert "patient002: no labels of ES (frame 03); patient004: no Info.cfg" in line
    assert len(outcome.done()["trained_on"]) == 7


def test_an_experiment_tells_it_too(torn: Path, tmp_path: Path, pclseg) -> None:
    plan = {"slices": {"size": 32}, "network": {"filters": 4}, "finetune": {"steps": 2}}
    config = {
        "name": "torn", "images": "data", "labels": "data", "methods": ["random"], "labelled": [1], "folds": 2,
        "use_folds": [0], "plan": plan,
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    (line,) = told(pclseg("experiment", tmp_path / "config.json", "--out", tmp_path / "out"))
    assert "patient002" in line
    assert "patient004" in line


def test_labels_without_images_are_told_once(tmp_path: Path, pclseg) -> None:
    folder = WRITERS["chd"](tmp_path / "data").folder
    (folder / "ct_1003_image.nii.gz").unlink()
    outcome = pclseg("finetune", folder, folder, "--out", tmp_path / "out", *SMALL)
    assert told(outcome) == [f"{WORDS} (1 patient): ct_1003: no image for ct_1003_label.nii.gz."]
    assert sum("ct_1003" in warning for warning in outcome.warnings) == 1
    assert sum("ct_1003" in warning for warning in pclseg("scan", folder).warnings) == 1


def test_a_data_set_without_any_labels_is_refused_by_patient(tmp_path: Path, pclseg) -> None:
    folder = WRITERS["chd"](tmp_path / "data").folder
    for path in folder.glob("*_label.nii.gz"):
        path.unlink()
    pclseg("finetune", folder, folder, "--out", tmp_path / "out", *SMALL).refusal("ct_1001: no labels", "ct_1004: no labels")
    assert not (tmp_path / "out").exists()
    assert told(pclseg("scan", folder)) == []
    assert told(pclseg("pretrain", folder, "--out", tmp_path / "encoder", *SMALL)) == []
