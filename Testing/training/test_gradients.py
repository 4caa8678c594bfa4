"""What becomes of a step when memory runs out; for the real thing see Testing/commands/test_out_of_memory.py."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from functorch.compile import make_boxed_func
from torch import Tensor, nn
from torch._dynamo.backends.common import aot_autograd

from pcl_core.events import Collected, Reporter
from pcl_core.networks.blocks import initialise
from pcl_core.networks.unet import Encoder
from pcl_core.pretext.registry import make_task
from pcl_core.slices.augmentation import Augmenter
from pcl_core.training.compiling import GRAPHS, PLAIN, Compiled
from pcl_core.training.descent import Descent, sgd
from pcl_core.training.gradients import Gradients
from pcl_core.training.objective import Objective
from pcl_core.training.seeding import generator_for
from Testing.making import tiny_plan
from Testing.training.joined import batch_of

CPU = torch.device("cpu")


class Greedy(nn.MaxPool2d):
    """A pool that asks for more memory than there is, so many times: after level 2, when level 1's statistics have moved."""

    def __init__(self, times: int, words: str = "") -> None:
        super().__init__(2)
        self.times, self.words, self.calls = times, words, 0

    def forward(self, values: Tensor) -> Tensor:
        self.calls += 1
        if self.calls % 2 == 0 and self.times:
            self.times -= 1
            if self.words:
                raise RuntimeError(self.words)
            torch.empty(2**60, dtype=torch.uint8)
        return super().forward(values)


class FailsBackwards:
    """Compiles as PyTorch does for the forward pass; in some modes the backward pass fails, as the recording of a graph may."""

    def __init__(self, *failing: str) -> None:
        self.failing = failing
        self.tried: list[str] = []

    def __call__(self, module: nn.Module, mode: str) -> Any:
        self.tried.append(mode)

        def backward(graph: torch.fx.GraphModule, _inputs: object) -> Any:
            def run(values: list[Tensor]) -> Any:
                if mode in self.failing:
                    raise RuntimeError("the recording failed")
                return graph.forward(*values)

            return make_boxed_func(lambda *values: run(list(values)))

        backend = aot_autograd(fw_compiler=lambda graph, _inputs: make_boxed_func(graph.forward), bw_compiler=backward)
        return torch.compile(module, backend=backend)


class Holds:
    """Compiles as PyTorch does; what is compiled holds something, as CUDA graphs hold memory."""

    def __init__(self, backward_fails: bool = False) -> None:
        self.backward_fails = backward_fails
        self.held: list[weakref.ref[nn.Module]] = []

    def __call__(self, module: nn.Module, mode: str) -> Any:
        def forward(graph: torch.fx.GraphModule, _inputs: object) -> Any:
            pool = nn.Module()
            self.held.append(weakref.ref(pool))

            def run(*values: Tensor) -> Any:
                assert pool is not None
                return graph.forward(*values)

            return make_boxed_func(run)

        def backward(graph: torch.fx.GraphModule, _inputs: object) -> Any:
            def run(*values: Tensor) -> Any:
                if self.backward_fails:
                    raise RuntimeError("the recording failed")
                return graph.forward(*values)

            return make_boxed_func(run)

        return torch.compile(module, backend=aot_autograd(fw_compiler=forward, bw_compiler=backward))


def gradients_of(pool: nn.Module | None, sink: Collected, compiled: Compiled | None = None) -> tuple[Objective, Gradients]:
    plan = tiny_plan()
    weights = generator_for(0, "weights")
    encoder = Encoder(4)
    initialise(encoder, weights)
    if pool is not None:
        encoder.pool = pool  # type: ignore[assignment]
    task = make_task(plan, encoder, 11, weights)
    objective = Objective(encoder, task, CPU, 0, compiled or Compiled((), Reporter()), torch.float32)
    objective.train()
    descent = Descent(sgd(objective.parameters(), CPU, 0.9, 0.0), CPU)
    return objective, Gradients(objective, descent, 14, Reporter(sink))


def loss_of(gradients: Gradients) -> Tensor:
    augment = Augmenter(tiny_plan().pretrain.augmentation)
    batch = batch_of(0)
    batch = replace(batch, images=batch.images.float())
    return gradients.of(batch, augment, lambda: generator_for(0, "views", 3))


def test_a_step_that_runs_out_of_memory_is_done_again_in_parts_with_the_same_result() -> None:
    sink = Collected()
    plain, wanted = gradients_of(None, Collected())
    fallen, found = gradients_of(Greedy(1), sink)
    torch.testing.assert_close(loss_of(found), loss_of(wanted), atol=1e-6, rtol=1e-6)
    assert fallen.part == 4
    (warning,) = sink.named("warning")
    assert "14 views at once" in warning["message"]
    pairs = [(one.grad, other.grad) for one, other in zip(plain.parameters(), fallen.parameters(), strict=True)]
    largest = max(float(one.abs().max()) for one, _ in pairs if one is not None)
    for one, other in pairs:
        assert one is not None
        assert other is not None
        assert float((one - other).abs().max()) < 1e-4 * largest  # exactness is shown in networks/test_in_parts.py
    # Statistics moved once, not once for each try.
    for name, buffer in plain.named_buffers():
        torch.testing.assert_close(dict(fallen.named_buffers())[name], buffer, atol=1e-5, rtol=1e-4, msg=name)


def test_it_falls_once_and_then_says_that_memory_is_short() -> None:
    sink = Collected()
    _, gradients = gradients_of(Greedy(10), sink)
    with pytest.raises(RuntimeError, match="memory"):
        loss_of(gradients)
    assert len(sink.named("warning")) == 1


def test_another_fault_is_no_want_of_memory() -> None:
    sink = Collected()
    objective, gradients = gradients_of(Greedy(1, "a fault"), sink)
    with pytest.raises(RuntimeError, match="a fault"):
        loss_of(gradients)
    assert objective.part == 0
    assert not sink.named("warning")


@pytest.mark.parametrize(
    ("failing", "words"), [((GRAPHS,), ["without CUDA graphs"]), ((GRAPHS, PLAIN), ["without", "as it is"])]
)
def test_a_compiled_encoder_that_fails_in_the_backward_pass_is_fallen_back_from_with_the_same_result(failing, words) -> None:
    sink, compiler = Collected(), FailsBackwards(*failing)
    plain, wanted = gradients_of(None, Collected())
    fallen, found = gradients_of(None, sink, Compiled((GRAPHS, PLAIN), Reporter(sink), compiler))
    torch.testing.assert_close(loss_of(found), loss_of(wanted), atol=1e-5, rtol=1e-5)
    warnings = [event["message"] for event in sink.named("warning")]
    assert [some in warning for some, warning in zip(words, warnings, strict=True)] == [True] * len(words)
    assert all("the recording failed" in warning for warning in warnings)
    assert compiler.tried == [GRAPHS, PLAIN]
    assert fallen.part == 0
    for one, other in zip(plain.parameters(), fallen.parameters(), strict=True):
        torch.testing.assert_close(other.grad, one.grad, atol=1e-4, rtol=1e-3)
    for name, buffer in plain.named_buffers():  # statistics moved once, not once for each try
        torch.testing.assert_close(dict(fallen.named_buffers())[name], buffer, atol=1e-5, rtol=1e-4, msg=name)


@pytest.mark.parametrize("short_of_memory", [True, False])
def test_what_compiled_encoders_held_is_given_back_when_they_are_fallen_back_from(short_of_memory: bool) -> None:
    compiler = Holds(backward_fails=not short_of_memory)
    _, gradients = gradients_of(None, Collected(), Compiled((GRAPHS,), Reporter(), compiler))
    if short_of_memory:
        loss_of(gradients)
        gradients.descent.backward = once_too_much(gradients.descent.backward)  # type: ignore[method-assign]
    loss_of(gradients)
    gc.collect()
    assert len(compiler.held) == 1
    assert compiler.held[0]() is None


def once_too_much(backward: Callable[[Tensor], None]) -> Callable[[Tensor], None]:
    """A backward pass for which there is too little memory the first time."""
    times = iter((True,))

    def run(loss: Tensor) -> None:
        if next(times, False):
            torch.empty(2**60, dtype=torch.uint8)
        backward(loss)

    return run
