"""The encoder compiled for the GPU where that works; where it does not, it runs as it is."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from pcl_core.events import Reporter
from pcl_core.networks.unet import Encoder
from pcl_core.training.devices import is_want_of_memory

# Compiling takes about a minute, which a short training never gets back.
WORTH_STEPS = 500
# Modes of torch.compile: with CUDA graphs, and without.
GRAPHS, PLAIN = "reduce-overhead", "default"
# Bytes of a step up to which starting the kernels takes longer than computing them, by estimate (about two milliseconds on a
# large GPU).
GRAPHS_UP_TO = 2**30

# The compiler leaves out nn.SyncBatchNorm (pytorch/pytorch#156680), so that what it could fuse lies in pieces; and processes
# that train together cannot fall back when it fails.
WHY_NOT_IN_A_TEAM = "Networks are not compiled for several processes: their joined BatchNorm cannot be."


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


def why_no_graphs(whole_bytes: int, part: int) -> str:
    """Why a compiled encoder does not run as CUDA graphs, in a sentence for people; empty when it does.

    Graphs save the time in which a processor starts kernels, and keep memory of their own.

    Args:
        whole_bytes: of a step, by memory_model.
        part: images that the first levels see at once; 0 is all.
    """
    if part:
        return "CUDA graphs are not used together with parts."
    if whole_bytes > GRAPHS_UP_TO:
        return "CUDA graphs are not used: at this size the GPU has so much to do that starting its kernels costs no time."
    return ""


def modes_of(compiled: bool, graphs: bool, device: torch.device, processes: int = 1) -> tuple[str, ...]:
    """The modes of torch.compile that a plan asks for, the best first; none on other devices than GPUs, nor for a team.

    A plan from a file may ask for more than this machine does, or than several processes do.
    """
    if not compiled or device.type != "cuda" or processes > 1:
        return ()
    return (GRAPHS, PLAIN) if graphs else (PLAIN,)


class _Bottleneck(nn.Module):
    """An encoder without its skips: a compiled network makes room for the gradients of all that it returns."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.encoder(images)[0]
        return features


class Compiled:
    """Runs encoders, compiled when asked to; falls back once and for all when the compiler fails.

    Args:
        modes: of torch.compile, the best first; the next is tried when one fails. Without any, encoders run as they are.
        reporter: is told when a mode fails.
        compiler: compiles a module when it is first called.
    """

    def __init__(self, modes: Sequence[str], reporter: Reporter, compiler: Callable[..., Any] = torch.compile) -> None:
        self._modes = list(modes)
        self._reporter = reporter
        self._compiler = compiler
        self._compiled: dict[int, Callable[[Tensor], Tensor]] = {}
        self._left = False  # whether there is something that PyTorch keeps and nobody uses any more

    def begin_step(self) -> None:
        """Says that the results of the last step are no longer needed, so that graphs may write over them."""
        if self._modes[:1] == [GRAPHS]:
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]  # it has no annotations

    def bottleneck(self, encoder: Encoder, images: Tensor) -> Tensor:
        """The bottleneck features of images (B, 1, H, W) -> (B, 16f, H/16, W/16)."""
        failure = ""  # its words alone: the error itself holds what the failed call computed
        features = None
        while self._modes and features is None:
            try:
                features = self._of(encoder)(images)
            except RuntimeError as error:  # all of the compiler's errors are; it needs a C compiler, for instance
                if is_want_of_memory(error):
                    raise
                failure = _words(error)
                self._drop()
        if failure:
            self.give_back()
            self._tell(failure)
        return encoder(images)[0] if features is None else features

    def fall(self, error: BaseException) -> bool:
        """Goes to the next mode after a failure outside of ``bottleneck``; the step is to be begun again, after ``give_back``.

        What belongs to the backward pass is compiled, and recorded as a graph, in the backward pass.

        Returns:
            whether there was a mode that may have been the cause.
        """
        if not self._modes or not isinstance(error, RuntimeError):
            return False
        self._drop()
        self._tell(_words(error))
        return True

    def stop(self) -> None:
        """Encoders run as they are from now on."""
        self._modes.clear()
        self._leave()

    def give_back(self) -> None:
        """Frees what was compiled and is not used any more: PyTorch would keep it, with the memory of its CUDA graphs."""
        if self._left:
            torch.compiler.reset()
            self._left = False

    def _drop(self) -> None:
        del self._modes[0]
        self._leave()

    def _leave(self) -> None:
        self._left = self._left or bool(self._compiled)
        self._compiled.clear()

    def _tell(self, failure: str) -> None:
        how = "is compiled without CUDA graphs" if self._modes else "could not be compiled and runs as it is"
        self._reporter.warning(f"The network {how}, somewhat slower: {failure}")

    def _of(self, encoder: Encoder) -> Callable[[Tensor], Tensor]:
        if id(encoder) not in self._compiled:
            self._compiled[id(encoder)] = self._compiler(_Bottleneck(encoder), mode=self._modes[0])
        return self._compiled[id(encoder)]


def _words(error: RuntimeError) -> str:
    return " ".join(str(error).splitlines()[:2]) or type(error).__name__
