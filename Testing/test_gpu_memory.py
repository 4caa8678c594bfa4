from __future__ import annotations

import platform

import numpy as np
import pytest
import torch

from pcl_core.gpu_memory import free_bytes, kept_to_the_gpu
from pcl_core.slices import loading
from pcl_core.slices.loading import PrefetchingLoader, ResidentLoader, loader_for

GPU = torch.device("cuda")


@pytest.fixture
def cached(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU of 1,000 bytes, of which others have 500; PyTorch keeps 400 and uses 150 of them."""
    says = {"mem_get_info": (100, 1000), "memory_reserved": 400, "memory_allocated": 150}
    for name, answer in says.items():
        monkeypatch.setattr(torch.cuda, name, lambda _device, answer=answer: answer)


def test_what_pytorch_keeps_for_later_is_free(cached: None) -> None:
    assert free_bytes(GPU) == 350


def test_a_bank_that_fits_beside_a_step_stays_on_the_gpu(cached: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "ResidentLoader", lambda images, _device: ResidentLoader(images, torch.device("cpu")))
    images = np.zeros((10, 3, 3), np.float16)  # 180 bytes
    assert isinstance(loader_for(images, GPU, step_bytes=50), ResidentLoader)
    assert isinstance(loader_for(images, GPU, step_bytes=60), PrefetchingLoader)


@pytest.fixture
def fractions(cached: None, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, float]]:
    """What PyTorch's allocator is told to keep to, by the number of the GPU; all before it is PyTorch's own."""
    told: list[tuple[int, float]] = []
    monkeypatch.setattr(torch.cuda.memory, "_lazy_init", lambda: None)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 2)
    allocator = "_cuda_setMemoryFraction"
    monkeypatch.setattr(torch._C, allocator, lambda fraction, number: told.append((number, fraction)), raising=False)
    return told


def fails_on(device: torch.device) -> None:
    with kept_to_the_gpu(device):
        raise RuntimeError("CUDA out of memory")


@pytest.mark.parametrize(("device", "number"), [("cuda", 2), ("cuda:1", 1)])
def test_on_windows_a_training_is_kept_to_the_free_memory_of_the_gpu(device: str, number: int, fractions, monkeypatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    with pytest.raises(RuntimeError, match="out of memory"):
        fails_on(torch.device(device))
    assert fractions == [(number, pytest.approx((400 + 0.95 * 100) / 1000)), (number, 1.0)]


@pytest.mark.parametrize(("system", "device"), [("Linux", "cuda"), ("Windows", "cpu")])
def test_elsewhere_nothing_is_changed(system: str, device: str, fractions, monkeypatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    with pytest.raises(RuntimeError, match="out of memory"):
        fails_on(torch.device(device))
    assert fractions == []
