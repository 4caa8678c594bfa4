"""A mini-batch of prepared slices on the device."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, eq=False)
class SliceBatch:
    """N slices and what is known of them.

    Attributes:
        images: (N, 1, S, S), 32-bit floats of 0 to 1.
        index: (N,) the number of each slice in its volume, from 0, along the canonical slice axis.
        count: (N,) how many slices its volume has.
        row: (N,) where each lies in the bank.
    """

    images: Tensor
    index: Tensor
    count: Tensor
    row: Tensor
