from __future__ import annotations

import copy

import torch
from torch import nn

from pcl_core.inference.folding import folded
from pcl_core.networks.unet import UNet


def trained() -> UNet:
    """A network whose normalisation has statistics and factors of its own."""
    network = UNet(4, 3, torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(generator=generator)
            part.running_var.uniform_(0.5, 2, generator=generator)
            nn.init.normal_(part.weight, 1, 0.2, generator=generator)
            nn.init.normal_(part.bias, 0, 0.2, generator=generator)
    return network


def test_a_folded_network_says_the_same() -> None:
    network = trained().eval()
    images = torch.rand(3, 1, 48, 32, generator=torch.Generator().manual_seed(2))
    with torch.no_grad():
        torch.testing.assert_close(folded(network)(images), network(images), atol=1e-4, rtol=1e-4)


def test_no_normalisation_is_left() -> None:
    assert not [part for part in folded(trained()).modules() if isinstance(part, nn.BatchNorm2d)]


def test_the_network_that_was_folded_stays_as_it_was() -> None:
    network = trained().train()
    before = copy.deepcopy(network.state_dict())
    folded(network)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(parameter.requires_grad for parameter in network.parameters())
