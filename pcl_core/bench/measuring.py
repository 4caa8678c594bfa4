"""How long work takes, how busy the device is with it, and how much memory it needs."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch
from torch.autograd.profiler_util import FunctionEvent

from pcl_core.bench.machine import peak_bytes, synchronise

# A stage is repeated until so much time has passed, and between so many times.
_ENOUGH_SECONDS = 2.5
_FEWEST, _MOST = 3, 20


@dataclass(frozen=True)
class Measured:
    """Repeated work.

    Attributes:
        seconds: median of one repetition.
        busy: share of that time in which the device worked, 0 to 1: of all cores, or of the GPU.
    """

    seconds: float
    busy: float


def measure(work: Callable[[], object], device: torch.device, enough: float = _ENOUGH_SECONDS) -> Measured:
    """Repeats work for some seconds, after once that does not count."""
    work()
    synchronise(device)
    times: list[float] = []
    begin, processor = time.perf_counter(), time.process_time()
    while len(times) < _FEWEST or (len(times) < _MOST and time.perf_counter() - begin < enough):
        before = time.perf_counter()
        work()
        synchronise(device)
        times.append(time.perf_counter() - before)
    wall = time.perf_counter() - begin
    if device.type == "cuda":
        return Measured(median(times), min(1.0, _gpu_seconds(work, device, _FEWEST) / _FEWEST / median(times)))
    return Measured(median(times), min(1.0, (time.process_time() - processor) / wall / torch.get_num_threads()))


def each(run: Callable[[int], object], device: torch.device, few: int, many: int) -> Measured:
    """Measures one of the equal repetitions that ``run`` is told to do: what many take longer than few.

    So what a run does once, at its beginning and its end, does not count. On a GPU the run is done again to see how busy it is.
    """

    def times(repetitions: int) -> tuple[float, float]:
        begin, processor = time.perf_counter(), time.process_time()
        run(repetitions)
        synchronise(device)
        return time.perf_counter() - begin, time.process_time() - processor

    (few_wall, few_processor), (many_wall, many_processor) = times(few), times(many)
    wall = max(many_wall - few_wall, 1e-9)
    if device.type == "cuda":
        worked = _gpu_seconds(lambda: run(many), device) - _gpu_seconds(lambda: run(few), device)
        return Measured(wall / (many - few), max(0.0, min(1.0, worked / wall)))
    busy = (many_processor - few_processor) / wall / torch.get_num_threads()
    return Measured(wall / (many - few), max(0.0, min(1.0, busy)))


def _gpu_seconds(work: Callable[[], object], device: torch.device, times: int = 1) -> float:
    """Seconds in which a GPU worked. The profiler holds the processor up, but not the kernels: the time is taken without it."""
    synchronise(device)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        for _ in range(times):
            work()
        synchronise(device)
    return kernel_seconds(profile.events() or ())


def kernel_seconds(events: Iterable[FunctionEvent]) -> float:
    """Seconds of the kernels and copies in a profile; the processor's calls that started them tell the same time again."""
    kernels = (one for one in events if one.device_type.name == "CUDA" and not one.is_user_annotation)
    return float(sum(one.time_range.end - one.time_range.start for one in kernels)) / 1e6


def forget_peak(device: torch.device) -> None:
    """Lets the largest memory be counted anew, where the system can."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif platform.system() == "Linux":
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak_since(device: torch.device) -> int | None:
    """Largest memory since forget_peak: of the GPU, or of this process; where the system cannot tell, since its start."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return peak_bytes(device)
