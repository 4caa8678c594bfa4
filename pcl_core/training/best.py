"""The best weights so far, by the held-out case: what a fine-tuning keeps that is cancelled or killed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from pcl_core.training.weights import WeightFile, load_weights, save_weights

FILE = "best.safetensors"


class BestSoFar:
    """A weight file beside the checkpoint, so that it outlives a resumed run's interruptions.

    Args:
        folder: of the checkpoint.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._score = -math.inf

    def begin(self, step: int) -> None:
        """Takes up what is there when a run goes on after ``step`` steps; what other or later steps left is removed."""
        if step and self._path.exists():
            _tensors, about = load_weights(self._path, "unet")
            if about.training["steps"] <= step:
                self._score = about.training.get("held_out_dice", -math.inf)
                return
        self._path.unlink(missing_ok=True)

    def offer(self, score: float, tensors: Mapping[str, Tensor], about: WeightFile) -> None:
        """Keeps weights that are better than all before.

        Args:
            score: mean Dice of the held-out case, 0 to 1.
            tensors: by name.
            about: of the weight file that they would make; ``training["steps"]`` is how many were done.
        """
        if score > self._score:
            self._score = score
            save_weights(self._path, dict(tensors), replace(about, training={**about.training, "held_out_dice": score}))

    def stand_in(self, tensors: Mapping[str, Tensor], about: WeightFile) -> None:
        """Keeps the last weights, where no held-out case chooses: they are the model of a process that is killed."""
        save_weights(self._path, dict(tensors), about)

    def found(self) -> tuple[dict[str, Tensor], WeightFile] | None:
        """The best weights and what is known of them; None before, or without, a look at a held-out case."""
        return load_weights(self._path, "unet") if math.isfinite(self._score) else None
