"""BatchNorm over the mini-batch of all processes, on CPUs too; nn.SyncBatchNorm needs GPUs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from pcl_core.networks.joining import process_count, total
from pcl_core.networks.statistics import Norm, Statistics, normalised, remember, statistics_of, through_statistics


class JoinedBatchNorm(nn.BatchNorm2d):
    """BatchNorm whose mini-batch lies in several processes; with one process it is BatchNorm.

    Shape: (B, C, H, W) -> the same; B may differ from process to process.
    """

    def forward(self, values: Tensor) -> Tensor:
        """Normalises this process's share by the statistics of all shares."""
        if not self.training or process_count() == 1:
            return super().forward(values)
        shared: Tensor = _Shared.apply(values, self, self.weight, self.bias)  # type: ignore[no-untyped-call]
        return shared


class _Shared(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, norm: Norm, *_parameters: Tensor) -> Tensor:
        ctx.norm, ctx.statistics = norm, statistics_of([values], joined=True)
        ctx.save_for_backward(values)
        remember(norm, ctx.statistics)
        return normalised(values, ctx.statistics, norm)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, Tensor, Tensor]:
        (values,) = ctx.saved_tensors
        norm: Norm = ctx.norm
        statistics: Statistics = ctx.statistics
        with torch.enable_grad():
            leaf = values.detach().requires_grad_()
            found = normalised(leaf, statistics, norm)
        direct, weight, bias = torch.autograd.grad(found, [leaf, norm.weight, norm.bias], gradients[0])
        with torch.no_grad():
            summed_weight, summed_bias = total(torch.stack([weight, bias]))
            direct = direct + through_statistics(values, statistics, norm, summed_weight, summed_bias)
        return direct, None, weight, bias


def join_norms(network: nn.Module, device: torch.device) -> None:
    """Replaces every BatchNorm in a network, in place, by one that sees the mini-batch of all processes."""
    for module in network.modules():
        for name, child in module.named_children():
            if type(child) is nn.BatchNorm2d:
                module.add_module(name, _joined(child, device))


def _joined(norm: nn.BatchNorm2d, device: torch.device) -> nn.Module:
    if device.type == "cuda":
        converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(norm)  # type: ignore[no-untyped-call]
        return converted
    joined = JoinedBatchNorm(norm.num_features, norm.eps, norm.momentum)
    joined.load_state_dict(norm.state_dict())
    joined.weight, joined.bias = norm.weight, norm.bias  # the same ones: those of a momentum encoder are not trained
    joined.train(norm.training)
    return joined
