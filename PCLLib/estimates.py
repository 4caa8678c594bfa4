"""What a pretraining will take, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slicer.i18n import tr as _

from PCLLib import words


@dataclass(frozen=True)
class Estimate:
    """What ``pretrain --estimate`` found.

    Attributes:
        steps: of the training.
        seconds: of all of it.
        memory_bytes: of the GPU or of the process; None where the system does not tell.
        disk_bytes: of the prepared slices.
        device: where, in words.
    """

    steps: int
    seconds: float
    memory_bytes: int | None
    disk_bytes: int
    device: str

    @classmethod
    def from_summary(cls, summary: Mapping[str, Any]) -> Estimate:
        """Reads the summary of the ``done`` event."""
        return cls(
            steps=summary["steps"],
            seconds=summary["seconds"],
            memory_bytes=summary["memory_bytes"],
            disk_bytes=summary["bank_bytes"],
            device=summary["device"],
        )

    def sentence(self) -> str:
        """For the panel."""
        where = _("on the processor") if self.device.startswith("cpu") else _("on {device}").format(device=self.device)
        parts = [_("About {time} {where}").format(time=words.duration(self.seconds), where=where)]
        if self.memory_bytes:
            parts.append(_("{size} of memory").format(size=words.size(self.memory_bytes)))
        parts.append(_("{size} of disk space").format(size=words.size(self.disk_bytes)))
        return ", ".join(parts) + "."
