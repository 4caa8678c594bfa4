from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from pcl_core.training.averaging import averaged_copy, update_average


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))


def changed(source: nn.Module, step: int) -> nn.Module:
    other = copy.deepcopy(source)
    with torch.no_grad():
        for value in other.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.randn(value.shape, generator=torch.Generator().manual_seed(step)))
    return other


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.99])
def test_the_average_is_that_of_the_closed_form(decay: float) -> None:
    start = network()
    average = averaged_copy(start)
    expected = {name: value.double() for name, value in start.state_dict().items()}
    for step in range(60):
        now = changed(start, step)
        update_average(average, now, decay, step)
        d = min(decay, (1 + step) / (10 + step))
        expected = {name: d * value + (1 - d) * now.state_dict()[name].double() for name, value in expected.items()}
    for name, value in average.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value.double(), expected[name], atol=1e-5, rtol=1e-5)


def test_a_decay_of_0_keeps_the_last_weights_exactly() -> None:
    start = network()
    average, now = averaged_copy(start), changed(start, 5)
    update_average(average, now, 0.0, 5)
    assert all(torch.equal(a, b) for a, b in zip(average.state_dict().values(), now.state_dict().values(), strict=True))


def test_statistics_of_batchnorm_are_averaged_too() -> None:
    start = network()
    average, now = averaged_copy(start), changed(start, 5)
    update_average(average, now, 0.99, 1000)
    moved = average[1].running_mean
    torch.testing.assert_close(moved, 0.01 * now[1].running_mean, atol=1e-6, rtol=1e-5)


def test_the_average_is_never_trained_and_shares_nothing() -> None:
    start = network()
    average = averaged_copy(start)
    assert not any(parameter.requires_grad for parameter in average.parameters())
    assert not average.training
    with torch.no_grad():
        start[0].weight.zero_()
    assert average[0].weight.abs().sum() > 0
