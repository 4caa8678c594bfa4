"""Encoder and pretext task as one module, from a batch of slices to the loss of the batch of all processes."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from pcl_core.networks.in_parts import bottleneck_in_parts
from pcl_core.networks.joined_norm import join_norms
from pcl_core.networks.joining import gathered, own_share, process_count
from pcl_core.networks.unet import Encoder
from pcl_core.pretext.task import PretextTask
from pcl_core.slices.augmentation import Augmenter
from pcl_core.slices.batch import SliceBatch
from pcl_core.training.compiling import Compiled
from pcl_core.training.devices import autocast, channels_last, compute_type, on_device


class Objective(nn.Module):
    """The loss of a pretext task on a batch.

    With several processes each has the whole batch and draws the same views; each encodes its share of them and all get all
    embeddings, with gradients. So every method computes in each process what a single one would, and its memories (queues,
    banks) stay the same everywhere.

    Attributes:
        encoder: that is trained.
        task: with its heads and memories.
        device: of both.
        part: images that the first two levels see at once; 0 is all.
        precision: that networks compute in; compute_type of the device by default.
        compiled: runs the encoder where it is not run in parts.
    """

    def __init__(
        self,
        encoder: Encoder,
        task: PretextTask,
        device: torch.device,
        part: int,
        compiled: Compiled,
        precision: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.task = task
        self.device = device
        self.part = part
        self.precision = precision or compute_type(device)
        if process_count() > 1:
            join_norms(self, device)
        on_device(self, device)
        self.compiled = compiled

    def forward(self, batch: SliceBatch, augment: Augmenter, generator: torch.Generator) -> Tensor:
        """The loss, the same in every process."""
        self.compiled.begin_step()
        return self.task.loss(self._encode, batch, augment, generator)

    def _encode(self, images: Tensor, head: nn.Module, encoder: Encoder | None = None) -> Tensor:
        share = channels_last(images[own_share(len(images))])
        encoder = encoder or self.encoder
        with autocast(self.device, self.precision):
            features = bottleneck_in_parts(encoder, share, self.part) if self.part else self.compiled.bottleneck(encoder, share)
            outputs: Tensor = head(features)
        return gathered(outputs.float(), len(images))


def over_processes(objective: Objective) -> nn.Module:
    """The objective whose gradients are averaged over all processes; with one process it is what it is."""
    if process_count() == 1:
        return objective
    # Statistics of BatchNorm are joined already, and memories are the same everywhere.
    return DistributedDataParallel(objective, forward_sync_buffers=False)
