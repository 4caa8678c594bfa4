from __future__ import annotations

import sys
from functools import partial

import pytest
import torch

from pcl_core.events import Collected, Reporter
from pcl_core.networks.unet import Encoder
from pcl_core.training.compiling import WORTH_STEPS, Compiled, why_not_compiled

CPU = torch.device("cpu")


def test_processors_are_not_compiled_for_and_the_plan_can_say_so() -> None:
    assert "GPUs only" in why_not_compiled(CPU, 10 * WORTH_STEPS)


def test_another_system_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    assert "win32" in why_not_compiled(torch.device("cuda"), 10 * WORTH_STEPS)


def broken(_graph: object, _inputs: object) -> object:
    """A backend that fails, as on a machine without a C compiler."""
    raise OSError("no compiler found")


def test_a_compiler_that_fails_is_told_once_and_the_network_runs_as_it_is() -> None:
    sink = Collected()
    encoder, images = Encoder(4).eval(), torch.rand(2, 1, 16, 16)
    compiled = Compiled(True, Reporter(sink), partial(torch.compile, backend=broken))
    with torch.no_grad():
        wanted = encoder(images)[0]
        for _ in range(2):
            torch.testing.assert_close(compiled.bottleneck(encoder, images), wanted)
    (warning,) = sink.named("warning")
    assert "runs as it is" in warning["message"]
    assert "no compiler found" in warning["message"]
    assert "\n" not in warning["message"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU")
def test_a_compiled_encoder_computes_the_same_on_a_gpu() -> None:
    device = torch.device("cuda")
    encoder, images = Encoder(8).to(device).eval(), torch.rand(4, 1, 64, 64, device=device)
    sink = Collected()
    with torch.no_grad():
        found = Compiled(True, Reporter(sink)).bottleneck(encoder, images)
        torch.testing.assert_close(found, encoder(images)[0], atol=1e-3, rtol=1e-3)
    assert not sink.named("warning")
