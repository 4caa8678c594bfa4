from __future__ import annotations

import os

import pytest
import torch
from torch import nn

from pcl_core.errors import OutOfMemoryError
from pcl_core.networks.unet import UNet
from pcl_core.training import devices
from pcl_core.training.devices import (
    autocast,
    channels_last,
    compute_type,
    device_facts,
    device_name,
    explained_memory,
    half_precision,
    is_want_of_memory,
    on_device,
    usable_cores,
)

CPU = torch.device("cpu")


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


NO_ENGINE = "GET was unable to find an engine to execute this computation"


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        torch.AcceleratorError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
        RuntimeError("Triton Error [CUDA]: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    ],
    ids=str,
)
def test_every_way_in_which_a_gpu_runs_out_of_memory_is_explained_as_that(error: RuntimeError) -> None:
    assert is_want_of_memory(error)
    with pytest.raises(OutOfMemoryError, match="memory of the device"), explained_memory("Try less."):
        raise error


@pytest.mark.parametrize("works", [True, False])
def test_a_convolution_without_an_algorithm_lacks_memory_only_where_a_small_one_works(works, monkeypatch) -> None:
    monkeypatch.setattr(devices, "small_convolution_works", lambda: works)
    assert is_want_of_memory(RuntimeError(NO_ENGINE)) == works


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_no_algorithm_is_no_want_of_memory() -> None:
    assert not is_want_of_memory(RuntimeError(NO_ENGINE))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
def test_a_gpu_that_works_does_a_small_convolution() -> None:
    assert devices.small_convolution_works()


@pytest.mark.parametrize("words", ["DefaultCPUAllocator: can't allocate memory", "not enough memory", "std::bad_alloc"])
def test_want_of_the_machines_memory_is_told_as_that(words: str) -> None:
    with pytest.raises(OutOfMemoryError, match="memory of the machine"), explained_memory("Try less."):
        raise RuntimeError(words)


@pytest.mark.parametrize("words", ["CUDA error: no kernel image is available", "CUDNN_STATUS_NOT_SUPPORTED", "out of resource"])
def test_faults_of_a_gpu_are_no_want_of_memory(words: str) -> None:
    assert not is_want_of_memory(RuntimeError(words))


def test_a_gpu_that_others_have_filled_is_told_as_that_when_it_is_asked(monkeypatch) -> None:
    def full(_device: torch.device) -> tuple[int, int]:
        raise torch.AcceleratorError("CUDA error: out of memory")

    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: (8, 0))
    monkeypatch.setattr(torch.cuda, "mem_get_info", full)
    with pytest.raises(OutOfMemoryError) as caught:
        device_facts(torch.device("cuda"))
    assert "--device cpu" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "capability", "kind"),
    [
        ("NVIDIA H100 80GB HBM3", (9, 0), torch.bfloat16),
        ("Tesla V100-SXM2-16GB", (7, 0), torch.float16),
        ("Tesla T4", (7, 5), torch.float16),
        ("NVIDIA GeForce RTX 2060", (7, 5), torch.float16),
        ("NVIDIA GeForce GTX 1660 SUPER", (7, 5), torch.float32),
        ("NVIDIA GeForce GTX 1650 with Max-Q Design", (7, 5), torch.float32),
        ("NVIDIA GeForce MX450", (7, 5), torch.float32),
        ("Quadro T1000", (7, 5), torch.float32),
        ("NVIDIA T1200 Laptop GPU", (7, 5), torch.float32),
        ("NVIDIA T400 4GB", (7, 5), torch.float32),
        ("NVIDIA GeForce GTX 1080", (6, 1), torch.float32),
    ],
)
def test_16_bits_are_taken_on_gpus_that_compute_in_them_rightly(name, capability, kind, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _device: name)
    assert compute_type(torch.device("cuda")) is kind


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
