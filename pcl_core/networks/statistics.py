"""The statistics of BatchNorm when no tensor holds the whole mini-batch: it comes in parts, or lies in several processes.

With m and v the mean and the (biased) variance of the n values y of a channel, BatchNorm is

    z = w (y - m) / sqrt(v + eps) + b        (Ioffe and Szegedy 2015, Algorithm 1)

For fixed m and v the gradients of w, b and y are sums over parts. What reaches y through m and v follows from the summed
gradients of w and b alone: dL/dm = - w / sqrt(v + eps) dL/db and dL/dv = - w / (2 (v + eps)) dL/dw, while dm/dy = 1/n and
dv/dy = 2 (y - m) / n. So the mini-batch is normalised exactly, a part at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from pcl_core.networks.joining import total

Norm = nn.BatchNorm2d | nn.SyncBatchNorm


@dataclass(frozen=True, eq=False)
class Statistics:
    """Of the values that a normalisation sees, for each of C channels.

    Attributes:
        count: (1,) values a channel, in 64 bits.
        mean: (C,).
        variance: (C,), biased.
    """

    count: Tensor
    mean: Tensor
    variance: Tensor


def statistics_of(parts: Iterable[Tensor], joined: bool) -> Statistics:
    """Statistics over parts (b, C, h, w) of a mini-batch, merged (Chan et al. 1979); if ``joined``, of all processes."""
    found = [(part.numel() // part.shape[1], _moments(part)) for part in parts]
    kind = found[0][1][0].dtype
    # Made where they are needed: a GPU would be waited for while they are copied to it.
    counts = torch.stack([mean.new_full((1,), count, dtype=torch.float64) for count, (mean, _) in found])
    means, variances = (torch.stack([moments[k] for _, moments in found]).double() for k in (0, 1))
    count, summed = counts.sum(dim=0), (counts * means).sum(dim=0)
    if joined:
        everywhere = total(torch.cat([count, summed]))
        count, summed = everywhere[:1], everywhere[1:]
    mean = summed / count
    squares = (counts * (variances + (means - mean) ** 2)).sum(dim=0)
    if joined:
        squares = total(squares)
    return Statistics(count, mean.to(kind), (squares / count).to(kind))


def _moments(part: Tensor) -> tuple[Tensor, Tensor]:
    values = part if part.dtype == torch.float64 else part.float()
    variance, mean = torch.var_mean(values, dim=(0, 2, 3), correction=0)
    return mean, variance


def normalised(values: Tensor, statistics: Statistics, norm: Norm) -> Tensor:
    """BatchNorm of values (b, C, h, w) by given statistics; gradients do not go through these."""
    return functional.batch_norm(
        values, statistics.mean, statistics.variance, norm.weight, norm.bias, training=False, eps=norm.eps
    )


def through_statistics(
    values: Tensor, statistics: Statistics, norm: Norm, weight_gradient: Tensor, bias_gradient: Tensor
) -> Tensor:
    """What reaches the values through mean and variance, (b, C, h, w).

    Args:
        values: that were normalised.
        statistics: of the whole mini-batch.
        norm: the normalisation.
        weight_gradient: (C,) of its weight, over the whole mini-batch.
        bias_gradient: (C,) of its bias, likewise.
    """
    inverse = 1 / (statistics.variance + norm.eps)
    of_mean = -norm.weight * inverse.sqrt() * bias_gradient
    of_variance = -norm.weight * inverse / 2 * weight_gradient
    count = statistics.count.to(of_mean)
    slope = 2 * of_variance / count
    offset = of_mean / count - slope * statistics.mean
    channels = (1, -1, 1, 1)
    return (values * slope.reshape(channels) + offset.reshape(channels)).to(values.dtype)


@torch.no_grad()
def remember(norm: Norm, statistics: Statistics) -> None:
    """Moves the running statistics of a normalisation as BatchNorm does, by the unbiased variance."""
    if not norm.track_running_stats or norm.running_mean is None or norm.running_var is None:
        return
    count = statistics.count.to(statistics.variance)
    unbiased = statistics.variance * count / (count - 1).clamp_min(1)
    step = norm.momentum or 0.0
    norm.running_mean.lerp_(statistics.mean.to(norm.running_mean), step)
    norm.running_var.lerp_(unbiased.to(norm.running_var), step)
    if norm.num_batches_tracked is not None:
        norm.num_batches_tracked += 1
