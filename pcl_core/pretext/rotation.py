"""Rotation: the network is asked by which of four quarter turns a slice was rotated."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from pcl_core.errors import InputError
from pcl_core.networks.heads import ProjectionHead
from pcl_core.plan import AugmentationPlan
from pcl_core.pretext.task import Forward, PretextTask
from pcl_core.slices.augmentation import Augmenter
from pcl_core.slices.batch import SliceBatch

_TURNS = 4
# Beyond this a quarter turn can be mistaken for another.
_LARGEST_ROTATION = 30.0


class Rotation(PretextTask):
    """Four-way cross-entropy over 0, 90, 180 and 270 degrees (Gidaris et al. 2018, their Eqs. 1 to 3).

        L = - 1/(4N) sum_x sum_{r = 0..3} log softmax(f(turn(x, 90 r)))_r

    over one view x (1, S, S) of each of N slices, f the encoder with a head of four outputs. As they do, all four turns of a
    view are in the batch.

    Deviations: the network and the form of the head are those of Zeng et al., the optimiser that of PCL; the views are moved,
    scaled and bent, but neither mirrored nor freely rotated.

    Raises:
        InputError: the views are mirrored or freely rotated, which makes the question unanswerable.
    """

    name = "rotation"

    def __init__(self, width: int, views: AugmentationPlan) -> None:
        super().__init__()
        if views.mirror or views.rotation_degrees > _LARGEST_ROTATION:
            raise InputError(
                "The method rotation cannot be learned from mirrored or freely rotated views.",
                f"Set mirror to false and rotation_degrees to at most {_LARGEST_ROTATION:g} in the plan.",
            )
        self.head = ProjectionHead(width, _TURNS)

    def loss(self, forward: Forward, batch: SliceBatch, augment: Augmenter, generator: torch.Generator) -> Tensor:
        """Cross-entropy over the 4N turned views of ``batch.images`` (N, 1, S, S)."""
        views, _ = augment(batch.images, generator)
        turned = torch.cat([views.rot90(turn, (2, 3)) for turn in range(_TURNS)])
        asked = torch.arange(_TURNS, device=views.device).repeat_interleave(len(views))
        return functional.cross_entropy(forward(turned, self.head), asked)

    def collapse(self, loss: float, batch: SliceBatch) -> float:
        """1 when the answers are guesses, which gives ln 4."""
        return loss / math.log(_TURNS)
