from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from pcl_core.errors import InputError
from pcl_core.plan import AugmentationPlan
from pcl_core.pretext.rotation import Rotation
from pcl_core.slices.augmentation import Augmenter
from Testing.pretext.making import batch_of, encoder_of, forward_of, seeded

STILL = AugmentationPlan()


@pytest.mark.parametrize("views", [AugmentationPlan(mirror=True), AugmentationPlan(rotation_degrees=180)])
def test_views_that_make_the_question_unanswerable_are_refused(views: AugmentationPlan) -> None:
    with pytest.raises(InputError, match="mirrored or freely rotated"):
        Rotation(64, views)


def test_guessing_scores_the_logarithm_of_four() -> None:
    task, batch = Rotation(64, STILL), batch_of()

    def guess(images: Tensor, head: nn.Module, other: object = None) -> Tensor:
        return torch.zeros(len(images), 4)

    loss = task.loss(guess, batch, Augmenter(STILL), seeded()).item()
    assert loss == pytest.approx(math.log(4))
    assert task.collapse(loss, batch) == pytest.approx(1)


def test_one_who_sees_the_turn_is_right() -> None:
    batch = batch_of()
    batch.images.zero_()
    batch.images[:, :, 0, :] = 1  # the upper edge is bright
    task = Rotation(64, STILL)

    def see(images: Tensor, head: nn.Module, other: object = None) -> Tensor:
        edges = [images[:, 0, 0].mean(1), images[:, 0, :, 0].mean(1), images[:, 0, -1].mean(1), images[:, 0, :, -1].mean(1)]
        return 100 * torch.stack(edges, dim=1)  # anticlockwise: top, left, bottom, right

    assert task.loss(see, batch, Augmenter(STILL), seeded()).item() < 0.01


def test_the_loss_reaches_encoder_and_head() -> None:
    encoder = encoder_of()
    task = Rotation(encoder.width, STILL)
    task.loss(forward_of(encoder), batch_of(), Augmenter(STILL), seeded()).backward()
    assert all(parameter.grad is not None for parameter in [*encoder.parameters(), *task.parameters()])
