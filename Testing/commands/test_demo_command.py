"""The demo: everything at once, on volumes of its own or on a folder of labelled ones."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pcl_core.demo import run
from pcl_core.demo.hearts import write_hearts
from pcl_core.events import Reporter
from pcl_core.volumes.writing import write_volume


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo of few steps."""
    monkeypatch.setattr(run, "PRETRAINING_STEPS", 3)
    monkeypatch.setattr(run, "FINETUNING_STEPS", 3)


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six labelled hearts, of which a demo leaves two unseen. Read only."""
    folder = tmp_path_factory.mktemp("six")
    write_hearts(folder, 6, 1, Reporter())
    return folder


@pytest.mark.slow
@pytest.mark.ci_slow
def test_a_demo_on_a_folder_writes_a_report_and_its_figures(short, six, tmp_path, pclseg, leftovers):
    outcome = pclseg("demo", "--data", six, "--out", tmp_path / "out")
    summary = outcome.done()
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert set(results) >= {"dice", "seconds"}
    assert set(results["dice"]) == set(summary["dice"]) == {"with pretraining", "without pretraining"}
    assert {"right ventricle", "myocardium", "left ventricle", "mean"} <= set(results["dice"]["with pretraining"])
    report = (tmp_path / "out" / "report.html").read_text()
    assert report.count("<img") + report.count("<svg") >= 2
    assert 'src="http' not in report
    assert summary["report"] == str(tmp_path / "out" / "report.html")
    assert outcome.warnings == [] or all("embeddings" in warning for warning in outcome.warnings)
    assert outcome.stderr == ""
    assert leftovers(tmp_path) == []


@pytest.mark.slow
@pytest.mark.ci_slow
def test_a_demo_skips_files_that_are_no_volumes_and_says_so(short, six, tmp_path, pclseg):
    shutil.copytree(six, tmp_path / "data")
    for k in range(2):
        spoilt = tmp_path / "data" / "imagesTr" / f"heart_{k:03d}_0000.nii.gz"
        spoilt.write_text("scan again")
        (tmp_path / "data" / "imagesTr" / f"more_{k:03d}_0000.nii.gz").write_bytes(
            (six / "imagesTr" / spoilt.name).read_bytes()
        )
        (tmp_path / "data" / "labelsTr" / f"more_{k:03d}.nii.gz").write_bytes(
            (six / "labelsTr" / f"heart_{k:03d}.nii.gz").read_bytes()
        )
    outcome = pclseg("demo", "--data", tmp_path / "data", "--out", tmp_path / "out")
    outcome.done()
    for k in range(2):
        assert sum(f"heart_{k:03d}_0000.nii.gz" in warning for warning in outcome.warnings) == 1


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=(pytest.mark.slow, pytest.mark.ci_slow)) for seed in (1, 2))])
def test_a_demo_with_constant_volumes_reports_the_others(seed, short, six, tmp_path, pclseg):
    shutil.copytree(six, tmp_path / "data")
    division = run.divide(run.find_cases(six / "imagesTr", six / "labelsTr").cases, seed)
    spoilt = (division.unseen[0].source, division.pretraining[-1], division.labelled[0].source)[seed]
    path = tmp_path / "data" / "imagesTr" / spoilt.path.name
    write_volume(path, np.full(spoilt.geometry.shape, 7, np.int16), spoilt.geometry)
    outcome = pclseg("demo", "--data", tmp_path / "data", "--out", tmp_path / "out", "--seed", seed)
    outcome.done()
    assert any(str(path) in warning for warning in outcome.warnings)


def test_too_few_volumes_and_missing_folders_are_refused(hearts, tmp_path, pclseg):
    pclseg("demo", "--data", hearts, "--out", tmp_path / "out").refusal("at least 6", hearts)
    pclseg("demo", "--data", tmp_path / "nowhere", "--out", tmp_path / "out").refusal(tmp_path / "nowhere")


@pytest.mark.slow
@pytest.mark.ci_slow
def test_a_second_demo_with_another_seed_judges_its_own_unseen_volumes_only(short, six, tmp_path, pclseg):
    for seed in (0, 1):
        pclseg("demo", "--data", six, "--out", tmp_path / "out", "--seed", seed).done()
    division = run.divide(run.find_cases(six / "imagesTr", six / "labelsTr").cases, 1)
    labels = {path.name for path in (tmp_path / "out" / "with" / "labels").iterdir()}
    assert labels == {f"{case.id}_seg.nrrd" for case in division.unseen}
