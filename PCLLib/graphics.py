"""Which graphics card there is and whether it will be used: asked of the driver, and of PyTorch when that is installed."""

from __future__ import annotations

from PCLLib import gpu
from PCLLib.events import Done, Failed, Last
from PCLLib.installer import Installer
from PCLLib.job_group import JobGroup, Work
from PCLLib.signals import Signal

_DEVICES = "devices"


class Graphics:
    """What is known of the graphics cards.

    Signals:
        changed: something is known that was not.

    Args:
        jobs: run the engine.
        installer: knows whether PyTorch is there.
    """

    def __init__(self, jobs: JobGroup, installer: Installer) -> None:
        self.changed = Signal[[]]()
        self.devices: gpu.DeviceReport | None = None
        self.cards: tuple[gpu.Gpu, ...] = ()
        self._jobs, self._installer = jobs, installer
        self._driver = gpu.Driver()
        self._driver.answered.connect(self._cards_known)

    def sentence(self, chosen: str) -> str:
        """Which graphics card there is and whether it will be used; ``chosen`` is auto, cpu or cuda."""
        return gpu.sentence(self.devices, self.cards, chosen, self._installer.torch_installed)

    def look(self) -> None:
        """Asks the driver and, when it is installed, PyTorch."""
        self._driver.ask()
        if self._installer.torch_installed and self.devices is None and _DEVICES not in self._jobs:
            self._jobs.run(_DEVICES, Work(["devices"], self._devices_known))

    def _devices_known(self, last: Last) -> None:
        if isinstance(last, Done):
            self.devices = gpu.DeviceReport.from_summary(last.summary)
        elif isinstance(last, Failed):
            self.devices = gpu.DeviceReport.unknown(last.message)
        self.changed.emit()

    def _cards_known(self, cards: tuple[gpu.Gpu, ...]) -> None:
        self.cards = cards
        self.changed.emit()
