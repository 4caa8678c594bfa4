"""What the machine is, and what it can do at most."""

from __future__ import annotations

import os
import platform
import time
from typing import Any

import torch

from pcl_core.training.devices import device_name, half_precision, machine_memory

_SIDE = 2048


def describe(device: torch.device) -> dict[str, Any]:
    """Names and sizes for the report."""
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "memory_bytes": machine_memory(),
        "device": device_name(device),
        "bfloat16": half_precision(device),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": platform.platform(),
    }


def peak_rate(device: torch.device) -> float:
    """Multiplications and additions a second that a large matrix product reaches, in the precision that training uses."""
    kind = torch.bfloat16 if half_precision(device) else torch.float32
    left, right = (torch.randn(_SIDE, _SIDE, device=device).to(kind) for _ in range(2))
    best = float("inf")
    for _ in range(5):
        begin = time.perf_counter()
        left @ right
        synchronise(device)
        best = min(best, time.perf_counter() - begin)
    return 2 * _SIDE**3 / best


def copy_rate(device: torch.device) -> float:
    """Bytes a second that a large copy moves (read and written)."""
    source = torch.zeros(2**26, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    best = float("inf")
    for _ in range(5):
        begin = time.perf_counter()
        target.copy_(source)
        synchronise(device)
        best = min(best, time.perf_counter() - begin)
    return 2 * len(source) / best


def synchronise(device: torch.device) -> None:
    """Waits until a GPU has done what it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_bytes(device: torch.device, of_children: bool = False) -> int | None:
    """Largest memory so far: of the GPU, of this process, or of its children; None where the system does not tell."""
    if device.type == "cuda":
        return None if of_children else torch.cuda.max_memory_allocated(device)
    try:
        import resource  # noqa: PLC0415 (not on Windows)
    except ImportError:
        return None
    whose = resource.RUSAGE_CHILDREN if of_children else resource.RUSAGE_SELF
    largest = resource.getrusage(whose).ru_maxrss
    return largest if platform.system() == "Darwin" else largest * 1024
