"""A step of every method on a device that holds nothing: PyTorch's meta device, whose tensors have shapes and no values.

Whatever needs a value on the way fails there, where on a GPU it would wait for all work that was given to it; and tensors of the
processor that meet others of the device fail as they would on a GPU.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from pcl_core.events import Reporter
from pcl_core.networks import in_parts
from pcl_core.networks.blocks import initialise
from pcl_core.networks.unet import Encoder
from pcl_core.presets import suited_to
from pcl_core.pretext.registry import NAMES, make_task
from pcl_core.slices import augmentation
from pcl_core.slices.augmentation import Augmenter
from pcl_core.slices.batch import SliceBatch
from pcl_core.training.compiling import Compiled
from pcl_core.training.descent import Descent, sgd
from pcl_core.training.gradients import Gradients
from pcl_core.training.objective import Objective
from pcl_core.training.seeding import generator_for
from Testing.making import tiny_plan

DEVICE = torch.device("meta")
SLICES, ROWS = 7, 11


class Copies(TorchDispatchMode):
    """Notes copies from the processor to the device that the processor waits for."""

    def __init__(self) -> None:
        super().__init__()
        self.blocking: list[tuple[int, ...]] = []

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if function is torch.ops.aten._to_copy.default:
            onto = torch.device(kwargs.get("device") or args[0].device)
            if args[0].device.type == "cpu" and onto == DEVICE and not kwargs.get("non_blocking"):
                self.blocking.append(tuple(args[0].shape))
        return function(*args, **kwargs)


class Values(TorchFunctionMode):
    """Notes tensors that are made on the device from values of the processor, which it waits for, too."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[str] = []

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        on_device = kwargs.get("device") == DEVICE or (args and isinstance(args[0], Tensor) and args[0].device == DEVICE)
        if function in (torch.tensor, torch.as_tensor, Tensor.new_tensor) and on_device:
            self.made.append(function.__name__)
        return function(*args, **kwargs)


@pytest.fixture(autouse=True)
def device(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a GPU has: memory that it fetches from by itself, its own random numbers, and an answer about autocast."""
    monkeypatch.setattr(Tensor, "pin_memory", lambda tensor: tensor)
    monkeypatch.setattr(augmentation, "_speckle", lambda views, _generator: torch.randn_like(views))
    enabled = torch.is_autocast_enabled
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda kind: kind != "meta" and enabled(kind))
    monkeypatch.setattr(in_parts, "_as_before", lambda _precision, _device: nullcontext())


def objective_of(method: str, part: int) -> tuple[Objective, Augmenter]:
    plan = suited_to(tiny_plan(), method).override(pretrain__method=method)
    weights = generator_for(0, "weights")
    encoder = Encoder(4)
    initialise(encoder, weights)
    task = make_task(plan, encoder, ROWS, weights)
    objective = Objective(encoder, task, DEVICE, part, Compiled((), Reporter()), torch.float32)
    return objective.train(), Augmenter(plan.pretrain.augmentation)


def lengths_apart(values: Tensor) -> list[int]:
    """The strides that kernels for all weights at once compare."""
    return [stride for stride, size in zip(values.stride(), values.shape, strict=True) if size > 1]


def batch_of() -> SliceBatch:
    numbers = torch.zeros(SLICES, dtype=torch.long, device=DEVICE)
    return SliceBatch(torch.rand(SLICES, 1, 32, 32, device=DEVICE), numbers, numbers, numbers)


@pytest.mark.parametrize("part", [0, 3])
@pytest.mark.parametrize("method", NAMES)
def test_a_step_of_every_method_asks_the_device_for_nothing(method: str, part: int) -> None:
    objective, augment = objective_of(method, part)
    descent = Descent(sgd(objective.parameters(), DEVICE, 0.9, 1e-5), DEVICE)
    gradients = Gradients(objective, descent, 2 * SLICES, Reporter())
    with Copies() as copies, Values() as values:
        for step in range(2):
            loss = gradients.of(batch_of(), augment, lambda step=step: generator_for(0, "views", step))
            descent.step(0.05)
            objective.task.after_step(objective.encoder)
    assert loss.device == DEVICE
    assert loss.dtype == torch.float32
    assert (copies.blocking, values.made) == ([], [])
    for name, parameter in objective.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.device == DEVICE
            assert lengths_apart(parameter.grad) == lengths_apart(parameter), name
