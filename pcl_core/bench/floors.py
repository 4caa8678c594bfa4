"""What a stage takes at least: its operations at the device's rate, or its bytes at the device's bandwidth."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from pcl_core.bench.machine import copy_rate, peak_rate
from pcl_core.training.devices import compute_type

# A backward pass computes the gradients of input and weights: two products in place of one, and reads and writes accordingly.
BACKWARD = 2


@dataclass(frozen=True)
class Rates:
    """What a device does at most.

    Attributes:
        operations: multiplications and additions a second, in the precision of training.
        bytes: read and written a second.
    """

    operations: float
    bytes: float

    @classmethod
    def of(cls, device: torch.device) -> Rates:
        """Measures a large matrix product and a large copy."""
        return cls(peak_rate(device), copy_rate(device))

    def floor(self, operations: float = 0, moved: float = 0) -> float:
        """Seconds that operations and bytes take at least: they can overlap, so it is the longer of the two."""
        return max(operations / self.operations, moved / self.bytes)


@dataclass(frozen=True)
class Work:
    """Of a forward pass.

    Attributes:
        operations: multiplications and additions.
        moved: bytes of the inputs and outputs of all convolutions: what is in between can be computed on the way.
    """

    operations: int
    moved: int


def work_of(network: nn.Module, batch: int, side: int, device: torch.device) -> Work:
    """Counts the work of one image on the processor and scales it to a batch, moved in the device's precision."""
    values = 0

    def count(_module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal values
        values += inputs[0].numel() + output.numel()

    convolutions = [part for part in network.modules() if isinstance(part, nn.Conv2d | nn.ConvTranspose2d)]
    hooks = [part.register_forward_hook(count) for part in convolutions]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 1, side, side))
    for hook in hooks:
        hook.remove()
    return Work(batch * int(counter.get_total_flops()), batch * values * compute_type(device).itemsize)
