"""PCL without a threshold: every pair of slices is a positive, the more so the closer their positions are."""

from __future__ import annotations

import math

from torch import Tensor

from pcl_core.pretext.contrastive_task import ContrastiveTask
from pcl_core.slices.batch import SliceBatch


class SoftPCL(ContrastiveTask):
    """Positional contrastive learning with Gaussian weights of the position difference d in place of d < t.

    w = exp(-ln 2 (d / t)^2): 1 at the same position, 1/2 where the hard threshold would cut. The loss is Eq. 2 of Zeng et al.
    2021 with these weights (the weighted mean over all other views). Not of the paper; a deviation that has no cliff at t.

    Attributes:
        half_width: t, the position difference at which the weight is 1/2.
    """

    name = "pcl"

    def __init__(self, width: int, projection: int, temperature: float, half_width: float) -> None:
        super().__init__(width, projection, temperature)
        self.half_width = half_width

    def pairs(self, batch: SliceBatch) -> Tensor:
        """(N, N) weights above 0 and at most 1."""
        position = (batch.index.double() + 1) / batch.count.double()
        difference = position[:, None] - position[None, :]
        return (-math.log(2) * (difference / self.half_width) ** 2).exp().float()
