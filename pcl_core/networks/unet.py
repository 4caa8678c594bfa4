"""The U-Net of the paper: an encoder that is pretrained, and a decoder that is not."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pcl_core.networks.blocks import NormalisedBlock, PlainBlock, initialise

LEVELS = 4
# Sides of an input image must be multiples of this: each level halves them.
STRIDE = 2**LEVELS


class Encoder(nn.Module):
    """Four levels of f, 2f, 4f, 8f channels with 2 x 2 max-pooling between them, and a bottleneck of 16f.

    The bottleneck belongs to the encoder: it is pretrained and transferred.

    Shape: (B, 1, H, W) -> bottleneck (B, 16f, H/16, W/16) and the four skips (B, f, H, W) ... (B, 8f, H/8, W/8).
    H and W are multiples of 16.
    """

    def __init__(self, filters: int) -> None:
        super().__init__()
        widths = [filters * 2**level for level in range(LEVELS)]
        self.levels = nn.ModuleList(
            NormalisedBlock(inputs, outputs) for inputs, outputs in zip([1, *widths[:-1]], widths, strict=True)
        )
        self.bottleneck = PlainBlock(widths[-1], 2 * widths[-1])
        self.pool = nn.MaxPool2d(2)
        self.width = 2 * widths[-1]

    def forward(self, images: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Encodes a batch of images."""
        skips = []
        features = images
        for level in self.levels:
            features = level(features)
            skips.append(features)
            features = self.pool(features)
        return self.bottleneck(features), skips


class Decoder(nn.Module):
    """Four times: 2 x 2 transposed convolution of stride 2, the skip concatenated, a block; last a 1 x 1 convolution.

    Shape: the encoder's output -> logits (B, classes, H, W).
    """

    def __init__(self, filters: int, classes: int) -> None:
        super().__init__()
        widths = [filters * 2**level for level in reversed(range(LEVELS))]
        self.raises = nn.ModuleList(nn.ConvTranspose2d(2 * width, width, 2, stride=2) for width in widths)
        self.levels = nn.ModuleList(NormalisedBlock(2 * width, width) for width in widths)
        self.classify = nn.Conv2d(filters, classes, 1, bias=False)

    def forward(self, bottleneck: Tensor, skips: list[Tensor]) -> Tensor:
        """Decodes features to logits."""
        features = bottleneck
        for raise_, level, skip in zip(self.raises, self.levels, reversed(skips), strict=True):
            features = level(torch.cat([skip, raise_(features)], dim=1))
        return self.classify(features)  # type: ignore[no-any-return]


class UNet(nn.Module):
    """Encoder and decoder together.

    Shape: (B, 1, H, W) -> logits (B, classes, H, W); classes counts the background.
    """

    def __init__(self, filters: int, classes: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.encoder = Encoder(filters)
        self.decoder = Decoder(filters, classes)
        if generator is not None:
            initialise(self, generator)

    def forward(self, images: Tensor) -> Tensor:
        """Segments a batch of images."""
        return self.decoder(*self.encoder(images))  # type: ignore[no-any-return]
