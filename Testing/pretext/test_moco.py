from __future__ import annotations

import math

import pytest
import torch

from pcl_core.plan import AugmentationPlan
from pcl_core.pretext.moco import MoCo
from pcl_core.slices.augmentation import Augmenter
from Testing.pretext.making import batch_of, encoder_of, forward_of, seeded

STILL = Augmenter(AugmentationPlan())


def task_of(encoder, rows: int = 18, threshold: float = 0.0) -> MoCo:
    task = MoCo(encoder, 8, 0.2, threshold, rows)
    task.initialise(seeded())
    return task


def test_the_slow_networks_begin_as_copies_and_follow_by_a_thousandth() -> None:
    encoder = encoder_of()
    task = task_of(encoder)
    before = [parameter.clone() for parameter in task.slow_head.parameters()]
    assert all(torch.equal(a, b) for a, b in zip(before, task.head.parameters(), strict=True))
    with torch.no_grad():
        for parameter in task.head.parameters():
            parameter.add_(1)
    task.after_step(encoder)
    for old, new in zip(before, task.slow_head.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.001, rtol=0, atol=1e-6)


def test_slow_networks_are_not_trained() -> None:
    encoder = encoder_of()
    task = task_of(encoder)
    task.loss(forward_of(encoder), batch_of(), STILL, seeded()).backward()
    assert all(parameter.grad is None for parameter in [*task.slow_encoder.parameters(), *task.slow_head.parameters()])
    assert all(parameter.grad is not None for parameter in [*encoder.parameters(), *task.head.parameters()])


def test_the_queue_forgets_its_oldest_keys_first() -> None:
    encoder = encoder_of()
    task = task_of(encoder, rows=10)
    for slices, filled in ((6, 6), (6, 10)):
        task.loss(forward_of(encoder), batch_of(slices), STILL, seeded())
        task.after_step(encoder)
        assert task._length() == filled
    assert task.index.tolist() == [4, 5, 2, 3, 4, 5, 0, 1, 2, 3]


def test_a_queue_that_is_resumed_is_as_long_as_it_was() -> None:
    encoder = encoder_of()
    task, other = task_of(encoder), task_of(encoder)
    task.loss(forward_of(encoder), batch_of(6), STILL, seeded())
    task.after_step(encoder)
    torch.nn.ModuleDict({"task": other}).load_state_dict(torch.nn.ModuleDict({"task": task}).state_dict())
    assert other._length() == task._length() == 6


@pytest.mark.parametrize("threshold", [0.0, 0.4])
def test_the_loss_is_the_loop_over_queries_and_candidates(threshold: float) -> None:
    encoder = encoder_of().eval()  # so that keys do not depend on the batch's statistics
    task = task_of(encoder, threshold=threshold).eval()
    first, second = batch_of(6), batch_of(5)
    task.loss(forward_of(encoder), first, STILL, seeded())
    task.after_step(encoder)
    loss = task.loss(forward_of(encoder), second, STILL, seeded()).detach()
    query = torch.nn.functional.normalize(forward_of(encoder)(second.images, task.head), dim=1)
    key = torch.nn.functional.normalize(forward_of(encoder)(second.images, task.slow_head, task.slow_encoder), dim=1)
    total = 0.0
    for n in range(5):
        candidates = [key[n], *task.keys[:6]]
        near = [True, *(abs((n + 1) / 5 - (k + 1) / 6) < threshold for k in range(6))]
        logits = [float(query[n].detach() @ candidate.detach()) / 0.2 for candidate in candidates]
        whole = math.log(sum(map(math.exp, logits)))
        total -= sum(logit - whole for logit, positive in zip(logits, near, strict=True) if positive) / sum(near)
    assert loss.item() == pytest.approx(total / 5, rel=1e-4)


def test_equal_keys_score_as_collapsed() -> None:
    encoder = encoder_of()
    task = task_of(encoder, threshold=0.3)
    batch = batch_of()
    full = {"keys": torch.full_like(task.keys, 8**-0.5), "filled": torch.tensor(len(task.keys))}
    task.load_state_dict({**task.state_dict(), **full})
    with torch.no_grad():  # heads that answer everything alike
        for head in (task.head, task.slow_head):
            head.layers[2].weight.zero_()
            head.layers[2].bias.fill_(1)
    loss = task.loss(forward_of(encoder), batch, STILL, seeded()).item()
    assert loss == pytest.approx(math.log(19), rel=1e-5)
    assert task.collapse(loss, batch) == pytest.approx(1, rel=1e-4)
