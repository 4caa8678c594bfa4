"""What SimCLR, GCL and PCL have in common: one loss on two views of each slice. They differ in which slices are positives."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from pcl_core.networks.heads import ProjectionHead
from pcl_core.pretext.contrastive import collapse, contrastive_loss
from pcl_core.pretext.positives import two_views
from pcl_core.pretext.task import Forward, PretextTask
from pcl_core.slices.augmentation import Augmenter
from pcl_core.slices.batch import SliceBatch


class ContrastiveTask(PretextTask):
    """Pulls the embeddings of positives together (Eq. 2 of Zeng et al. 2021).

    All 2N views go through the network in one pass, which is the definition of the mini-batch for BatchNorm.

    Attributes:
        temperature: tau.
        head: the paper's projection head.
    """

    def __init__(self, width: int, projection: int, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature
        self.head = ProjectionHead(width, projection)

    @abstractmethod
    def pairs(self, batch: SliceBatch) -> Tensor:
        """(N, N) booleans, or weights of 0 to 1: which slices are positives of which; a slice with itself does not matter."""

    def views(self, batch: SliceBatch, augment: Augmenter, generator: torch.Generator) -> Tensor:
        """(2N, 1, S, S): the first views of all slices, then the second ones."""
        views, _ = augment(batch.images.repeat(2, 1, 1, 1), generator)
        return views

    def score(self, embeddings: Tensor, batch: SliceBatch) -> Tensor:
        """Mean over the 2N anchors of Eq. 2, from embeddings (2N, D) in the order of the views."""
        return contrastive_loss(embeddings, two_views(self.pairs(batch)), self.temperature)

    def loss(self, forward: Forward, batch: SliceBatch, augment: Augmenter, generator: torch.Generator) -> Tensor:
        """Eq. 2 on two random views of each slice."""
        return self.score(forward(self.views(batch, augment, generator), self.head), batch)

    def collapse(self, loss: float, batch: SliceBatch) -> float:
        """1 when all embeddings are the same, which gives ln(2N - 1)."""
        return collapse(loss, two_views(self.pairs(batch)))
