from __future__ import annotations

import os

import pytest
import torch
from torch import nn

from pcl_core.errors import InputError, OutOfMemoryError
from pcl_core.networks.unet import UNet
from pcl_core.training.devices import (
    autocast,
    channels_last,
    choose_device,
    device_facts,
    device_name,
    explained_memory,
    half_precision,
    on_device,
    usable_cores,
)

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "meta", "mps", "xpu:0", "cuda:-1"])
def test_an_unknown_device_is_refused(name: str) -> None:
    with pytest.raises(InputError) as caught:
        choose_device(name)
    assert caught.value.hint


def test_the_processor_and_the_best_device_are_always_there() -> None:
    assert choose_device("cpu") == CPU
    assert choose_device("auto").type in ("cpu", "cuda")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_refused_with_the_reason() -> None:
    with pytest.raises(InputError, match="No GPU can be used"):
        choose_device("cuda:0")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
def test_a_gpu_beyond_the_last_is_refused() -> None:
    with pytest.raises(InputError, match="There is no cuda:99"):
        choose_device("cuda:99")


def test_the_facts_of_the_processor_are_the_machines() -> None:
    facts = device_facts(CPU)
    assert facts.kind == "cpu"
    assert facts.memory_bytes > 2**28
    assert "cpu" in device_name(CPU)


def test_autocast_computes_in_half_precision_where_the_hardware_does() -> None:
    with autocast(CPU):
        product = torch.rand(4, 4) @ torch.rand(4, 4)
    assert product.dtype == (torch.bfloat16 if half_precision(CPU) else torch.float32)


def test_a_network_on_its_device_computes_the_same() -> None:
    network = UNet(4, 3, torch.Generator().manual_seed(0)).eval()
    images = torch.rand(2, 1, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        before = network(images)
        after = on_device(network, CPU)(images)
    torch.testing.assert_close(after, before, atol=1e-5, rtol=1e-5)
    filters = [p for p in network.parameters() if p.dim() == 4]
    assert all(p.is_contiguous(memory_format=torch.channels_last) for p in filters)


def test_memory_that_runs_out_is_explained_with_a_hint() -> None:
    def exhaust() -> None:
        with explained_memory("Try less."):
            torch.empty(2**60, dtype=torch.uint8)

    with pytest.raises(OutOfMemoryError) as caught:
        exhaust()
    assert caught.value.hint == "Try less."
    assert caught.value.exit_code == 4


def test_numpys_and_pythons_memory_errors_are_explained_too() -> None:
    def exhaust() -> None:
        with explained_memory("Try less."):
            bytearray(2**62)

    with pytest.raises(OutOfMemoryError, match="not enough"):
        exhaust()


def test_other_faults_pass_unchanged() -> None:
    def fail() -> None:
        with explained_memory("Try less."):
            nn.Linear(2, 2)(torch.rand(3, 3))

    with pytest.raises(RuntimeError, match="shapes"):
        fail()


@pytest.mark.parametrize("channels", [1, 3])
def test_the_first_convolution_answers_with_the_channels_last(channels: int) -> None:
    # Images of one channel look the same in both layouts, and PyTorch would take the slower one.
    images = torch.rand(2, channels, 8, 6)
    laid_out = channels_last(images)
    assert torch.equal(laid_out, images)
    answer = on_device(nn.Conv2d(channels, 4, 3, padding=1), CPU)(laid_out)
    assert answer.is_contiguous(memory_format=torch.channels_last)
    assert not answer.is_contiguous()


def test_the_first_level_of_a_network_keeps_that_layout_in_both_directions() -> None:
    network = on_device(UNet(4, 3, torch.Generator().manual_seed(0)), CPU)
    seen: list[torch.Tensor] = []
    network.encoder.levels[0].register_full_backward_hook(lambda _module, _inputs, outputs: seen.append(outputs[0]))
    network(channels_last(torch.rand(2, 1, 32, 32)).requires_grad_()).sum().backward()
    assert seen[0].is_contiguous(memory_format=torch.channels_last)


def test_the_usable_cores_are_at_least_one_and_no_more_than_there_are() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
