"""What a person set for a fine-tuning, and the words of the command line that say it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Begin = Literal["nothing", "encoder", "model"]


@dataclass(frozen=True)
class FinetuneSettings:
    """Settings of a fine-tuning.

    Attributes:
        begin: what the weights begin with: random ones, an encoder, or an earlier model.
        encoder: the file of the encoder.
        model: the file of the earlier model.
        out: folder below which a folder for the new model is made.
        left_out: keys of annotated cases that are not learned from.
        minutes: that it may take; 0 follows the proposal.
        leave_one_out: whether Dice is told on every case.
        compare: whether the same is done without the encoder.
        device: auto, cpu or cuda.
    """

    begin: Begin
    encoder: Path
    model: Path
    out: Path
    left_out: frozenset[str]
    minutes: int
    leave_one_out: bool
    compare: bool
    device: str

    @property
    def compares(self) -> bool:
        """Whether there is something to compare with."""
        return self.compare and self.begin == "encoder"

    def begin_words(self) -> list[object]:
        """The options for the weights to begin with."""
        return {"nothing": [], "encoder": ["--encoder", self.encoder], "model": ["--model", self.model]}[self.begin]


def next_folder(out: Path) -> Path:
    """The folder of the next model, ``model_01`` and so on: no earlier model is ever overwritten."""
    number = 1
    while (out / f"model_{number:02d}").exists():
        number += 1
    return out / f"model_{number:02d}"
