"""PCL with Gaussian weights in place of a threshold."""

from __future__ import annotations

import math

import pytest
import torch

from pcl_core.pretext.pcl import PCL
from pcl_core.pretext.positives import two_views
from pcl_core.pretext.soft_pcl import SoftPCL
from pcl_core.slices.batch import SliceBatch


def batch_of(index: list[int], count: list[int]) -> SliceBatch:
    return SliceBatch(torch.zeros(len(index), 1, 8, 8), torch.tensor(index), torch.tensor(count), torch.arange(len(index)))


BATCH = batch_of([0, 3, 9, 4, 0], [10, 10, 10, 5, 7])


def naive(embeddings: torch.Tensor, half_width: float, temperature: float) -> float:
    """The weighted Eq. 2 as a double loop over the views."""
    positions = [(i + 1) / n for i, n in zip(BATCH.index.tolist(), BATCH.count.tolist(), strict=True)] * 2
    unit = torch.nn.functional.normalize(embeddings.double(), dim=1)
    total = 0.0
    for i in range(len(unit)):
        others = [k for k in range(len(unit)) if k != i]
        below = math.log(sum(math.exp(float(unit[i] @ unit[k]) / temperature) for k in others))
        weights = {k: 2 ** -(((positions[i] - positions[k]) / half_width) ** 2) for k in others}
        logs = sum(w * (float(unit[i] @ unit[k]) / temperature - below) for k, w in weights.items())
        total -= logs / sum(weights.values())
    return total / len(unit)


@pytest.mark.parametrize("half_width", [0.05, 0.2, 1.0])
def test_the_loss_is_the_weighted_mean_of_a_double_loop(half_width):
    embeddings = torch.randn(10, 6, generator=torch.Generator().manual_seed(0))
    task = SoftPCL(8, 6, 0.1, half_width)
    assert float(task.score(embeddings, BATCH)) == pytest.approx(naive(embeddings, half_width, 0.1), rel=1e-5)


def test_embeddings_that_are_all_the_same_give_the_logarithm_of_the_other_views():
    task = SoftPCL(8, 6, 0.1, 0.2)
    assert float(task.score(torch.ones(10, 6), BATCH)) == pytest.approx(math.log(9), rel=1e-5)
    assert task.collapse(math.log(9), BATCH) == pytest.approx(1)


def test_the_weight_is_half_where_the_threshold_would_cut():
    weights = SoftPCL(8, 6, 0.1, 0.3).pairs(batch_of([0, 3], [10, 10]))
    assert float(weights[0, 1]) == pytest.approx(0.5)


def test_a_narrow_width_is_simclr_and_a_wide_one_pulls_everything():
    embeddings = torch.randn(10, 6, generator=torch.Generator().manual_seed(1))
    batch = batch_of([0, 3, 9, 5, 7], [10] * 5)
    for width, threshold in ((1e-4, 0.0), (1e4, 2.0)):
        soft, hard = SoftPCL(8, 6, 0.1, width), PCL(8, 6, 0.1, threshold)
        assert float(soft.score(embeddings, batch)) == pytest.approx(float(hard.score(embeddings, batch)), rel=1e-5)


def test_two_views_of_a_slice_have_the_full_weight():
    weights = two_views(SoftPCL(8, 6, 0.1, 0.1).pairs(BATCH))
    assert torch.equal(weights.diagonal(), torch.zeros(10))
    assert torch.equal(weights[torch.arange(5), torch.arange(5) + 5], torch.ones(5))
