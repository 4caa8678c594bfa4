"""The first use, before anything is installed: one question, and what still works without."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from Testing.PCLLib.wheels import make_python, make_wheel

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the interpreters of these tests are made of links")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def first_use(bench, tmp_path, stacks, volume, monkeypatch):
    """A new panel on a Slicer that has what it brings, NumPy and SimpleITK, and nothing else."""
    from Testing.PCLPretrain.conftest import Page

    volume(stacks / "case3.nii.gz", seed=3, shape=(8, 32, 32))
    page = Page(bench)
    bench.wait_until(lambda: page.session.graphics.devices, 60)
    bench.python_slicer(make_python(tmp_path / "python", ["numpy", "SimpleITK"]))
    page.session.installer.look_again()
    monkeypatch.setattr(page.session.graphics, "devices", None)
    page.session.tell(None)
    yield page
    page.session.clear()
    bench.wait_until(lambda: not page.session.jobs.busy, 60)
    bench.python_slicer(Path(sys.executable))
    page.session.installer.look_again()


@pytest.fixture
def wheels(tmp_path):
    """Wheels with the names and versions of what is needed."""
    for line in (ROOT / "PCLLib" / "Resources" / "requirements.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, _, version = line.partition(">=")
            make_wheel(tmp_path / "wheels", name, version)
    return tmp_path / "wheels"


def test_one_question_says_what_and_how_much(first_use, stacks):
    first_use.bench.answer("Not now")
    first_use.open(stacks)
    (asked,) = first_use.bench.dialogs
    assert "5 Python packages" in asked.text
    for name in ("torch", "nibabel", "scikit-image", "scipy", "safetensors"):
        assert name in asked.text
    assert "GB" in asked.text
    assert asked.buttons == ("Install", "From a folder ...", "Not now")


def test_the_self_test_passes_where_nobody_answers_questions(first_use, slicer):
    """As Slicer's dashboards run it: --testing, and nothing installed."""
    from PCLLib.self_test import PretrainSelfTest

    slicer.app.commandOptions().testingEnabled = True
    try:
        PretrainSelfTest(first_use.panel).run()
    finally:
        slicer.app.commandOptions().testingEnabled = False
    assert first_use.bench.dialogs == []
    assert first_use.state == "READY"


def test_after_a_refusal_the_folder_can_still_be_looked_at(first_use, stacks):
    first_use.bench.answer("Not now")
    assert first_use.open(stacks) == "READY"
    rows = first_use.rows()
    assert [row[2] for row in rows[:3]] == ["Good"] * 3
    assert "nibabel, which is not installed" in rows[3][2]
    assert "Python packages are missing" in first_use.message
    assert first_use.offers() == ["Install packages ..."]
    assert "not known before PyTorch" in first_use.ui.deviceLabel.text
    first_use.bench.click(first_use.ui.scanButton)
    first_use.wait("READY")
    assert len(first_use.bench.dialogs) == 1, "it asks once"


def test_starting_asks_again_since_it_is_needed(first_use, stacks):
    first_use.bench.answer("Not now")
    first_use.open(stacks)
    first_use.bench.answer("Not now")
    first_use.bench.click(first_use.ui.startButton)
    first_use.bench.wait_until(lambda: len(first_use.bench.dialogs) == 2)
    first_use.bench.host.process_events()
    assert first_use.state == "READY"
    assert first_use.offers() == ["Install packages ..."]


def test_installing_from_a_folder_of_wheels_goes_on_by_itself(first_use, stacks, wheels):
    first_use.bench.answer("From a folder ...")
    first_use.bench.answer_file(wheels)
    first_use.type_folder(stacks)
    first_use.bench.wait_until(lambda: not first_use.session.installer.needed, 60)
    first_use.wait("READY", "NOTHING_USABLE")
    assert first_use.offers() == []


@pytest.mark.parametrize(("module", "way"), [(True, "Open the module PyTorch Utils"), (False, "pip_uninstall('torch')")])
def test_packages_that_are_damaged_are_told_with_the_way_to_mend_them(
    first_use, stacks, wheels, slicer, monkeypatch, module, way
):
    """As after an installation that was broken off: pip is content, and PyTorch cannot load what belongs to it."""
    (wheel,) = wheels.glob("torch-*.whl")
    make_wheel(wheels, "torch", wheel.name.split("-")[1], source="import torchgen\n")
    if module:
        monkeypatch.setattr(slicer.modules, "pytorchutils", object(), raising=False)
    first_use.bench.answer("From a folder ...")
    first_use.bench.answer_file(wheels)
    (stacks / "case3.nii.gz").unlink()
    first_use.type_folder(stacks)
    first_use.bench.wait_until(lambda: "files are damaged" in first_use.message, 60)
    assert "package torch was installed" in first_use.message
    assert way in first_use.message
    assert first_use.offers() == []


def test_an_installation_that_fails_shows_pips_last_lines_and_offers_another_try(first_use, stacks, tmp_path):
    (tmp_path / "empty").mkdir()
    first_use.bench.answer("From a folder ...")
    first_use.bench.answer_file(tmp_path / "empty")
    first_use.bench.answer("OK")
    first_use.type_folder(stacks)
    first_use.bench.wait_until(lambda: "pip said" in first_use.message, 60)
    assert "No matching distribution found for" in first_use.message
    assert str(tmp_path / "empty") in first_use.message
    assert first_use.offers() == ["Install packages ..."]
    assert first_use.state == "NO_FOLDER"
    assert "No matching distribution" in first_use.ui.logTextEdit.plainText


def test_no_folder_of_wheels_is_no_answer_and_the_volumes_are_looked_at(first_use, stacks):
    first_use.bench.answer("From a folder ...")
    first_use.bench.answer("Cancel")
    assert first_use.open(stacks) == "READY"
    assert first_use.offers() == ["Install packages ..."]
