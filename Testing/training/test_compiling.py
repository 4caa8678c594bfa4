from __future__ import annotations

import sys
from typing import Any

import pytest
import torch
from functorch.compile import make_boxed_func
from torch._dynamo.backends.common import aot_autograd

from pcl_core.events import Collected, Reporter
from pcl_core.networks.unet import Encoder
from pcl_core.training.compiling import (
    GRAPHS,
    GRAPHS_UP_TO,
    PLAIN,
    WORTH_STEPS,
    Compiled,
    modes_of,
    why_no_graphs,
    why_not_compiled,
)

CPU = torch.device("cpu")


def test_processors_are_not_compiled_for_and_the_plan_can_say_so() -> None:
    assert "GPUs only" in why_not_compiled(CPU, 10 * WORTH_STEPS)


def test_another_system_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert "win32" in why_not_compiled(torch.device("cuda"), 10 * WORTH_STEPS)


def test_several_processes_are_not_compiled_for_whatever_a_plan_file_says() -> None:
    assert modes_of(True, True, torch.device("cuda"), processes=2) == ()


def broken(_graph: object, _inputs: object) -> object:
    """A backend that fails, as on a machine without a C compiler."""
    raise OSError("no compiler found")


class Compiler:
    """Compiles as PyTorch does on any machine, but for the modes in which it fails."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.tried: list[str] = []

    def __call__(self, module: torch.nn.Module, mode: str) -> Any:
        self.tried.append(mode)
        return torch.compile(module, backend=broken if mode in self.failing else "eager")


def encoded(compiled: Compiled, times: int = 2) -> None:
    """Encodes images several times, and compares with the encoder as it is."""
    encoder, images = Encoder(4).eval(), torch.rand(2, 1, 16, 16)
    with torch.no_grad():
        wanted = encoder(images)[0]
        for _ in range(times):
            compiled.begin_step()
            torch.testing.assert_close(compiled.bottleneck(encoder, images), wanted)


def test_a_compiler_that_fails_is_told_once_and_the_network_runs_as_it_is() -> None:
    sink, compiler = Collected(), Compiler(GRAPHS, PLAIN)
    encoded(Compiled((GRAPHS, PLAIN), Reporter(sink), compiler))
    (warning,) = sink.named("warning")
    assert "runs as it is" in warning["message"]
    assert "no compiler found" in warning["message"]
    assert "\n" not in warning["message"]
    assert compiler.tried == [GRAPHS, PLAIN]


def test_where_graphs_fail_the_network_is_compiled_without_them() -> None:
    sink, compiler = Collected(), Compiler(GRAPHS)
    encoded(Compiled((GRAPHS, PLAIN), Reporter(sink), compiler))
    (warning,) = sink.named("warning")
    assert "compiled without CUDA graphs" in warning["message"]
    assert compiler.tried == [GRAPHS, PLAIN]


def test_a_mode_that_works_is_compiled_once_and_nothing_is_said() -> None:
    sink, compiler = Collected(), Compiler()
    encoded(Compiled((GRAPHS, PLAIN), Reporter(sink), compiler))
    assert compiler.tried == [GRAPHS]
    assert not sink.named("warning")


def test_the_backward_pass_of_a_compiled_encoder_gets_no_gradients_of_the_skips() -> None:
    # They are zeros that take as much memory as the skips.
    tangents: list[int] = []

    def backward(graph: torch.fx.GraphModule, _inputs: object) -> Any:
        tangents.append(sum(node.op == "placeholder" and "tangents" in node.name for node in graph.graph.nodes))
        return make_boxed_func(graph.forward)

    backend = aot_autograd(fw_compiler=lambda graph, _inputs: make_boxed_func(graph.forward), bw_compiler=backward)
    compiled = Compiled((PLAIN,), Reporter(), lambda module, mode: torch.compile(module, backend=backend))
    compiled.bottleneck(Encoder(4), torch.rand(2, 1, 16, 16)).sum().backward()
    assert tangents == [1]


def test_without_a_mode_a_failure_is_not_the_compilers() -> None:
    sink = Collected()
    assert not Compiled((), Reporter(sink)).fall(RuntimeError("a fault"))
    assert not Compiled((PLAIN,), Reporter(sink)).fall(MemoryError())
    assert not sink.named("warning")


@pytest.mark.parametrize(
    ("step", "part", "words"), [(GRAPHS_UP_TO, 0, ""), (GRAPHS_UP_TO + 1, 0, "so much to do"), (1, 8, "parts")]
)
def test_graphs_serve_small_steps(step: int, part: int, words: str) -> None:
    why = why_no_graphs(step, part)
    assert words in why
    assert bool(why) == bool(words)


@pytest.mark.parametrize(
    ("compiled", "graphs", "device", "modes"),
    [
        (True, True, "cuda", (GRAPHS, PLAIN)),
        (True, False, "cuda", (PLAIN,)),
        (False, True, "cuda", ()),
        (True, True, "cpu", ()),
    ],
)
def test_the_plan_decides_the_modes_on_gpus_alone(compiled: bool, graphs: bool, device: str, modes: tuple[str, ...]) -> None:
    assert modes_of(compiled, graphs, torch.device(device)) == modes


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
@pytest.mark.parametrize("modes", [(PLAIN,), (GRAPHS, PLAIN)])
def test_a_compiled_encoder_computes_the_same_on_a_gpu(modes: tuple[str, ...]) -> None:
    device = torch.device("cuda")
    encoder, images = Encoder(8).to(device).eval(), torch.rand(4, 1, 64, 64, device=device)
    sink = Collected()
    with torch.no_grad():
        compiled, wanted = Compiled(modes, Reporter(sink)), encoder(images)[0]
        for _ in range(4):  # graphs are recorded in the second call and run from the third on
            compiled.begin_step()
            torch.testing.assert_close(compiled.bottleneck(encoder, images), wanted, atol=1e-3, rtol=1e-3)
    assert not sink.named("warning")
