"""GCL: slices in the same quarter of their volumes are positives."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pcl_core.pretext.contrastive_task import ContrastiveTask
from pcl_core.pretext.positives import same_partition, two_views
from pcl_core.slices.batch import SliceBatch


class GCL(ContrastiveTask):
    """The global contrastive loss of Chaitanya et al. 2020 as Zeng et al. 2021 compare it: Eq. 2 with quarters as positives.

        L_i = - 1/|P(i)| sum_{j in P(i)} log( exp(s_ij / tau) / sum_{k != i} exp(s_ik / tau) ),

    for a view i of 2N with embeddings (2N, D), where P(i) are the other views in the same quarter of any volume: the quarter of
    slice m, from 0, of n is ceil(4 (m + 1) / n).

    Deviations. From Chaitanya et al.: the members of an anchor's own quarter stay in the denominator, and slices are drawn
    freely; GCLGD is their own definition. From the code of Zeng et al.: there the quarter is m // round(n / 4), at most 3,
    which divides ten slices into 3, 3, 3 and 1, and six into 2, 2, 2 and none.
    """

    name = "gcl"

    def pairs(self, batch: SliceBatch) -> Tensor:
        """(N, N): slices in the same quarter, from ``batch.index`` and ``batch.count`` (N,)."""
        return same_partition(batch.index, batch.count)


class GCLGD(ContrastiveTask):
    """G^D of Chaitanya et al. 2020 (their section 3.1): one slice a quarter of each volume, quarters as classes.

    For anchor i and a positive j (the same quarter, of any volume and view),

        l_ij = - log( exp(s_ij / tau) / (exp(s_ij / tau) + sum_{k in other quarters} exp(s_ik / tau)) ),

    so the other members of the quarter are in nobody's denominator. The loss is the mean over positives and anchors.

    Deviations: network, head and views are those of Zeng et al., so that the methods differ in the loss alone; volumes are gone
    through in shuffled rounds, so that one is in a batch twice where less than half a batch was left of the round before.
    """

    name = "gcl-gd"
    sampling = "partitions"

    def pairs(self, batch: SliceBatch) -> Tensor:
        """Slices in the same quarter."""
        return same_partition(batch.index, batch.count)

    def score(self, embeddings: Tensor, batch: SliceBatch) -> Tensor:
        """The mean of l_ij over the positives of an anchor, then over the 2N anchors."""
        positive = two_views(self.pairs(batch)) > 0
        itself = torch.eye(len(positive), dtype=torch.bool, device=positive.device)
        unit = functional.normalize(embeddings.float(), dim=1)
        logits = unit @ unit.T / self.temperature
        # An anchor without any other quarter in the batch has nothing to be told apart from: its loss is 0.
        others = logits.masked_fill(positive | itself, -torch.inf).logsumexp(dim=1, keepdim=True)
        each = functional.softplus(others - logits).masked_fill(~positive, 0)
        return (each.sum(dim=1) / positive.sum(dim=1)).mean()

    def collapse(self, loss: float, batch: SliceBatch) -> float:
        """1 when all embeddings are the same, which gives the mean of ln(1 + number of views in other quarters)."""
        positive = two_views(self.pairs(batch)) > 0
        others = len(positive) - 1 - positive.sum(dim=1)
        ceiling = float(torch.log1p(others.double()).mean())
        return loss / ceiling if ceiling > 0 else 1.0
