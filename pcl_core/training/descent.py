"""From a loss to changed weights: gradients, scaled where half precision needs it, and the optimiser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from pcl_core.training.devices import compute_type

# Of the losses in 16-bit floats. It adapts; beginning lower than PyTorch does spares a resumed run some skipped steps.
_SCALE = 2.0**13


def sgd(parameters: Iterable[nn.Parameter], device: torch.device, momentum: float, weight_decay: float) -> torch.optim.SGD:
    """SGD over the parameters that are trained, in one kernel on a GPU; the learning rate is set before each step.

    The momentum begins at 0, which is what SGD makes of it. When the first gradients are too large for 16-bit floats, that
    kernel would leave it as memory happened to be, and take it for a momentum in the next step.
    """
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    optimiser = torch.optim.SGD(trained, lr=0.0, momentum=momentum, weight_decay=weight_decay, fused=_one_kernel(device))
    if momentum:
        for parameter in trained:
            optimiser.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return optimiser


def adamw(parameters: Iterable[nn.Parameter], device: torch.device, weight_decay: float) -> torch.optim.AdamW:
    """AdamW over all parameters, in one kernel; the learning rate is set before each step.

    On a processor, too: weight by weight it takes two to three times as long, a tenth of a step of a small network.
    """
    fused = True if device.type == "cpu" else _one_kernel(device)
    return torch.optim.AdamW(parameters, lr=0.0, weight_decay=weight_decay, fused=fused)


def _one_kernel(device: torch.device) -> bool | None:
    """With scaled losses any other step asks the GPU whether the gradients are too large, and waits for the answer."""
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

    def scaling(self) -> dict[str, float]:
        """How far the scaling of losses has adapted, for a checkpoint; empty where losses are not scaled. Waits for the GPU."""
        return self._scaler.state_dict()

    def go_on_scaling(self, found: Mapping[str, float]) -> None:
        """Takes up what ``scaling`` said; a run that went on from another device may have nothing to take up."""
        if found and self._scaler.is_enabled():
            self._scaler.load_state_dict(dict(found))
