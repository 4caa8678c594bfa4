from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from pcl_core.training import descent
from pcl_core.training.descent import Descent, adamw, sgd
from pcl_core.training.state import load_state, save_state
from pcl_core.training.weights import WeightFile
from Testing.making import tiny_plan

CPU = torch.device("cpu")


def layer() -> nn.Linear:
    network = nn.Linear(2, 1, bias=False)
    nn.init.ones_(network.weight)
    return network


def test_a_step_of_sgd_is_the_rate_times_the_gradient() -> None:
    network = layer()
    change = Descent(sgd(network.parameters(), CPU, 0.9, 0.0), CPU)
    change.backward(network(torch.tensor([[1.0, 2.0]])).sum())
    change.step(0.1)
    torch.testing.assert_close(network.weight.detach(), torch.tensor([[0.9, 0.8]]))


def test_gradients_of_an_earlier_loss_are_replaced() -> None:
    network = layer()
    change = Descent(sgd(network.parameters(), CPU, 0.0, 0.0), CPU)
    for _ in range(2):
        change.backward(network(torch.tensor([[1.0, 2.0]])).sum())
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
    change = Descent(make(network.parameters(), CPU, 0.0), CPU)
    change.backward(network(torch.tensor([[1.0, 2.0]])).sum())
    change.step(0.0)
    assert torch.equal(network.weight.detach(), torch.ones(1, 2))


@pytest.fixture
def uncertain_memory() -> Iterator[None]:
    """Memory that nobody has written to holds no numbers."""
    torch.use_deterministic_algorithms(True)  # of which filling such memory is a part
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def older_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processor takes the place of a GPU that computes in 16-bit floats."""
    monkeypatch.setattr(descent, "compute_type", lambda _device: torch.float16)
    monkeypatch.setattr(descent, "_one_kernel", lambda _device: True)


def overflown(rate: float = 0.1) -> tuple[nn.Linear, Descent]:
    """A layer after a step whose gradients were too large."""
    network = layer()
    found = Descent(sgd(network.parameters(), CPU, 0.9, 0.0), CPU)
    found.backward(network(torch.full((1, 2), torch.inf)).sum())
    found.step(rate)
    return network, found


def test_a_step_on_a_gpu_is_one_kernel_which_never_waits_for_an_answer(older_gpu: None) -> None:
    for optimiser in (sgd(layer().parameters(), CPU, 0.9, 0.0), adamw(layer().parameters(), CPU, 0.0)):
        assert optimiser.param_groups[0]["fused"]
        assert optimiser._step_supports_amp_scaling  # or GradScaler looks at the gradients first
    assert descent._one_kernel(torch.device("cuda"))


def test_a_first_step_that_is_skipped_leaves_no_trace(older_gpu: None, uncertain_memory: None) -> None:
    network, found = overflown()
    torch.testing.assert_close(network.weight.detach(), torch.ones(1, 2))
    found.backward(network(torch.ones(1, 2)).sum())
    found.step(0.1)
    torch.testing.assert_close(network.weight.detach(), torch.full((1, 2), 0.9))


def test_what_the_scaling_of_losses_has_learned_goes_into_the_checkpoint(older_gpu: None, tmp_path: Path) -> None:
    network, found = overflown()
    about = WeightFile("encoder", tiny_plan())
    save_state(tmp_path, {"network": network}, found, 1, about)
    other = layer()
    resumed = Descent(sgd(other.parameters(), CPU, 0.9, 0.0), CPU)
    assert resumed.scaling() != found.scaling()
    assert load_state(tmp_path, {"network": other}, resumed, about) == 1
    assert resumed.scaling() == found.scaling()
    assert found.scaling()["scale"] == 2.0**12


def test_a_run_goes_on_where_losses_are_not_scaled(older_gpu: None, monkeypatch: pytest.MonkeyPatch) -> None:
    _, found = overflown()
    monkeypatch.setattr(descent, "compute_type", lambda _device: torch.float32)
    network = layer()
    other = Descent(sgd(network.parameters(), CPU, 0.9, 0.0), CPU)
    other.go_on_scaling(found.scaling())
    assert other.scaling() == {}
