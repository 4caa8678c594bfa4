"""The memory of a GPU: how much of it a program can have, and no more."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from contextlib import contextmanager

import torch

# Of what is free; the rest is for what the libraries take beside PyTorch's allocator.
_FOR_TENSORS = 0.95


def free_bytes(device: torch.device) -> int:
    """Bytes of a GPU that tensors can have: those that nobody has, and those that PyTorch keeps and no tensor uses."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


@contextmanager
def kept_to_the_gpu(device: torch.device) -> Iterator[None]:
    """Has PyTorch fail when the memory of a GPU is used up, where the driver would go on in the memory of the machine.

    NVIDIA's driver does so on Windows unless a person sets its "CUDA - Sysmem Fallback Policy" otherwise, and a step then takes
    many times as long, where a training that is told can take less. Elsewhere nothing is changed: there the driver fails
    itself, and memory that other programs give back meanwhile can be had.
    """
    if device.type != "cuda" or platform.system() != "Windows":
        yield
        return
    number = torch.cuda.current_device() if device.index is None else device.index  # unlike the others, it takes no "cuda"
    free, whole = torch.cuda.mem_get_info(device)
    allowed = torch.cuda.memory_reserved(device) + _FOR_TENSORS * free
    torch.cuda.set_per_process_memory_fraction(min(1.0, allowed / whole), number)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, number)
