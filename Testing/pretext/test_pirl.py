from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from pcl_core.plan import AugmentationPlan
from pcl_core.pretext.pirl import PIRL, jigsaw
from pcl_core.slices.augmentation import Augmenter
from Testing.pretext.making import batch_of, encoder_of, forward_of, seeded

STILL = Augmenter(AugmentationPlan())


def task_of(rows: int = 6, temperature: float = 0.1) -> PIRL:
    task = PIRL(64, 8, temperature, rows, seeded())
    task.initialise(seeded())
    return task


@pytest.mark.parametrize(("side", "cell"), [(32, 16), (48, 16), (64, 16), (96, 32), (352, 112)])
def test_cells_have_sides_that_the_encoder_takes(side: int, cell: int) -> None:
    assert jigsaw(torch.rand(2, 1, side, side), seeded()).shape == (18, 1, cell, cell)


def test_a_jigsaw_holds_the_nine_cells_of_its_view_and_nothing_else() -> None:
    views = torch.arange(9.0).reshape(1, 1, 3, 3).repeat_interleave(16, 2).repeat_interleave(16, 3).repeat(2, 1, 1, 1)
    views[1] += 100
    cells = jigsaw(views, seeded()).reshape(2, 9, -1)
    assert (cells == cells[:, :, :1]).all()
    assert cells[0, :, 0].sort().values.tolist() == list(range(9))
    assert cells[1, :, 0].sort().values.tolist() == list(range(100, 109))
    assert cells[0, :, 0].tolist() != (cells[1, :, 0] - 100).tolist()


def test_the_estimate_is_the_loop_over_negatives() -> None:
    task = task_of(temperature=0.3)
    found, own = (torch.nn.functional.normalize(torch.randn(3, 8, generator=seeded(k)), dim=1) for k in (1, 2))
    negatives = torch.nn.functional.normalize(torch.randn(3, 5, 8, generator=seeded(3)), dim=2)
    total = 0.0
    for n in range(3):
        positive = math.exp(float(found[n] @ own[n]) / 0.3)
        others = [math.exp(float(found[n] @ negatives[n, k]) / 0.3) for k in range(5)]
        whole = positive + sum(others)
        total += -math.log(positive / whole) - sum(math.log(1 - other / whole) for other in others)
    assert task._nce(found, own, negatives).item() == pytest.approx(total / 3, rel=1e-5)


def test_negatives_are_never_the_slice_itself() -> None:
    task = task_of(rows=5)
    task.bank.copy_(torch.eye(8)[:5])
    row = torch.arange(5).repeat(40)
    drawn = task._negatives(row, seeded())
    assert drawn.shape == (200, 4, 8)
    itself = (drawn * task.bank[row][:, None]).sum(dim=2)
    assert (itself == 0).all()
    assert (drawn.argmax(dim=2).unique() == torch.arange(5)).all()


def test_equal_similarities_score_as_collapsed() -> None:
    task, batch = task_of(), batch_of()
    task.bank.fill_(8**-0.5)
    loss = task._nce(task.bank[:3], task.bank[:3], task.bank[:5].expand(3, 5, 8)).item()
    assert task.collapse(loss, batch) == pytest.approx(1, rel=1e-4)


def test_the_bank_moves_half_way_to_the_new_embeddings_of_its_slices_only() -> None:
    encoder, task, batch = encoder_of(), task_of(rows=9), batch_of(6)
    before = task.bank.clone()
    task.loss(forward_of(encoder), batch, STILL, seeded()).backward()
    row, image = task._seen
    task.after_step(encoder)
    expected = torch.nn.functional.normalize((before[row] + image) / 2, dim=1)
    torch.testing.assert_close(task.bank[row], expected)
    assert torch.equal(task.bank[6:], before[6:])


def test_the_loss_reaches_encoder_and_all_heads() -> None:
    encoder, task = encoder_of(), task_of()
    task.loss(forward_of(encoder), batch_of(), STILL, seeded()).backward()
    assert all(parameter.grad is not None for parameter in [*encoder.parameters(), *task.parameters()])


def test_a_bank_of_one_slice_has_a_finite_loss() -> None:
    batch = replace(batch_of(2), row=torch.zeros(2, dtype=torch.long))
    loss = task_of(rows=1).loss(forward_of(encoder_of()), batch, STILL, seeded())
    assert math.isfinite(loss.item())
