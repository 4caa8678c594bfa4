from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pcl_core.pretext.gcl import GCLGD
from Testing.pretext.making import batch_of, seeded


def naive(embeddings: torch.Tensor, quarter: list[int], temperature: float) -> float:
    """The definition of Chaitanya et al. as a loop: other members of the quarter are in no denominator."""
    views = len(embeddings)
    similar = torch.nn.functional.cosine_similarity(embeddings[:, None], embeddings[None], dim=2).double() / temperature
    anchors = []
    for i in range(views):
        others = sum(math.exp(similar[i, k]) for k in range(views) if quarter[k] != quarter[i])
        terms = [
            -math.log(math.exp(similar[i, j]) / (math.exp(similar[i, j]) + others))
            for j in range(views)
            if j != i and quarter[j] == quarter[i]
        ]
        anchors.append(sum(terms) / len(terms))
    return sum(anchors) / views


@given(slices=st.integers(2, 9), temperature=st.sampled_from([0.1, 0.5]), seed=st.integers(0, 100))
@settings(deadline=None, max_examples=25)
def test_gcl_gd_is_the_loop_over_anchors_and_positives(slices: int, temperature: float, seed: int) -> None:
    batch = batch_of(slices, 16)
    embeddings = torch.randn(2 * slices, 8, generator=seeded(seed))
    quarter = [math.ceil((i + 1) * 4 / slices) for i in range(slices)] * 2
    found = GCLGD(64, 8, temperature).score(embeddings, batch).item()
    assert found == pytest.approx(naive(embeddings, quarter, temperature), rel=1e-4, abs=1e-5)


def test_equal_embeddings_score_as_collapsed() -> None:
    task, batch = GCLGD(64, 8, 0.1), batch_of(8, 16)
    loss = task.score(torch.ones(16, 8), batch).item()
    assert loss == pytest.approx(math.log(1 + 12), rel=1e-5)  # two of eight slices, four of sixteen views, share a quarter
    assert task.collapse(loss, batch) == pytest.approx(1, abs=1e-5)


def test_members_of_the_own_quarter_do_not_push_each_other_away() -> None:
    task, batch = GCLGD(64, 2, 0.1), batch_of(8, 16)
    quarters = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]).repeat_interleave(2, 0).repeat(2, 1)
    assert task.score(quarters, batch).item() < 0.01


def test_a_batch_of_one_quarter_has_a_finite_loss_and_gradient() -> None:
    batch = batch_of(1, 16)
    embeddings = torch.randn(2, 8, generator=seeded()).requires_grad_()
    loss = GCLGD(64, 8, 0.1).score(embeddings, batch)
    loss.backward()
    assert loss.item() == 0
    assert torch.isfinite(embeddings.grad).all()
