"""SimCLR, GCL and PCL: one loss on two views of each slice, with three rules of which slices are positives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pcl_core.networks.heads import ProjectionHead
from pcl_core.pretext.contrastive import collapse, contrastive_loss
from pcl_core.pretext.positives import closer_than, same_partition, two_views
from pcl_core.slices.augmentation import Augmenter
from pcl_core.slices.batch import SliceBatch

# Pairs (N, N) of slices that are positives, from the slices' numbers and their volumes' lengths.
Pairing = Callable[[SliceBatch], Tensor]


@dataclass(frozen=True)
class ContrastiveTask:
    """A pretext task that pulls the embeddings of positives together (Eq. 2).

    All 2N views go through the network in one pass, which is the definition of the mini-batch for BatchNorm.

    Attributes:
        name: of the method.
        pairing: which slices are positives of which.
        temperature: tau.
        projection: dimensions of the embedding.
    """

    name: str
    pairing: Pairing
    temperature: float
    projection: int

    def make_head(self, width: int) -> nn.Module:
        """The paper's projection head."""
        return ProjectionHead(width, self.projection)

    def views(self, batch: SliceBatch, augment: Augmenter, generator: torch.Generator) -> Tensor:
        """(2N, 1, S, S): the first views of all slices, then the second ones."""
        views, _ = augment(batch.images.repeat(2, 1, 1, 1), generator)
        return views

    def loss(self, outputs: Tensor, batch: SliceBatch) -> Tensor:
        """Mean over the 2N anchors of Eq. 2."""
        return contrastive_loss(outputs, two_views(self.pairing(batch)), self.temperature)

    def collapse(self, loss: float, batch: SliceBatch) -> float:
        """1 when all embeddings are the same."""
        return collapse(loss, two_views(self.pairing(batch)))


def simclr(temperature: float, projection: int) -> ContrastiveTask:
    """SimCLR (Chen et al. 2020): the only positive of a view is the other view of its slice."""
    return ContrastiveTask("simclr", _nobody, temperature, projection)


def gcl(temperature: float, projection: int) -> ContrastiveTask:
    """GCL as Zeng et al. 2021 compare it: positives lie in the same quarter of their volumes.

    Its own authors (Chaitanya et al. 2020) also leave the other members of the quarter out of the denominator and sample
    one slice a quarter; that is not done here.
    """
    return ContrastiveTask("gcl", _same_quarter, temperature, projection)


def pcl(temperature: float, projection: int, threshold: float) -> ContrastiveTask:
    """PCL (Zeng et al. 2021, section 3.2): positives have positions that differ by less than the threshold."""

    def near(batch: SliceBatch) -> Tensor:
        return closer_than(batch.index, batch.count, threshold)

    return ContrastiveTask("pcl", near, temperature, projection)


def _nobody(batch: SliceBatch) -> Tensor:
    return torch.zeros(len(batch.index), len(batch.index), dtype=torch.bool, device=batch.index.device)


def _same_quarter(batch: SliceBatch) -> Tensor:
    return same_partition(batch.index, batch.count)
