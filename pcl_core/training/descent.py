"""From a loss to changed weights: gradients, scaled where half precision needs it, and the optimiser."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from pcl_core.training.devices import compute_type

# Of the losses in 16-bit floats. It adapts; beginning lower than PyTorch does spares a resumed run some skipped steps.
_SCALE = 2.0**13


def sgd(parameters: Iterable[nn.Parameter], device: torch.device, momentum: float, weight_decay: float) -> torch.optim.SGD:
    """SGD over the parameters that are trained, in one kernel on a GPU; the learning rate is set before each step.

    Not in one kernel where losses are scaled for 16-bit floats: when gradients are too large in the first step, that kernel
    leaves the momentum as memory happened to be, and takes it for a momentum in the next.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    fused = None if compute_type(device) is torch.float16 else _fused(device)
    return torch.optim.SGD(trained, lr=0.0, momentum=momentum, weight_decay=weight_decay, fused=fused)


def adamw(parameters: Iterable[nn.Parameter], device: torch.device, weight_decay: float) -> torch.optim.AdamW:
    """AdamW over all parameters, in one kernel on a GPU; the learning rate is set before each step."""
    return torch.optim.AdamW(parameters, lr=0.0, weight_decay=weight_decay, fused=_fused(device))


def _fused(device: torch.device) -> bool | None:
    return True if device.type == "cuda" else None


class Descent:
    """Does the backward pass and the optimiser's step.

    Args:
        optimiser: of the weights.
        device: of the weights.
    """

    def __init__(self, optimiser: torch.optim.Optimizer, device: torch.device) -> None:
        self.optimiser = optimiser
        self._scaler = torch.amp.GradScaler(device.type, _SCALE, enabled=compute_type(device) is torch.float16)

    def backward(self, loss: Tensor) -> None:
        """Replaces the gradients by those of a loss."""
        self.optimiser.zero_grad(set_to_none=True)
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]

    def step(self, learning_rate: float) -> None:
        """Changes the weights; does nothing after gradients that were too large for 16-bit floats."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        self._scaler.step(self.optimiser)
        self._scaler.update()
