"""Batches and encoders for the tests of pretext tasks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from pcl_core.networks.blocks import initialise
from pcl_core.networks.unet import Encoder
from pcl_core.slices.batch import SliceBatch


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def encoder_of(filters: int = 4) -> Encoder:
    encoder = Encoder(filters)
    initialise(encoder, seeded())
    return encoder


def forward_of(encoder: Encoder):
    """Runs images through the encoder and a head, in 32 bits."""

    def forward(images: Tensor, head: nn.Module, other: Encoder | None = None) -> Tensor:
        return head((other or encoder)(images)[0])

    return forward


def batch_of(slices: int = 6, side: int = 32, volumes: int = 1) -> SliceBatch:
    """Random slices; the volumes follow each other and have the same number of slices."""
    images = torch.rand(slices, 1, side, side, generator=seeded())
    each = slices // volumes
    return SliceBatch(images, torch.arange(slices) % each, torch.full((slices,), each), torch.arange(slices))
