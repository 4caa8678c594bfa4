from __future__ import annotations

import pytest
import torch
from torch import nn

from pcl_core.errors import InputError, OutOfMemoryError
from pcl_core.networks.unet import UNet
from pcl_core.training.devices import (
    autocast,
    choose_device,
    device_facts,
    device_name,
    explained_memory,
    half_precision,
    on_device,
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
