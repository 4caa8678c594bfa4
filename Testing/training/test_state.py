from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pcl_core.networks.unet import Encoder
from pcl_core.training.descent import Descent
from pcl_core.training.devices import on_device
from pcl_core.training.state import load_state, save_state
from pcl_core.training.weights import WeightFile
from Testing.making import tiny_plan

CPU = torch.device("cpu")


def stepped(optimiser: type[torch.optim.Optimizer], **options: object) -> tuple[Encoder, torch.optim.Optimizer]:
    """An encoder with the channels last, after a step."""
    encoder = on_device(Encoder(4), CPU)
    change = optimiser(encoder.parameters(), lr=0.01, **options)
    encoder(torch.rand(2, 1, 32, 32))[0].sum().backward()
    change.step()
    return encoder, change


@pytest.mark.parametrize(
    ("optimiser", "options"),
    [(torch.optim.SGD, {"momentum": 0.9, "fused": True}), (torch.optim.AdamW, {"fused": True}), (torch.optim.AdamW, {})],
)
def test_what_an_optimiser_remembers_comes_back_in_the_layout_of_its_parameter(optimiser, options, tmp_path: Path) -> None:
    # A GPU's kernels that change all weights at once refuse any other layout.
    encoder, change = stepped(optimiser, **options)
    about = WeightFile("encoder", tiny_plan())
    save_state(tmp_path, {"network": encoder}, Descent(change, CPU), 1, about)
    other = on_device(Encoder(4), CPU)
    again = optimiser(other.parameters(), lr=0.01, **options)
    assert load_state(tmp_path, {"network": other}, Descent(again, CPU), about) == 1
    for old, new in zip(encoder.parameters(), other.parameters(), strict=True):
        assert change.state[old].keys() == again.state[new].keys()
        for name, value in change.state[old].items():
            restored = again.state[new][name]
            assert torch.equal(restored, value)
            assert restored.dtype == value.dtype
            if restored.shape == new.shape:
                assert restored.stride() == new.stride(), name
