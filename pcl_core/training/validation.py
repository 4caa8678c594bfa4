"""How well a network does on held-out slices while it is trained. Only a cancelled training chooses by it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from pcl_core.training.devices import autocast, channels_last
from pcl_core.training.history import Row
from pcl_core.training.loop import report_interval
from pcl_core.training.losses import IGNORED
from pcl_core.training.weights import SegmentClass

# The held-out case is scored so many times over a training.
VALIDATIONS = 20


def validation_due(step: int, total: int) -> bool:
    """Whether the held-out case is scored in the report after ``step`` steps: the first after each twentieth, and the last."""
    return step % max(1, total // VALIDATIONS) < report_interval(total) or step == total


@torch.inference_mode()
def pooled_dice(
    network: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], classes: Sequence[SegmentClass], device: torch.device
) -> Row:
    """Dice of each class, pooled over the annotated pixels of all batches.

    Args:
        network: (B, 1, S, S) -> logits (B, C, S, S), in evaluation mode.
        batches: images (B, 1, S, S) and channels (B, S, S), 255 for "not annotated", on the device.
        classes: of the channels from 1.
        device: of the network.

    Returns:
        ``dice_<value>`` a class, but for classes that are neither there nor predicted: they have no Dice.
    """
    overlap, size = torch.zeros(len(classes)), torch.zeros(len(classes))
    for images, target in batches:
        with autocast(device):
            predicted = network(channels_last(images)).argmax(dim=1)
        annotated = target != IGNORED
        for k in range(len(classes)):
            found, true = (predicted == k + 1) & annotated, target == k + 1
            overlap[k] += int((found & true).sum())
            size[k] += int(found.sum() + true.sum())
    return {f"dice_{entry.value}": float(2 * overlap[k] / size[k]) for k, entry in enumerate(classes) if size[k]}
