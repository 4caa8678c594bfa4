"""Before anything is installed: cases can be annotated, and what needs more asks once."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from Testing.PCLLib.wheels import make_python

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the interpreters of these tests are made of links")


@pytest.fixture
def first_use(page, scans, tmp_path):
    """The panel with annotated cases on a Slicer that has what it brings, NumPy and SimpleITK, and nothing else."""
    page.bench.wait_until(lambda: not page.session.jobs.busy, 60)
    page.bench.python_slicer(make_python(tmp_path / "python", ["numpy", "SimpleITK"]))
    page.session.installer.look_again()
    page.small(tmp_path / "models")
    yield page
    page.bench.python_slicer(Path(sys.executable))
    page.session.installer.look_again()


def test_declining_is_told_and_leaves_the_cases(first_use):
    first_use.bench.answer("Not now")
    first_use.bench.click(first_use.ui.finetuneButton)
    first_use.bench.wait_until(lambda: "Python packages are missing" in first_use.message)
    assert "torch" in first_use.bench.dialogs[0].text
    assert first_use.doing == "IDLE"
    assert first_use.states()["scan0"] == "Annotated"
    assert first_use.ui.firstOfferButton.text == "Install packages ..."


def test_an_empty_panel_offers_what_sample_data_may_lack(page, tmp_path):
    """Sample Data sends people here when SciPy is missing, and there are no cases yet whose work would ask."""
    page.bench.python_slicer(make_python(tmp_path / "python", ["numpy", "SimpleITK"]))
    page.session.installer.look_again()
    page.widget.exit()
    page.widget.enter()
    assert page.ui.firstOfferButton.text == "Install packages ..."
    page.bench.answer("Not now")
    page.bench.click(page.ui.firstOfferButton)
    page.bench.wait_until(lambda: page.bench.dialogs)
    assert "scipy" in page.bench.dialogs[0].text
    page.bench.wait_until(lambda: not page.session.installer.to_be_asked)
    page.session.tell(None)
    page.widget.enter()
    assert page.message == "", "who has said no is not told again"
    page.bench.python_slicer(Path(sys.executable))
    page.session.installer.look_again()


def test_segmenting_asks_too_and_starts_no_process(first_use, model, scans):
    first_use.parameters.model = str(model)
    first_use.show(scans[2])
    first_use.bench.answer("Not now")
    first_use.bench.click(first_use.ui.segmentButton)
    first_use.bench.wait_until(lambda: "Python packages are missing" in first_use.message)
    assert not first_use.session.worker.running
