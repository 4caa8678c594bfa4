"""What a pretraining ended with, and how far a running one is, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from PCLLib import words
from PCLLib.events import Progress


@dataclass(frozen=True)
class Result:
    """The summary of a finished pretraining.

    Attributes:
        encoder: the weight file.
        volumes: that were learned from.
        skipped: that could not be used.
        slices: of all volumes.
        steps: of the training.
        first_loss: at the first report; None when nothing was reported.
        last_loss: at the end; None when nothing was reported.
        seconds: that it took.
        collapsed: whether all embeddings are the same, so that nothing was learned.
    """

    encoder: Path
    volumes: int
    skipped: int
    slices: int
    steps: int
    first_loss: float | None
    last_loss: float | None
    seconds: float
    collapsed: bool = False

    @classmethod
    def from_summary(cls, summary: Mapping[str, Any], first_loss: float | None, seconds: float) -> Result:
        """Reads the summary of the ``done`` event."""
        return cls(
            encoder=Path(summary["encoder"]),
            volumes=summary["volumes"],
            skipped=summary["skipped"],
            slices=summary["slices"],
            steps=summary["steps"],
            first_loss=first_loss,
            last_loss=summary["loss"],
            seconds=seconds,
            collapsed=bool(summary.get("collapsed")),
        )

    def sentence(self) -> str:
        """For the panel."""
        learned = words.counted(self.volumes, _("{n} volume"), _("{n} volumes"))
        lines = [
            _("The encoder has learned from {volumes} with {slices} slices: {steps} steps in {time}.").format(
                volumes=learned, slices=self.slices, steps=self.steps, time=words.duration(self.seconds)
            )
        ]
        if self.skipped:
            left_out = words.counted(self.skipped, _("{n} file was left out."), _("{n} files were left out."))
            lines.append(left_out)
        if self.first_loss is not None and self.last_loss is not None:
            lines.append(_("Loss: {first} at the start, {last} at the end.").format(
                first=f"{self.first_loss:.3g}", last=f"{self.last_loss:.3g}"
            ))  # fmt: skip
        lines.append(_("Saved as {path}").format(path=self.encoder))
        return "\n".join(lines)


def progress_sentence(progress: Progress) -> str:
    """What is being done, how far it is, and how long it will take."""
    stage = {
        "scan": _("Looking at the volumes"),
        "prepare": _("Preparing the volumes"),
        "uncertainty": _("Asking the model"),
        "pretrain": _("Training"),
        "finetune": _("Fine-tuning"),
        "leave one out": _("Leaving each case out in turn"),
        "segment": _("Segmenting"),
        "segment all": _("Segmenting the volumes"),
    }.get(progress.stage, progress.stage)
    text = _("{stage}: {done} of {total}").format(stage=stage, done=progress.done, total=progress.total)
    if progress.eta_s is not None and progress.done < progress.total:
        text += _(", {time} left").format(time=words.duration(progress.eta_s))
    return text
