from __future__ import annotations

import pytest
import torch
from torch import nn

from pcl_core.training.descent import Descent, adamw, sgd

CPU = torch.device("cpu")


def layer() -> nn.Linear:
    network = nn.Linear(2, 1, bias=False)
    nn.init.ones_(network.weight)
    return network


def test_a_step_of_sgd_is_the_rate_times_the_gradient() -> None:
    network = layer()
    descent = Descent(sgd(network.parameters(), CPU, 0.9, 0.0), CPU)
    descent.backward(network(torch.tensor([[1.0, 2.0]])).sum())
    descent.step(0.1)
    torch.testing.assert_close(network.weight.detach(), torch.tensor([[0.9, 0.8]]))


def test_gradients_of_an_earlier_loss_are_replaced() -> None:
    network = layer()
    descent = Descent(sgd(network.parameters(), CPU, 0.0, 0.0), CPU)
    for _ in range(2):
        descent.backward(network(torch.tensor([[1.0, 2.0]])).sum())
    assert network.weight.grad is not None
    torch.testing.assert_close(network.weight.grad, torch.tensor([[1.0, 2.0]]))


def test_weights_that_are_not_trained_are_left_out() -> None:
    network = nn.Sequential(layer(), layer())
    network[1].requires_grad_(False)
    (group,) = sgd(network.parameters(), CPU, 0.9, 0.0).param_groups
    assert len(group["params"]) == 1


@pytest.mark.parametrize("make", [adamw, lambda parameters, device, decay: sgd(parameters, device, 0.9, decay)])
def test_a_rate_of_zero_changes_nothing(make) -> None:
    network = layer()
    descent = Descent(make(network.parameters(), CPU, 0.0), CPU)
    descent.backward(network(torch.tensor([[1.0, 2.0]])).sum())
    descent.step(0.0)
    assert torch.equal(network.weight.detach(), torch.ones(1, 2))
