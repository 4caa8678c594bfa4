"""What a device can do, in which precision networks run on it, and what to say when memory runs out."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from pcl_core.errors import OutOfMemoryError
from pcl_core.gpu_memory import free_bytes
from pcl_core.presets import DeviceFacts


def device_facts(device: torch.device) -> DeviceFacts:
    """What the plan has to know of a device.

    Raises:
        OutOfMemoryError: other programs have so much of a GPU that it cannot even be asked.
    """
    value_bytes = compute_type(device).itemsize
    if device.type == "cuda":
        with explained_memory(more_memory(device)):
            _, whole = torch.cuda.mem_get_info(device)
            return DeviceFacts("cuda", whole, free_bytes(device), value_bytes)
    return DeviceFacts("cpu", machine_memory(), machine_memory(), value_bytes)


def machine_memory() -> int:
    """Bytes of the machine's memory; 0 where the system does not tell."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def device_name(device: torch.device) -> str:
    """A name for people."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"cpu ({torch.get_num_threads()} threads)"


def use_cores() -> None:
    """Keeps PyTorch, which takes a thread a core of the machine, to the cores that this process may use.

    OMP_NUM_THREADS says otherwise.
    """
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(min(torch.get_num_threads(), usable_cores()))


def usable_cores() -> int:
    """Cores that this process may use: those it is bound to, and no more than its control group pays for."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="utf-8").split()
        return min(cores, max(1, round(int(quota) / int(period))))
    except (OSError, ValueError):  # no control groups, or no limit ("max")
        return cores


def half_precision(device: torch.device) -> bool:
    """Whether the hardware computes in bfloat16 faster than in 32 bits."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    capabilities = torch.cpu.get_capabilities()
    return any(bool(capabilities.get(name)) for name in ("avx512_bf16", "amx_bf16", "sve_bf16"))


# Turing without tensor cores. cuDNN's convolutions in float16 give NaN there, and only with larger batches, so that no small
# test shows it (pytorch/pytorch#58123 and #77955, ultralytics/ultralytics#17977). Their capability is that of good ones.
_NO_FLOAT16 = re.compile(r"\b(GTX 16\d\d|MX[45]50|T(400|500|550|600|1000|1200|2000))\b")


def compute_type(device: torch.device) -> torch.dtype:
    """In what networks compute: bfloat16 where the hardware does, float16 on older GPUs with units for it, else 32 bits."""
    if half_precision(device):
        return torch.bfloat16
    older = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (7, 0)
    return torch.float16 if older and not _NO_FLOAT16.search(torch.cuda.get_device_name(device)) else torch.float32


def autocast(device: torch.device, kind: torch.dtype | None = None) -> AbstractContextManager[object]:
    """Runs a network's forward pass in a precision, or as compute_type says."""
    kind = kind or compute_type(device)
    return nullcontext() if kind is torch.float32 else torch.autocast(device.type, kind)


def channels_last(images: Tensor) -> Tensor:
    """Images (B, C, H, W) laid out with the channels last, as half precision wants them.

    With one channel that layout is in memory what the usual one is, and PyTorch takes it for the usual one: the first
    convolution would answer in it, and the first level, half of all work, would be done in the slower layout.
    """
    laid_out = images.contiguous(memory_format=torch.channels_last)
    if images.shape[1] > 1:
        return laid_out
    _, _, height, width = images.shape
    return laid_out.as_strided(images.shape, (height * width, 1, width, 1))


Network = TypeVar("Network", bound=nn.Module)


def on_device(network: Network, device: torch.device) -> Network:
    """Moves a network to a device, its filters laid out with the channels last, as half precision wants them."""
    network.to(device)
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


# How the CPU's allocators say it on Linux and macOS, on Windows, and when C++ does.
_OF_MACHINE = ("allocate memory", "not enough memory", "bad_alloc")
# How the driver, triton, cuBLAS and cuDNN say it, each in its own way.
_OF_GPU = ("out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED", "DEVICE_ALLOCATION_FAILED")
# What cuDNN says when no algorithm for a convolution has room, and also when it has none for the GPU.
_NO_ENGINE = "unable to find an engine to execute this computation"


def is_want_of_memory(error: BaseException) -> bool:
    """Whether an error says that the memory of the device or of the machine is not enough."""
    return isinstance(error, MemoryError) or _says(error, _OF_MACHINE) or _of_gpu(error)


def _of_gpu(error: BaseException) -> bool:
    if isinstance(error, torch.OutOfMemoryError) or _says(error, _OF_GPU):
        return True
    return _says(error, (_NO_ENGINE,)) and small_convolution_works()


def _says(error: BaseException, words: Sequence[str]) -> bool:
    return isinstance(error, RuntimeError) and any(some in str(error) for some in words)


def small_convolution_works() -> bool:
    """Whether the GPU in use does a small convolution in the precision of networks; one that lacks the memory for it would."""
    if not torch.cuda.is_available():
        return False
    device = torch.device("cuda", torch.cuda.current_device())
    kind = compute_type(device)
    try:
        values, filters = (torch.zeros(8, 8, side, side, device=device, dtype=kind) for side in (16, 3))
        torch.nn.functional.conv2d(values, filters).sum().item()
    except RuntimeError as error:
        return isinstance(error, torch.OutOfMemoryError) or _says(error, _OF_GPU)
    return True


def more_memory(device: torch.device) -> str:
    """What a person can do when a volume does not fit into the memory of a device."""
    return "Close other programs, or " + ("leave it out." if device.type == "cpu" else "use --device cpu.")


@contextmanager
def explained_memory(hint: str, smaller: Mapping[str, int] | None = None) -> Iterator[None]:
    """Turns the ways in which memory runs out into OutOfMemoryError with a hint at the next smaller setting.

    Args:
        hint: for people.
        smaller: that setting as options of the command.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_want_of_memory(error):
            raise
        of = "device" if _of_gpu(error) else "machine"
        raise OutOfMemoryError(f"The memory of the {of} is not enough.", hint, smaller) from error


def less_memory(batch: int, least: int) -> AbstractContextManager[None]:
    """explained_memory for a training at a batch size: half of it is the next smaller setting, as long as that is enough."""
    if batch > least:
        smaller = {"batch": max(least, batch // 2)}
        return explained_memory(f"Try --batch {smaller['batch']}, or a smaller --size or --filters.", smaller)
    return explained_memory("Try a smaller --size or --filters.")
