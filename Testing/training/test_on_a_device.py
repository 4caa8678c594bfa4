"""Steps of the trainings on a device that holds nothing: PyTorch's meta device, whose tensors have shapes and no values.

Whatever needs a value on the way fails there, where on a GPU it would wait for all work that was given to it; and tensors of
the processor that meet others of the device fail as they would on a GPU.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from pcl_core.cancellation import Cancellation
from pcl_core.events import Reporter
from pcl_core.networks import in_parts
from pcl_core.presets import suited_to
from pcl_core.pretext.registry import NAMES
from pcl_core.slices import augmentation
from pcl_core.slices.bank import SliceBank
from pcl_core.slices.loading import ResidentLoader
from pcl_core.training import finetuning, objective, pretraining
from pcl_core.training.cases import Split, find_classes
from pcl_core.training.context import Context
from Testing.making import tiny_plan

DEVICE = torch.device("meta")
CONTEXT = Context(DEVICE, 0, Reporter(), Cancellation())


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
    """What a GPU has and this device lacks: a resident bank, memory to fetch from, random numbers of its own, autocast."""
    monkeypatch.setattr(Tensor, "pin_memory", lambda tensor: tensor)
    monkeypatch.setattr(augmentation, "_speckle", lambda views, _generator: torch.randn_like(views))
    enabled = torch.is_autocast_enabled
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda kind: kind != "meta" and enabled(kind))
    monkeypatch.setattr(in_parts, "_as_before", lambda _precision, _device: nullcontext())
    monkeypatch.setattr(finetuning, "autocast", lambda _device: nullcontext())
    monkeypatch.setattr(objective, "compute_type", lambda _device: torch.float32)
    for training in (pretraining, finetuning):
        monkeypatch.setattr(training, "loader_for", lambda images, device, _step_bytes: ResidentLoader(images, device))


def require_trained(network: nn.Module) -> None:
    """All weights have gradients on the device, laid out as kernels for all weights at once want them."""
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert parameter.grad.device == DEVICE
            assert lengths_apart(parameter.grad) == lengths_apart(parameter), name


def lengths_apart(values: Tensor) -> list[int]:
    """The strides that those kernels compare."""
    return [stride for stride, size in zip(values.stride(), values.shape, strict=True) if size > 1]


@pytest.mark.parametrize("part", [0, 3])
@pytest.mark.parametrize("method", NAMES)
def test_steps_of_every_method_ask_the_device_for_nothing(method: str, part: int, bank: SliceBank, tmp_path: Path) -> None:
    plan = suited_to(tiny_plan(), method).override(pretrain__method=method, pretrain__part=part)
    run = pretraining._Pretraining(bank, plan, tmp_path, CONTEXT)
    with Copies() as copies, Values() as values:
        for step in range(3):
            assert run.train_step(step) > 0
    losses = [loss for loss, _ in run._seen]
    assert [(loss.device, loss.dtype) for loss in losses] == [(DEVICE, torch.float32)] * 3
    assert (copies.blocking, values.made) == ([], [])
    require_trained(run.network)


def test_steps_of_a_fine_tuning_ask_the_device_for_nothing(labelled: SliceBank, tmp_path: Path) -> None:
    annotations = finetuning.Annotations(labelled, find_classes(labelled, {}), Split(labelled.volumes, ()))
    run = finetuning._Finetuning(annotations, tiny_plan(), tmp_path, CONTEXT, None)
    with Copies() as copies, Values() as values:
        for step in range(3):
            assert run.train_step(step) > 0
    assert [loss.device for loss in run._losses] == [DEVICE] * 3
    assert (copies.blocking, values.made) == ([], [])
    require_trained(run.network)
