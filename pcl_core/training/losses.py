"""Supervised losses that leave out what was not annotated."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from pcl_core.volumes.volume import NOT_ANNOTATED

# Targets have channels in place of values, but for what nobody annotated.
IGNORED = NOT_ANNOTATED


def cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Mean cross-entropy over the annotated pixels; 0 when there are none.

    Args:
        logits: (B, C, H, W).
        target: (B, H, W) channels, or 255 for "not annotated".
    """
    total = functional.cross_entropy(logits.float(), target, ignore_index=IGNORED, reduction="sum")
    return total / (target != IGNORED).sum().clamp_min(1)


def dice_loss(logits: Tensor, target: Tensor, smooth: float = 1.0) -> Tensor:
    """1 minus the soft Dice of the foreground classes, pooled over the annotated pixels of the batch (Milletari et al. 2016).

    Pooling over the batch keeps slices without a class from counting as failures.

    Args:
        logits: (B, C, H, W), channel 0 is background.
        target: (B, H, W) channels, or 255 for "not annotated".
        smooth: pixels added to both sides of the ratio, so that an absent class costs nothing when it is not predicted.
    """
    annotated = (target != IGNORED)[:, None]
    probability = logits.float().softmax(dim=1)[:, 1:] * annotated
    channels = torch.arange(1, logits.shape[1], device=logits.device)[None, :, None, None]
    truth = ((target[:, None] == channels) & annotated).float()
    overlap = (probability * truth).sum(dim=(0, 2, 3))
    size = (probability + truth).sum(dim=(0, 2, 3))
    return 1 - ((2 * overlap + smooth) / (size + smooth)).mean()


def segmentation_loss(kind: str, logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy (``ce``), or the mean of Dice loss and cross-entropy (``dice+ce``)."""
    if kind == "ce":
        return cross_entropy(logits, target)
    return 0.5 * (cross_entropy(logits, target) + dice_loss(logits, target))
