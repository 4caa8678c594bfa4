"""Which GPU there is, how much memory it has, whether it will be used, and why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import qt
from slicer.i18n import tr as _

from PCLLib import words
from PCLLib.signals import Signal

_QUERY = ("--query-gpu=name,memory.total", "--format=csv,noheader,nounits")


@dataclass(frozen=True)
class Gpu:
    """One graphics card: its name, and its memory in bytes."""

    name: str
    memory_bytes: int


@dataclass(frozen=True)
class DeviceReport:
    """What the engine's ``devices`` found.

    Attributes:
        gpus: that PyTorch can use.
        used: the device that is used unless another is chosen.
        reason: why no GPU is used, in words.
    """

    gpus: tuple[Gpu, ...]
    used: str
    reason: str

    @classmethod
    def from_summary(cls, summary: Mapping[str, Any]) -> DeviceReport:
        """Reads the summary of the ``done`` event."""
        gpus = tuple(Gpu(row["name"], row["memory_bytes"]) for row in summary["devices"] if row["device"] != "cpu")
        return cls(gpus, summary["used"], summary["reason"])

    @classmethod
    def unknown(cls, why: str) -> DeviceReport:
        """When PyTorch could not be asked."""
        return cls((), "", _("No graphics card could be looked for: {reason}").format(reason=why))


class Driver:
    """Asks the driver of NVIDIA for the cards of the machine, whether PyTorch can use them or is there at all.

    Signals:
        answered: the cards; none when there is no driver.
    """

    def __init__(self, program: str = "nvidia-smi") -> None:
        self.answered = Signal[[tuple[Gpu, ...]]]()
        self._program = program
        self._process = qt.QProcess()
        self._process.finished.connect(self._finished)

    def ask(self) -> None:
        """Starts to ask and returns at once; without a driver nothing ever comes."""
        if self._process.state() == qt.QProcess.NotRunning:
            self._process.start(self._program, list(_QUERY))

    def _finished(self, *_arguments: object) -> None:
        self.answered.emit(cards_in(bytes(self._process.readAllStandardOutput().data()).decode("utf-8", "replace")))


def cards_in(text: str) -> tuple[Gpu, ...]:
    """The cards in lines such as ``NVIDIA H100, 81559`` (memory in MiB); other lines are skipped."""
    rows = (line.rpartition(",") for line in text.splitlines())
    return tuple(Gpu(name.strip(), int(memory) * 2**20) for name, _comma, memory in rows if name and memory.strip().isdigit())


def sentence(report: DeviceReport | None, cards: tuple[Gpu, ...], chosen: str, torch_installed: bool) -> str:
    """What a panel shows at all times.

    Args:
        report: what PyTorch can use; None before it was asked.
        cards: what the driver knows.
        chosen: the device that the person asked for: auto, cpu or cuda.
        torch_installed: whether PyTorch is there.
    """
    known = report.gpus if report and report.gpus else cards
    named = "; ".join(_("{name}, {size}").format(name=gpu.name, size=words.size(gpu.memory_bytes)) for gpu in known)
    if not torch_installed:
        if named:
            return _("Graphics card: {named}. Whether it can be used is known when PyTorch is installed.").format(named=named)
        return _("Graphics card: not known before PyTorch is installed.")
    if report is None:
        return _("Graphics card: being looked for ...")
    if not report.gpus:
        return _("Graphics card: {named}. {reason}").format(named=named, reason=report.reason) if named else report.reason
    if chosen == "cpu":
        return _("Graphics card: {named}. It is not used, because the processor is chosen under Advanced.").format(named=named)
    return _("Graphics card: {named}. It will be used.").format(named=named)
