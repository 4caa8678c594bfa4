"""An exponential moving average of a network's weights."""

from __future__ import annotations

import copy

import torch
from torch import nn


def averaged_copy(network: nn.Module) -> nn.Module:
    """A copy that is never trained."""
    return copy.deepcopy(network).requires_grad_(False).eval()


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Moves the average towards the network: average = d average + (1 - d) network, statistics of BatchNorm included.

    Args:
        average: changed in place.
        network: is read.
        decay: d; the first steps use (1 + step) / (10 + step) where that is less, so that the start is forgotten soon.
        step: from 0.
    """
    weight = 1 - min(decay, (1 + step) / (10 + step))
    floating = [
        (old, new)
        for old, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True)
        if old.is_floating_point()
    ]
    torch._foreach_lerp_([old for old, _ in floating], [new for _, new in floating], weight)
