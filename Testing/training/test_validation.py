from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pcl_core.training.loop import report_interval
from pcl_core.training.validation import pooled_dice, validation_due
from pcl_core.training.weights import SegmentClass

CPU = torch.device("cpu")
CLASSES = (SegmentClass(4, "a", (0, 0, 0)), SegmentClass(9, "b", (0, 0, 0)), SegmentClass(11, "c", (0, 0, 0)))


class Painted(nn.Module):
    """Says of each pixel the channel that its image holds."""

    def forward(self, images: Tensor) -> Tensor:
        return -(images - torch.arange(4.0)[None, :, None, None]).abs()


def batch_of(found: list[int], true: list[int]) -> tuple[Tensor, Tensor]:
    return torch.tensor(found).float().reshape(1, 1, 1, -1), torch.tensor(true).reshape(1, 1, -1)


@given(total=st.integers(1, 30_000))
@settings(deadline=None, max_examples=60)
def test_the_held_out_case_is_scored_about_twenty_times_however_long_the_training(total: int) -> None:
    every = report_interval(total)
    scored = [step for step in range(1, total + 1) if (step % every == 0 or step == total) and validation_due(step, total)]
    assert scored[-1] == total
    assert min(total, 20) <= len(scored) <= 42
    assert max(np.diff([0, *scored])) <= total / 20 + 2 * every


def test_dice_is_pooled_over_all_batches_and_named_by_value() -> None:
    batches = [batch_of([1, 1, 0, 2], [1, 0, 0, 2]), batch_of([1, 1, 1, 0], [1, 1, 1, 2])]
    dice = pooled_dice(Painted(), batches, CLASSES, CPU)
    assert dice == {"dice_4": pytest.approx(2 * 4 / (5 + 4)), "dice_9": pytest.approx(2 * 1 / (1 + 2))}


def test_what_is_not_annotated_does_not_count() -> None:
    dice = pooled_dice(Painted(), [batch_of([1, 1, 1, 2], [1, 255, 1, 255])], CLASSES, CPU)
    assert dice == {"dice_4": 1.0}


def test_a_class_that_is_found_where_there_is_none_scores_0() -> None:
    assert pooled_dice(Painted(), [batch_of([1, 0], [0, 0])], CLASSES, CPU) == {"dice_4": 0.0}
