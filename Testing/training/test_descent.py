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


@pytest.mark.parametrize(("capability", "fused"), [((7, 5), None), ((8, 6), True), ((6, 1), True)])
def test_momentum_is_not_left_to_one_kernel_where_steps_may_be_skipped(capability, fused, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: capability)
    (group,) = sgd(layer().parameters(), torch.device("cuda"), 0.9, 0.0).param_groups
    assert group["fused"] is fused
    (group,) = adamw(layer().parameters(), torch.device("cuda"), 0.0).param_groups
    assert group["fused"] is True


def test_a_first_step_that_is_skipped_leaves_no_trace() -> None:
    network = layer()
    descent = Descent(sgd(network.parameters(), CPU, 0.9, 0.0), CPU)
    descent._scaler = torch.amp.GradScaler("cpu", 2.0**13)
    for value in (torch.inf, 1.0):
        descent.backward(network(torch.full((1, 2), value)).sum())
        descent.step(0.1)
    torch.testing.assert_close(network.weight.detach(), torch.full((1, 2), 0.9))
