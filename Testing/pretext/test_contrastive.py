from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pcl_core.pretext.contrastive import collapse, contrastive_loss
from pcl_core.pretext.positives import closer_than, same_partition, two_views

REFERENCE = json.loads((Path(__file__).parent / "reference.json").read_text(encoding="utf-8"))


def naive_loss(embeddings: np.ndarray, weights: np.ndarray, temperature: float) -> float:
    """Eq. 2 as it is written, one anchor and one positive after the other, in 64 bits."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    losses = []
    for i in range(len(unit)):
        below = sum(math.exp(unit[i] @ unit[k] / temperature) for k in range(len(unit)) if k != i)
        total, mass = 0.0, 0.0
        for j in range(len(unit)):
            if j != i:
                total -= weights[i, j] * math.log(math.exp(unit[i] @ unit[j] / temperature) / below)
                mass += weights[i, j]
        if mass > 0:
            losses.append(total / mass)
    return sum(losses) / len(losses) if losses else 0.0


def random_embeddings(seed: int, count: int, size: int) -> Tensor:
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def separated(groups: list[int]) -> Tensor:
    """Embeddings of views that are alike within a group and at a right angle to all others."""
    return torch.eye(max(groups) + 1)[groups]


@given(
    seed=st.integers(0, 2**31),
    slices=st.integers(1, 7),
    size=st.integers(1, 12),
    temperature=st.floats(0.05, 2.0),
    share=st.floats(0.0, 1.0),
    hard=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_the_loss_is_that_of_a_naive_double_loop(
    seed: int, slices: int, size: int, temperature: float, share: float, hard: bool
) -> None:
    generator = torch.Generator().manual_seed(seed)
    embeddings = random_embeddings(seed, 2 * slices, size)
    weights = torch.rand(2 * slices, 2 * slices, generator=generator)
    weights = (weights < share).float() if hard else weights * (weights < share)
    expected = naive_loss(embeddings.numpy(), weights.double().numpy(), temperature)
    assert contrastive_loss(embeddings, weights, temperature).item() == pytest.approx(expected, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("case", REFERENCE["cases"], ids=lambda case: f"{len(case['views_a'])} slices")
def test_the_loss_meets_the_reference_values(case: dict) -> None:
    embeddings = torch.tensor(case["views_a"] + case["views_b"])
    index, count = torch.tensor(case["slice_index"]), torch.full((len(case["slice_index"]),), case["slices_in_volume"])
    assert len(case["loss"]) >= 10
    for name, expected in case["loss"].items():
        method, *settings_ = name.split()
        values = {key: float(value) for key, value in (setting.split("=") for setting in settings_)}
        pairs = {
            "simclr": lambda _: torch.zeros(len(index), len(index), dtype=torch.bool),
            "gcl": lambda _: same_partition(index, count),
            "pcl": lambda values: closer_than(index, count, values["t"]),
        }[method](values)
        assert contrastive_loss(embeddings, two_views(pairs), values["tau"]).item() == pytest.approx(expected, abs=1e-4), name


@pytest.mark.parametrize("slices", [1, 2, 25, 32])
@pytest.mark.parametrize("temperature", [0.07, 0.1, 0.5])
def test_a_collapsed_batch_gives_the_logarithm_of_all_others(slices: int, temperature: float) -> None:
    weights = two_views(closer_than(torch.arange(slices), torch.full((slices,), slices), 0.35))
    loss = contrastive_loss(torch.ones(2 * slices, 8), weights, temperature)
    assert loss.item() == pytest.approx(math.log(2 * slices - 1), abs=1e-5)


def test_the_loss_of_perfectly_separated_groups_is_the_logarithm_of_their_positives() -> None:
    groups = [0, 0, 1, 1, 1, 2] * 2
    pairs = torch.tensor(groups[:6])[:, None] == torch.tensor(groups[:6])[None, :]
    loss = contrastive_loss(separated(groups), two_views(pairs), 0.01)
    positives = [sum(other == group for other in groups) - 1 for group in groups]
    assert loss.item() == pytest.approx(np.mean(np.log(positives)), abs=1e-5)


@given(seed=st.integers(0, 2**31), lengths=st.lists(st.integers(1, 30), min_size=2, max_size=6))
@settings(deadline=None, max_examples=50)
def test_pcl_with_a_threshold_near_0_is_simclr_for_slices_at_different_places(seed: int, lengths: list[int]) -> None:
    # Of one volume each slice has its own place; a threshold below the smallest difference leaves the other view only.
    index, count = torch.arange(max(lengths)), torch.full((max(lengths),), max(lengths))
    embeddings = random_embeddings(seed, 2 * len(index), 8)
    simclr = two_views(torch.zeros(len(index), len(index), dtype=torch.bool))
    pcl = two_views(closer_than(index, count, 0.001))
    assert torch.equal(contrastive_loss(embeddings, pcl, 0.1), contrastive_loss(embeddings, simclr, 0.1))


def test_a_threshold_above_1_pulls_everything_together() -> None:
    index, count = torch.tensor([0, 4, 9, 0]), torch.tensor([10, 10, 10, 1])
    weights = two_views(closer_than(index, count, 1.01))
    assert torch.equal(weights, 1 - torch.eye(8))


def test_scaling_embeddings_changes_nothing() -> None:
    embeddings, weights = random_embeddings(0, 8, 5).float(), two_views(torch.eye(4, dtype=torch.bool))
    lengths = torch.tensor([0.01, 1, 100, 3, 0.5, 7, 1e4, 1])[:, None]
    expected = contrastive_loss(embeddings, weights, 0.1).item()
    assert contrastive_loss(embeddings * lengths, weights, 0.1).item() == pytest.approx(expected, rel=1e-5)


def test_the_diagonal_of_the_weights_is_ignored() -> None:
    embeddings, weights = random_embeddings(0, 8, 5), two_views(torch.eye(4, dtype=torch.bool))
    assert torch.equal(
        contrastive_loss(embeddings, weights + 3 * torch.eye(8), 0.1), contrastive_loss(embeddings, weights, 0.1)
    )


def test_only_the_proportions_of_an_anchors_weights_count() -> None:
    embeddings, weights = random_embeddings(0, 8, 5), torch.rand(8, 8, generator=torch.Generator().manual_seed(1))
    factors = torch.tensor([0.001, 1, 1000, 3, 0.5, 7, 2, 1])[:, None]
    expected = contrastive_loss(embeddings, weights, 0.1).item()
    assert contrastive_loss(embeddings, weights * factors, 0.1).item() == pytest.approx(expected, rel=1e-5)


def test_an_anchor_without_positives_takes_no_part() -> None:
    embeddings = random_embeddings(3, 6, 4)
    weights = two_views(torch.eye(3, dtype=torch.bool))
    weights[2] = 0
    expected = naive_loss(embeddings.numpy(), weights.numpy(), 0.1)
    assert contrastive_loss(embeddings, weights, 0.1).item() == pytest.approx(expected, rel=1e-5)


def test_no_positives_at_all_give_0_and_no_gradient() -> None:
    embeddings = random_embeddings(3, 6, 4).float().requires_grad_()
    loss = contrastive_loss(embeddings, torch.zeros(6, 6), 0.1)
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(embeddings.grad, torch.zeros(6, 4))


@pytest.mark.parametrize("kind", ["identical", "zero", "opposite", "huge", "tiny"])
@pytest.mark.parametrize("temperature", [0.01, 0.1])
def test_gradients_are_finite_for_extreme_embeddings(kind: str, temperature: float) -> None:
    values = {
        "identical": torch.ones(8, 16),
        "zero": torch.zeros(8, 16),
        "opposite": torch.ones(8, 16) * (torch.arange(8) % 2 * 2 - 1)[:, None],
        "huge": random_embeddings(0, 8, 16).float() * 1e18,
        "tiny": random_embeddings(0, 8, 16).float() * 1e-18,
    }[kind].requires_grad_()
    loss = contrastive_loss(values, two_views(torch.eye(4, dtype=torch.bool)), temperature)
    loss.backward()
    assert loss.isfinite()
    assert values.grad.isfinite().all()


def test_gradients_agree_with_finite_differences() -> None:
    embeddings = random_embeddings(5, 6, 3)
    weights = two_views(closer_than(torch.arange(3), torch.full((3,), 3), 0.4))
    values = embeddings.clone().requires_grad_()
    contrastive_loss(values, weights, 0.5).backward()
    step = 1e-3
    for row, column in [(0, 0), (3, 1), (5, 2)]:
        shift = torch.zeros_like(embeddings)
        shift[row, column] = step
        above, below = (naive_loss((embeddings + sign * shift).numpy(), weights.numpy(), 0.5) for sign in (1, -1))
        assert values.grad[row, column].item() == pytest.approx((above - below) / (2 * step), abs=1e-4)


def test_half_precision_embeddings_are_scored_in_32_bits() -> None:
    embeddings = random_embeddings(0, 64, 32).bfloat16().requires_grad_()
    loss = contrastive_loss(embeddings, two_views(torch.eye(32, dtype=torch.bool)), 0.1)
    loss.backward()
    expected = naive_loss(embeddings.detach().double().numpy(), two_views(torch.eye(32, dtype=torch.bool)).numpy(), 0.1)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    assert embeddings.grad.isfinite().all()


def test_descending_the_loss_pulls_positives_together_and_the_others_apart() -> None:
    pairs = torch.tensor([0, 0, 1, 1])[:, None] == torch.tensor([0, 0, 1, 1])[None, :]
    values = random_embeddings(1, 8, 6).float().requires_grad_()
    optimiser = torch.optim.Adam([values], lr=0.1)
    for _ in range(300):
        optimiser.zero_grad()
        contrastive_loss(values, two_views(pairs), 0.5).backward()
        optimiser.step()
    unit = torch.nn.functional.normalize(values.detach(), dim=1)
    cosine, together = unit @ unit.T, two_views(pairs).bool()
    apart = ~together & ~torch.eye(8, dtype=torch.bool)
    assert cosine[together].min() > 0.95
    assert cosine[apart].max() < -0.5


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.35])
def test_the_collapse_figure_is_1_when_all_embeddings_are_the_same(threshold: float) -> None:
    weights = two_views(closer_than(torch.arange(12), torch.full((12,), 12), threshold))
    loss = contrastive_loss(torch.ones(24, 4), weights, 0.1).item()
    assert collapse(loss, weights) == pytest.approx(1, abs=1e-5)


def test_the_collapse_figure_is_0_when_groups_are_perfectly_separated() -> None:
    groups = [0, 0, 1, 2, 2, 2]
    weights = two_views(torch.tensor(groups)[:, None] == torch.tensor(groups)[None, :])
    loss = contrastive_loss(separated(groups * 2), weights, 0.01).item()
    assert collapse(loss, weights) == pytest.approx(0, abs=1e-5)


@given(seed=st.integers(0, 2**31), share=st.floats(0, 1))
@settings(deadline=None, max_examples=50)
def test_the_collapse_figure_is_never_below_0_whatever_the_weights(seed: int, share: float) -> None:
    weights = torch.rand(10, 10, generator=torch.Generator().manual_seed(seed))
    weights = weights * (weights > share)
    loss = contrastive_loss(random_embeddings(seed, 10, 3), weights, 0.05).item()
    if (weights - torch.diag(weights.diagonal())).sum() > 0:
        assert collapse(loss, weights) >= -1e-4


def test_the_collapse_figure_of_anchors_with_and_without_positives_is_0_when_separated() -> None:
    weights = torch.zeros(6, 6)
    weights[:4, :4] = 1 - torch.eye(4)
    loss = contrastive_loss(separated([0, 0, 0, 0, 1, 2]), weights, 0.01).item()
    assert collapse(loss, weights) == pytest.approx(0, abs=1e-5)


def test_soft_weights_have_their_own_best_loss() -> None:
    # Embeddings on a circle whose neighbours get nearly the shares that the weights ask for.
    values = random_embeddings(2, 6, 6).float().requires_grad_()
    weights = torch.tensor([[3.0 if abs(i - j) == 3 else 1.0 for j in range(6)] for i in range(6)])
    optimiser = torch.optim.Adam([values], lr=0.05)
    for _ in range(300):
        optimiser.zero_grad()
        loss = contrastive_loss(values, weights, 0.5)
        loss.backward()
        optimiser.step()
    assert collapse(loss.item(), weights) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("slices", [1, 4])
def test_where_everything_is_positive_nothing_can_be_told_apart_and_the_figure_is_1(slices: int) -> None:
    weights = 1 - torch.eye(2 * slices)
    assert collapse(contrastive_loss(torch.ones(2 * slices, 3), weights, 0.1).item(), weights) == 1
