"""From a click to the encoder file: what is asked before, what ends it, what is told after."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from Testing.PCLPretrain.conftest import long_test


def test_a_click_leads_to_an_encoder(estimates, page, stacks, out, qt):
    from PCLLib.handover import ATTRIBUTE

    page.small(epochs=4)
    page.open(stacks)
    page.ui.scanTable.item(0, 0).setCheckState(qt.Qt.Unchecked)
    page.bench.click(page.ui.startButton)
    page.wait("RUNNING")
    assert page.ui.startButton.text == "Cancel"
    assert not page.ui.folderPathLineEdit.enabled
    assert not page.ui.scanTable.enabled
    assert page.ui.progressBar.visible
    assert page.wait("DONE", "FAILED") == "DONE", page.message
    encoder = out / "encoder.safetensors"
    assert encoder.is_file()
    text = page.ui.resultLabel.text
    assert "2 volumes with 16 slices: 16 steps" in text
    assert str(encoder) in text
    assert "Loss: " in text
    assert page.panel.plot.points == 16
    assert page.parameters.encoder == str(encoder)
    assert page.parameters.parameterNode.GetAttribute(ATTRIBUTE) == str(encoder)
    assert page.ui.startButton.text == "Start pretraining"
    assert not page.ui.progressBar.visible


@long_test
def test_positions_are_learned_and_positives_weighted_as_chosen(page, stacks, out):
    page.small(epochs=1)
    page.open(stacks)
    page.bench.click(page.ui.advancedButton)
    page.bench.choose(page.ui.positionComboBox, "Learned from images")
    page.bench.choose(page.ui.weightingComboBox, "Weighted by distance")
    page.bench.click(page.ui.advancedButton)
    page.bench.click(page.ui.startButton)
    assert page.wait("DONE", "FAILED") == "DONE", page.message
    pretrain = json.loads((out / "plan.json").read_text())["pretrain"]
    assert (pretrain["position"], pretrain["weighting"]) == ("learned", "soft")


@long_test
def test_the_encoder_is_handed_over_only_where_somebody_takes_it(page, stacks, slicer, monkeypatch):
    page.small(epochs=1)
    page.open(stacks)
    page.bench.click(page.ui.startButton)
    assert page.wait("DONE", "FAILED") == "DONE", page.message
    assert not page.ui.useButton.enabled
    assert "not there" in page.ui.useButton.toolTip
    monkeypatch.setattr(slicer.modules, "pclsegmentation", object(), raising=False)
    chosen = []
    monkeypatch.setattr(slicer.util, "selectModule", chosen.append)
    page.panel.render()
    page.bench.click(page.ui.useButton)
    assert chosen == ["PCLSegmentation"]


def test_an_encoder_is_never_replaced_without_a_question(ready, out):
    out.mkdir()
    (out / "encoder.safetensors").write_bytes(b"precious")
    ready.bench.answer("Cancel")
    ready.bench.click(ready.ui.startButton)
    ready.bench.wait_until(lambda: ready.bench.dialogs)
    assert str(out / "encoder.safetensors") in ready.bench.dialogs[0].text
    ready.bench.host.process_events()
    assert ready.state == "READY"
    assert (out / "encoder.safetensors").read_bytes() == b"precious"


@long_test
def test_an_encoder_is_replaced_when_a_person_says_so(ready, out):
    ready.parameters.epochs = 1
    out.mkdir()
    (out / "encoder.safetensors").write_bytes(b"old")
    ready.bench.answer("Replace")
    ready.bench.click(ready.ui.startButton)
    assert ready.wait("DONE", "FAILED") == "DONE", ready.message
    assert (out / "encoder.safetensors").read_bytes() != b"old"


def test_an_output_that_is_a_file_is_told_with_what_to_do(ready, out):
    out.write_text("a file")
    ready.bench.click(ready.ui.startButton)
    assert ready.wait("FAILED") == "FAILED"
    assert str(out) in ready.message
    assert "Choose an output folder" in ready.message
    assert out.read_text() == "a file"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="an administrator may write anywhere")
def test_an_output_that_cannot_be_written_is_told_with_what_to_do(ready, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    ready.bench.type_text(ready.ui.outPathLineEdit, str(tmp_path / "locked" / "out"))
    ready.bench.wait_until(lambda: ready.parameters.out.endswith("out"))
    ready.bench.click(ready.ui.startButton)
    assert ready.wait("FAILED") == "FAILED"
    assert "Choose an output folder" in ready.message


def test_volumes_that_vanish_before_the_start_are_told_by_the_engine(ready, stacks):
    for path in stacks.iterdir():
        path.unlink()
    ready.bench.click(ready.ui.startButton)
    assert ready.wait("FAILED") == "FAILED"
    assert "There are no volumes" in ready.message


# Python with so many MiB more than itself and the libraries take: "-m pcl_core WORDS" as PythonSlicer gets them.
_LITTLE_MEMORY = """
import resource, sys
import SimpleITK, torch  # the former is loaded with the first file, which is too late here
from pcl_core.cli import main
import pcl_core.commands.pretrain
torch.ones(64, 64) @ torch.ones(64, 64)
torch.optim.SGD([torch.nn.Parameter(torch.ones(1))])
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + 300 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
raise SystemExit(main(sys.argv[3:]))
"""


@long_test
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="this system has no /proc")
def test_want_of_memory_offers_the_next_smaller_setting_and_takes_it(page, volume, tmp_path, monkeypatch):
    for seed in range(2):
        volume(tmp_path / "volumes" / f"case{seed}.nrrd", seed=seed, shape=(24, 128, 128))
    page.small(epochs=1, batch=48, resolution=0.5)
    page.open(tmp_path / "volumes")
    script = tmp_path / "little_memory.py"
    script.write_text(_LITTLE_MEMORY)
    program = tmp_path / "little_memory"
    program.write_text(f'#!/bin/sh\nOMP_NUM_THREADS=1 exec "{sys.executable}" "{script}" "$@"\n')
    program.chmod(0o755)
    page.bench.python_slicer(program)
    page.bench.click(page.ui.startButton)
    assert page.wait("FAILED", "DONE", seconds=120) == "FAILED"
    assert "memory" in page.message
    assert page.offers() == ["Start again with a batch of 24"]
    page.bench.python_slicer(Path(sys.executable))
    page.bench.click(page.ui.firstOfferButton)
    page.wait("RUNNING")
    assert page.parameters.batch == 24
    assert page.ui.batchSpinBox.value == 24


@long_test
def test_a_smaller_setting_asks_before_an_encoder_of_another_folder_is_lost(ready, tmp_path):
    """The offer of a run that ended for want of memory, taken after another output folder was chosen."""
    finished = tmp_path / "finished" / "encoder.safetensors"
    finished.parent.mkdir()
    finished.write_bytes(b"weeks of work")
    ready.parameters.epochs = 1
    ready.bench.click(ready.ui.startButton)
    ready.wait("DONE")
    ready.parameters.out = str(finished.parent)
    ready.bench.answer("Cancel")
    ready.session._start_smaller({"batch": 2})
    ready.bench.wait_until(lambda: ready.bench.dialogs)
    assert "Replace the encoder?" in ready.bench.dialogs[0].title or "already" in ready.bench.dialogs[0].text
    assert ready.state != "RUNNING"
    assert finished.read_bytes() == b"weeks of work"


@long_test
def test_an_encoder_that_tells_no_slice_from_another_is_no_success(page, volume, tmp_path):
    for seed in range(2):
        path = volume(tmp_path / "volumes" / f"case{seed}.nrrd", seed=seed, shape=(8, 32, 32))
        assert path.exists()
    page.small(epochs=1)
    page.parameters.method = type(page.parameters.method).PIRL
    page.open(tmp_path / "volumes")
    page.bench.click(page.ui.startButton)
    page.wait("DONE", "FAILED")
    assert "has learned nothing" in page.message
    assert "learning rate" not in page.message
