"""Which device is used, and why: a GPU when this build of PyTorch can serve it."""

from __future__ import annotations

import warnings

import torch

from pcl_core.errors import InputError
from pcl_core.training.devices import device_name, explained_memory, more_memory

_NO_KERNEL = "no kernel image"


def choose_device(name: str, number: int | None = None) -> torch.device:
    """The device called ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.

    Args:
        name: ``auto`` is a GPU that works, or the processor.
        number: of the GPU that ``auto`` and ``cuda`` mean; None is that of PyTorch.

    Raises:
        InputError: the name is unknown, there is no such GPU, or it does not work with this build of PyTorch.
        OutOfMemoryError: other programs have all memory of the GPU.
    """
    gpu = torch.device("cuda") if number is None else torch.device("cuda", number)
    if name == "auto":
        return gpu if torch.cuda.is_available() and not why_not_served(gpu)[0] else torch.device("cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(f"There is no device '{name}'.", "Choose auto, cpu, cuda or cuda:N.") from error
    if device.type not in ("cpu", "cuda"):
        raise InputError(f"The device '{name}' is not supported.", "Choose auto, cpu, cuda or cuda:N.")
    if device.type == "cpu":
        return device
    device = gpu if device.index is None else device
    _require_gpu(device)
    return device


def _require_gpu(device: torch.device) -> None:
    if _found() == 0:
        raise InputError(f"No GPU can be used: {_why_no_gpu()}.", "Choose --device cpu, or install PyTorch for your GPU.")
    why, remedy = why_not_served(device)
    if why:
        raise InputError(f"The GPU cannot be used: {why}.", f"Choose --device cpu, or {remedy}.")


def _found() -> int:
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def _why_no_gpu() -> str:
    return "this build of PyTorch has no CUDA" if torch.version.cuda is None else "no driver or GPU answers"


def why_not_served(device: torch.device) -> tuple[str, str]:
    """Why a GPU that is there does not compute, and what a person can do about it; empty when it does.

    Raises:
        InputError: there is no GPU of that number.
        OutOfMemoryError: other programs have all its memory.
    """
    if (device.index or 0) >= _found():
        raise InputError(f"There is no {device}: {_found()} GPU(s) were found.", f"Choose cuda:0 to cuda:{_found() - 1}.")
    try:
        with explained_memory(more_memory(device)):
            small_sum(device)
    except RuntimeError as error:
        if _NO_KERNEL in str(error):
            return _why_no_kernel(device)
        why = f"{device_name(device)} does not answer ({str(error).splitlines()[0]})"
        return why, "restart the machine, or update the driver of the GPU"
    return "", ""


def small_sum(device: torch.device) -> None:
    """Adds on a GPU and waits for it; fails as all work on the GPU would."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's own of such GPUs, paragraphs long; here it is told in words
        (torch.ones(1, device=device) + 1).cpu()


def _why_no_kernel(device: torch.device) -> tuple[str, str]:
    own = torch.cuda.get_device_capability(device)
    numbers = [name.removeprefix("sm_") for name in torch.cuda.get_arch_list()]
    served = [divmod(int(number), 10) for number in numbers if number.isdigit()]
    age = "too old" if served and own < min(served) else "too new"
    why = (
        f"{device_name(device)} (compute capability {own[0]}.{own[1]}) is {age} for this build of PyTorch ({torch.__version__})"
    )
    other = "an earlier version or a build for an earlier CUDA" if age == "too old" else "a later version"
    return why, f"install {other} of PyTorch"


def reason_for(device: torch.device, asked: str) -> str:
    """Why a device is the one that is used, in a sentence for people.

    Args:
        device: that is used.
        asked: the name by which it was chosen.
    """
    if device.type == "cuda":
        return f"{device_name(device)} is used."
    if not torch.cuda.is_available():
        return f"No GPU can be used: {_why_no_gpu()}. The processor does the work."
    return unserved(device, asked) or "There is a GPU, and the processor was asked for."


def unserved(device: torch.device, asked: str, number: int | None = None) -> str:
    """Why ``auto`` became the processor although there is a GPU, and what to do; empty when it did not."""
    if device.type != "cpu" or asked != "auto" or not torch.cuda.is_available():
        return ""
    why, remedy = why_not_served(torch.device("cuda", number or 0))
    return (
        f"The GPU cannot be used: {why}. The processor does the work, which takes longer. To use it, {remedy}." if why else ""
    )
