"""PCL: slices at close relative positions are positives, within a volume and across volumes."""

from __future__ import annotations

from torch import Tensor

from pcl_core.pretext.contrastive_task import ContrastiveTask
from pcl_core.pretext.positives import closer_than
from pcl_core.slices.batch import SliceBatch


class PCL(ContrastiveTask):
    """Positional contrastive learning (Zeng et al. 2021, section 3.2 and Eq. 2).

    For a view i of a mini-batch of 2N, with z its embedding of D values, s the cosine similarity and tau the temperature,

        L_i = - 1/|P(i)| sum_{j in P(i)} log( exp(s_ij / tau) / sum_{k != i} exp(s_ik / tau) ),

    P(i) = {j != i : |position(j) - position(i)| < t}, position = (m + 1) / n of slice m, from 0, of n. The loss is the mean
    over the 2N views. The other view of the own slice is always in P(i).

    Deviations: the mean over the anchors in place of Eq. 1's sum, and no factor tau / 0.07 (which the published code has);
    positions are compared as whole numbers.

    Attributes:
        threshold: t; slices whose positions differ by less are positives.
    """

    name = "pcl"

    def __init__(self, width: int, projection: int, temperature: float, threshold: float) -> None:
        super().__init__(width, projection, temperature)
        self.threshold = threshold

    def pairs(self, batch: SliceBatch) -> Tensor:
        """(N, N): slices whose positions differ by less than the threshold; from ``batch.index`` and ``batch.count`` (N,)."""
        return closer_than(batch.index, batch.count, self.threshold)
