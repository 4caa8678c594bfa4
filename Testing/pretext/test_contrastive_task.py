from __future__ import annotations

import math

import pytest
import torch

from pcl_core.networks.unet import Encoder
from pcl_core.plan import AugmentationPlan
from pcl_core.pretext.contrastive import contrastive_loss
from pcl_core.pretext.contrastive_task import ContrastiveTask
from pcl_core.pretext.gcl import GCL
from pcl_core.pretext.pcl import PCL
from pcl_core.pretext.positives import closer_than, two_views
from pcl_core.pretext.registry import make_task
from pcl_core.pretext.simclr import SimCLR
from pcl_core.slices.augmentation import Augmenter
from pcl_core.slices.batch import SliceBatch
from Testing.making import tiny_plan


def batch_of(slices: int = 6, side: int = 16) -> SliceBatch:
    images = torch.rand(slices, 1, side, side, generator=torch.Generator().manual_seed(0))
    return SliceBatch(images, torch.arange(slices), torch.full((slices,), slices), torch.arange(slices))


def made(method: str, **values: object) -> ContrastiveTask:
    task = make_task(tiny_plan(pretrain__method=method, **values), Encoder(4), 12, torch.Generator().manual_seed(0))
    assert isinstance(task, ContrastiveTask)
    return task


def test_the_threshold_and_the_temperature_come_from_the_plan() -> None:
    batch, outputs = batch_of(), torch.randn(12, 16, generator=torch.Generator().manual_seed(1))
    task = made("pcl", pretrain__threshold=0.4, pretrain__temperature=0.3)
    expected = contrastive_loss(outputs, two_views(closer_than(batch.index, batch.count, 0.4)), 0.3)
    assert torch.equal(task.score(outputs, batch), expected)


def test_views_are_all_first_ones_and_then_all_second_ones_of_the_same_slices() -> None:
    batch = batch_of()
    views = SimCLR(64, 8, 0.1).views(batch, Augmenter(AugmentationPlan()), torch.Generator())
    torch.testing.assert_close(views, torch.cat([batch.images, batch.images]), atol=1e-5, rtol=0)


def test_the_two_views_of_a_slice_differ() -> None:
    batch = batch_of()
    views = SimCLR(64, 8, 0.1).views(batch, Augmenter(AugmentationPlan(rotation_degrees=90)), torch.Generator().manual_seed(0))
    first, second = views.chunk(2)
    assert ((first - second).abs().amax(dim=(1, 2, 3)) > 0.1).all()


@pytest.mark.parametrize("task", [SimCLR(64, 8, 0.1), GCL(64, 8, 0.1), PCL(64, 8, 0.1, 0.2)], ids=lambda task: task.name)
def test_a_network_that_tells_nothing_apart_scores_as_collapsed(task) -> None:
    batch = batch_of()
    loss = task.score(torch.ones(12, 8), batch).item()
    assert loss == pytest.approx(math.log(11), abs=1e-5)
    assert task.collapse(loss, batch) == pytest.approx(1, abs=1e-5)


def test_the_three_methods_differ_in_their_positives() -> None:
    batch, outputs = batch_of(12), torch.randn(24, 16, generator=torch.Generator().manual_seed(1))
    losses = {
        round(task.score(outputs, batch).item(), 4) for task in (SimCLR(64, 8, 0.1), GCL(64, 8, 0.1), PCL(64, 8, 0.1, 0.4))
    }
    assert len(losses) == 3
