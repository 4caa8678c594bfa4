"""What is put on top of the encoder during pretraining and thrown away after it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pcl_core.networks.blocks import initialise
from pcl_core.networks.unet import Encoder


class ProjectionHead(nn.Module):
    """g of the paper's section 3.1: global average pool, Linear(16f, 16f), ReLU, Linear(16f, outputs).

    Shape: bottleneck features (B, 16f, h, w) -> embeddings (B, outputs), not normalised.
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(width, width), nn.ReLU(inplace=True), nn.Linear(width, outputs))

    def forward(self, features: Tensor) -> Tensor:
        """Projects features."""
        return self.layers(features.mean(dim=(2, 3)))  # type: ignore[no-any-return]


class PretextNetwork(nn.Module):
    """An encoder and the head that a pretext task wants.

    Shape: images (B, 1, H, W) -> whatever the head makes of the bottleneck features.
    """

    def __init__(self, encoder: Encoder, head: nn.Module, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        if generator is not None:
            initialise(self, generator)

    def forward(self, images: Tensor) -> Tensor:
        """Encodes and projects a batch of images."""
        features, _ = self.encoder(images)
        return self.head(features)  # type: ignore[no-any-return]
