"""What the pretraining loop asks of a pretext task: a loss on a batch of slices, and how near it is to knowing nothing."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from pcl_core.networks.blocks import initialise
from pcl_core.networks.unet import Encoder
from pcl_core.slices.augmentation import Augmenter
from pcl_core.slices.batch import SliceBatch


class Forward(Protocol):
    """Runs images through an encoder and a head in the precision of the run."""

    def __call__(self, images: Tensor, head: nn.Module, encoder: Encoder | None = None) -> Tensor:
        """The head's outputs on the bottleneck features of images (B, 1, S, S), as 32-bit floats.

        Args:
            images: to encode; their sides are multiples of 16.
            head: takes features (B, 16f, S/16, S/16).
            encoder: another one than the one that is trained (a momentum encoder).
        """


class PretextTask(nn.Module, ABC):
    """One self-supervised objective, with its heads and whatever it remembers.

    Heads are parameters and are trained with the encoder; memory banks and queues are buffers. Both travel in checkpoints,
    so that a resumed run is an unbroken run.

    Attributes:
        name: of the method.
        sampling: how batches are drawn: all slices shuffled, or one slice a quarter of each volume.
    """

    name: str
    sampling: Literal["slices", "partitions"] = "slices"

    @abstractmethod
    def loss(self, forward: Forward, batch: SliceBatch, augment: Augmenter, generator: torch.Generator) -> Tensor:
        """A scalar to be minimised.

        Args:
            forward: runs images through the encoder and a head.
            batch: N slices.
            augment: makes random views.
            generator: of this step, on the CPU.
        """

    @abstractmethod
    def collapse(self, loss: float, batch: SliceBatch) -> float:
        """How near ``loss`` is to that of an encoder that tells nothing apart: 1 is collapsed, 0 the best that can be had."""

    def initialise(self, generator: torch.Generator) -> None:
        """Draws the first weights of the heads."""
        initialise(self, generator)

    def after_step(self, encoder: Encoder) -> None:
        """Is called when the weights have changed: memories are brought up to date here."""
