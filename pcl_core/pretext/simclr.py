"""SimCLR: the only positive of a view is the other view of its slice."""

from __future__ import annotations

import torch
from torch import Tensor

from pcl_core.pretext.contrastive_task import ContrastiveTask
from pcl_core.slices.batch import SliceBatch


class SimCLR(ContrastiveTask):
    """NT-Xent of Chen et al. 2020 (their Eq. 1), as Zeng et al. compare it: the same network, head and views as PCL.

    For a view i of 2N, and i' the other view of its slice,

        L_i = - log( exp(s_ii' / tau) / sum_{k != i} exp(s_ik / tau) ),

    with the cosine similarity s of embeddings (2N, D); the loss is the mean over the views. It is Eq. 2 of Zeng et al. with
    P(i) = {i'}.

    Deviations from Chen et al.: SGD in place of LARS, no colour distortion, the head of Zeng et al. (512 outputs).
    """

    name = "simclr"

    def pairs(self, batch: SliceBatch) -> Tensor:
        """(N, N): no two slices are positives."""
        return torch.zeros(len(batch.index), len(batch.index), dtype=torch.bool, device=batch.index.device)
