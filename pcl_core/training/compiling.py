"""The encoder compiled for the GPU where that works; where it does not, it runs as it is."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from pcl_core.events import Reporter
from pcl_core.networks.unet import Encoder
from pcl_core.training.devices import is_want_of_memory

# Compiling takes about a minute, which a short training never gets back.
WORTH_STEPS = 500


def why_not_compiled(device: torch.device, steps: int) -> str:
    """Why networks are not compiled for a device, in a sentence for people; empty when they are."""
    if device.type != "cuda":
        return "Networks are compiled for GPUs only."
    if sys.platform != "linux":
        return f"Networks are not compiled on this system ({sys.platform})."
    if importlib.util.find_spec("triton") is None:
        return "Networks are not compiled: the package triton is not installed."
    if torch.cuda.get_device_capability(device) < (7, 0):
        return "Networks are not compiled: the GPU is too old for triton."
    if steps < WORTH_STEPS:
        return f"Networks are not compiled for fewer than {WORTH_STEPS} steps: it would take longer than it saves."
    return ""


class Compiled:
    """Runs encoders, compiled when asked to; falls back once and for all when the compiler fails.

    Args:
        wanted: whether to compile.
        reporter: is told when the compiler fails.
        compiler: compiles a module when it is first called.
    """

    def __init__(self, wanted: bool, reporter: Reporter, compiler: Callable[..., Any] = torch.compile) -> None:
        self._wanted = wanted
        self._reporter = reporter
        self._compiler = compiler
        self._compiled: dict[int, Callable[[Tensor], tuple[Tensor, list[Tensor]]]] = {}

    def bottleneck(self, encoder: Encoder, images: Tensor) -> Tensor:
        """The bottleneck features of images (B, 1, H, W) -> (B, 16f, H/16, W/16)."""
        if self._wanted:
            try:
                return self._of(encoder)(images)[0]
            except RuntimeError as error:  # all of the compiler's errors are; it needs a C compiler, for instance
                if is_want_of_memory(error):
                    raise
                words = " ".join(str(error).splitlines()[:2]) or type(error).__name__
            self._wanted = False
            self._reporter.warning(f"The network could not be compiled and runs as it is, somewhat slower: {words}")
        features: Tensor = encoder(images)[0]
        return features

    def _of(self, encoder: Encoder) -> Callable[[Tensor], tuple[Tensor, list[Tensor]]]:
        if id(encoder) not in self._compiled:
            self._compiled[id(encoder)] = self._compiler(encoder)
        return self._compiled[id(encoder)]
