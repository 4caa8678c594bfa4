"""What the machine is, and what it can do at most."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from typing import Any

import torch

from pcl_core.training.devices import compute_type, device_name, half_precision, machine_memory

# Sides of the matrices, bytes of the copy, and how often each is done between two looks at the clock: a GPU computes a small
# product as fast as it is told to, and keeps few bytes in its cache.
_SIDE = {"cpu": 2048, "cuda": 8192}
_BYTES = {"cpu": 2**26, "cuda": 2**29}
_AT_ONCE = {"cpu": 1, "cuda": 8}
_TIMES = 5


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
    side = _SIDE[device.type]
    left, right = (torch.randn(side, side, device=device).to(compute_type(device)) for _ in range(2))
    return 2 * side**3 / _fastest(lambda: left @ right, device)


def copy_rate(device: torch.device) -> float:
    """Bytes a second that a large copy moves (read and written)."""
    source = torch.zeros(_BYTES[device.type], dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * len(source) / _fastest(lambda: target.copy_(source), device)


def _fastest(work: Callable[[], object], device: torch.device) -> float:
    """Seconds of one piece of work, the fastest of several times."""
    best, count = float("inf"), _AT_ONCE[device.type]
    for _ in range(_TIMES):
        synchronise(device)
        begin = time.perf_counter()
        for _ in range(count):
            work()
        synchronise(device)
        best = min(best, (time.perf_counter() - begin) / count)
    return best


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
