"""The panel of PCLPretrain in a test's hands."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from Testing.estimates import without_estimates
from Testing.host.driving.processes import family, interpreter_of

LONG = 100000  # epochs that no test waits for


def long_test(test: Any) -> Any:
    """Marks a test that takes its time, which CI runs after the others."""
    return pytest.mark.slow(pytest.mark.ci_slow(test))


class Page:
    """What a person sees and does: real clicks and keys on the real panel, real processes behind it."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        self.widget = bench.load("PCLPretrain")
        self.panel = self.widget.panel
        self.ui = self.panel.ui
        self.session = self.panel.session
        self.parameters = self.widget.logic.getParameterNode()

    @property
    def state(self) -> str:
        return self.session.state.name

    @property
    def message(self) -> str:
        """What the message area says; empty when it is hidden."""
        if not self.ui.messageFrame.visible:
            return ""
        return " ".join(label.text for label in (self.ui.messageLabel, self.ui.hintLabel) if label.visible)

    @property
    def pid(self) -> int:
        """The process of the training."""
        return self.session.jobs.process_id("train")

    def wait(self, *states: str, seconds: float = 60) -> str:
        """Waits until the panel is in one of the states."""
        self.bench.wait_until(lambda: self.state in states, seconds)
        return self.state

    def type_folder(self, folder: Path) -> None:
        self.bench.type_text(self.ui.folderPathLineEdit, str(folder))
        self.bench.wait_until(lambda: self.state != "NO_FOLDER" or self.bench.dialogs)

    def open(self, folder: Path, *states: str) -> str:
        """Types a folder and waits until it was looked at."""
        self.type_folder(folder)
        return self.wait(*(states or ("READY", "NOTHING_USABLE")))

    def small(self, **values: Any) -> None:
        """Settings by which a step is a blink."""
        self.parameters.device = type(self.parameters.device).CPU
        for name, value in {"batch": 4, "resolution": 4.0, **values}.items():
            setattr(self.parameters, name, value)

    def start(self) -> None:
        """Clicks Start and waits for the first progress of the training."""
        self.bench.click(self.ui.startButton)
        self.wait("RUNNING")
        self.bench.wait_until(lambda: "Training" in self.ui.progressLabel.text or self.state != "RUNNING", 60)
        assert self.state == "RUNNING", self.message

    def steps(self, count: int) -> None:
        """Waits until so many steps are done."""
        bar = self.ui.progressBar
        self.bench.wait_until(lambda: "Training" in self.ui.progressLabel.text and bar.value >= count, 60)

    def start_and_cancel(self, steps: int) -> None:
        """Clicks Start, and Cancel after so many steps."""
        self.start()
        self.steps(steps)
        self.bench.click(self.ui.startButton)

    def kill(self) -> None:
        """Ends the training from outside, as the system does when memory runs out."""
        os.kill(interpreter_of(self.pid), signal.SIGKILL)

    def rows(self) -> list[tuple[str, str, str]]:
        """The texts of the table."""
        table = self.ui.scanTable
        return [tuple(table.item(row, column).text() for column in range(3)) for row in range(table.rowCount)]

    def offers(self) -> list[str]:
        """The buttons of the message area."""
        return [button.text for button in (self.ui.firstOfferButton, self.ui.secondOfferButton) if button.visible]


@pytest.fixture
def children() -> Callable[[], set[int]]:
    """The processes that this one started."""
    before = family(os.getpid())
    return lambda: family(os.getpid()) - before


@pytest.fixture
def page(bench: Any, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """The panel, empty; when the test is over nothing runs any more."""
    without_estimates(request, monkeypatch)
    one = Page(bench)
    yield one
    one.session.clear()
    bench.wait_until(lambda: not one.session.jobs.busy, 60)


@pytest.fixture
def stacks(volume: Callable[..., Path], tmp_path: Path) -> Path:
    """A folder of three small volumes."""
    for seed in range(3):
        volume(tmp_path / "volumes" / f"case{seed}.nrrd", seed=seed, shape=(8, 32, 32))
    return tmp_path / "volumes"


@pytest.fixture
def ready(page: Page, stacks: Path) -> Page:
    """The panel with three volumes and settings by which a step is a blink."""
    page.small(epochs=LONG)
    assert page.open(stacks) == "READY"
    return page


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """The folder that is proposed for the encoder of those volumes."""
    return tmp_path / "volumes_pretrained"
