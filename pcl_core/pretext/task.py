"""What the pretraining loop asks of a pretext task: which views it wants, and how it scores them."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from pcl_core.slices.augmentation import Augmenter
from pcl_core.slices.batch import SliceBatch


class PretextTask(Protocol):
    """One self-supervised objective. The loop encodes all of its views in one pass."""

    @property
    def name(self) -> str:
        """Of the method."""

    def make_head(self, width: int) -> nn.Module:
        """The head for an encoder whose bottleneck has ``width`` channels."""

    def views(self, batch: SliceBatch, augment: Augmenter, generator: torch.Generator) -> Tensor:
        """(V, 1, S, S): the images that one step encodes."""

    def loss(self, outputs: Tensor, batch: SliceBatch) -> Tensor:
        """A scalar from the head's outputs (V, D) of those views."""

    def collapse(self, loss: float, batch: SliceBatch) -> float:
        """How near ``loss`` is to that of a network that tells nothing apart: 1 is collapsed, 0 the best."""
