"""The convolution blocks of the published U-Net, and its initialisation."""

from __future__ import annotations

import torch
from torch import nn

NEGATIVE_SLOPE = 0.01


class NormalisedBlock(nn.Sequential):
    """Twice (3 x 3 convolution with bias, BatchNorm, LeakyReLU 0.01): every level of encoder and decoder.

    Shape: (B, inputs, H, W) -> (B, outputs, H, W).
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.BatchNorm2d(outputs),
            nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1),
            nn.BatchNorm2d(outputs),
            nn.LeakyReLU(NEGATIVE_SLOPE, inplace=True),
        )


class PlainBlock(nn.Sequential):
    """Twice (3 x 3 convolution, ReLU) without normalisation: the bottleneck.

    Shape: (B, inputs, H, W) -> (B, outputs, H, W).
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1),
            nn.ReLU(inplace=True),
        )


def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """He initialisation (He et al. 2015, normal, a = 0.01) of all convolutions and linear layers, in place; biases become 0.

    The published code does so for convolutions only, and leaves its head as PyTorch begins it.

    The generator makes two networks that were built from the same seed alike, whatever else used random numbers.
    """
    for part in module.modules():
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.kaiming_normal_(part.weight, a=NEGATIVE_SLOPE, generator=generator)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
