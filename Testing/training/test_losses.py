from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from pcl_core.training.losses import IGNORED, cross_entropy, dice_loss, segmentation_loss

KINDS = ("ce", "dice+ce")


def random_case(seed: int = 0, ignored: float = 0.0, classes: int = 4) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, classes, 8, 8, generator=generator)
    target = torch.randint(0, classes, (2, 8, 8), generator=generator)
    target[torch.rand(2, 8, 8, generator=generator) < ignored] = IGNORED
    return logits, target


def certain(target: Tensor, classes: int) -> Tensor:
    """Logits of a network that is sure of a label map."""
    return 50.0 * functional.one_hot(target, classes).permute(0, 3, 1, 2).float()


def test_cross_entropy_is_torchs_own() -> None:
    logits, target = random_case(ignored=0.3)
    expected = functional.cross_entropy(logits, target, ignore_index=IGNORED)
    torch.testing.assert_close(cross_entropy(logits, target), expected)


def test_dice_loss_is_that_of_a_naive_loop() -> None:
    logits, target = random_case(ignored=0.3)
    probability = logits.softmax(dim=1)
    losses = []
    for channel in range(1, 4):
        overlap = size = 0.0
        for b in range(2):
            for row in range(8):
                for column in range(8):
                    if target[b, row, column] != IGNORED:
                        p, t = probability[b, channel, row, column].item(), float(target[b, row, column] == channel)
                        overlap += p * t
                        size += p + t
        losses.append(1 - (2 * overlap + 1) / (size + 1))
    assert dice_loss(logits, target).item() == pytest.approx(sum(losses) / 3, abs=1e-5)


def test_a_perfect_segmentation_costs_nothing() -> None:
    _, target = random_case()
    for kind in KINDS:
        assert segmentation_loss(kind, certain(target, 4), target).item() == pytest.approx(0, abs=1e-5)


def test_half_of_a_structure_has_the_dice_of_the_closed_form() -> None:
    target = torch.zeros(1, 10, 20, dtype=torch.long)
    target[:, :, :10] = 1
    found = torch.zeros_like(target)
    found[:, :, :5] = 1
    assert dice_loss(certain(found, 2), target).item() == pytest.approx(1 - (2 * 50 + 1) / (150 + 1), abs=1e-5)


def test_a_class_that_is_absent_and_not_predicted_costs_nothing() -> None:
    target = torch.zeros(1, 8, 8, dtype=torch.long)
    target[0, 2:5, 2:5] = 1
    assert dice_loss(certain(target, 4), target).item() == pytest.approx(0, abs=1e-5)


def test_the_sum_of_both_losses_is_their_mean() -> None:
    logits, target = random_case(ignored=0.2)
    both = segmentation_loss("dice+ce", logits, target)
    torch.testing.assert_close(both, (cross_entropy(logits, target) + dice_loss(logits, target)) / 2)
    torch.testing.assert_close(segmentation_loss("ce", logits, target), cross_entropy(logits, target))


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**31), share=st.floats(0.05, 0.95))
@settings(deadline=None, max_examples=30)
def test_what_the_network_says_where_nothing_is_annotated_changes_nothing(kind: str, seed: int, share: float) -> None:
    logits, target = random_case(seed, ignored=share)
    other = torch.where((target == IGNORED)[:, None], torch.randn_like(logits) * 100, logits).requires_grad_()
    loss = segmentation_loss(kind, other, target)
    torch.testing.assert_close(loss, segmentation_loss(kind, logits, target))
    loss.backward()
    assert not other.grad[(target == IGNORED)[:, None].expand_as(logits)].any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_without_any_annotation_costs_nothing_and_moves_nothing(kind: str) -> None:
    logits, target = random_case(ignored=1.0)
    logits.requires_grad_()
    loss = segmentation_loss(kind, logits, target)
    loss.backward()
    assert loss.item() == 0
    assert logits.grad.isfinite().all()
    assert not logits.grad.any()


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_logits_are_scored_in_32_bits(kind: str) -> None:
    logits, target = random_case()
    half = logits.bfloat16()
    loss = segmentation_loss(kind, half, target)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, segmentation_loss(kind, half.float(), target))


@pytest.mark.parametrize("kind", KINDS)
def test_descending_the_loss_finds_the_labels(kind: str) -> None:
    logits, target = random_case(ignored=0.2)
    logits.requires_grad_()
    optimiser = torch.optim.Adam([logits], lr=0.5)
    for _ in range(60):
        optimiser.zero_grad()
        segmentation_loss(kind, logits, target).backward()
        optimiser.step()
    annotated = target != IGNORED
    assert (logits.argmax(dim=1) == target)[annotated].all()
