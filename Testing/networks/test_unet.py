from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from torch import nn

from pcl_core.networks.heads import PretextNetwork, ProjectionHead
from pcl_core.networks.unet import STRIDE, Encoder, UNet

COUNTS = json.loads((Path(__file__).parents[1] / "pretext" / "reference.json").read_text(encoding="utf-8"))["parameter_counts"]


def parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("filters", [32, 48])
def test_the_networks_have_as_many_parameters_as_the_published_ones(filters: int) -> None:
    encoder = Encoder(filters)
    pretext = PretextNetwork(encoder, ProjectionHead(encoder.width, 512))
    assert parameters(pretext) == COUNTS[f"encoder+head f={filters} head_out=512"]
    assert parameters(UNet(filters, 4)) == COUNTS[f"unet f={filters} classes=4"]


def test_the_encoder_gives_the_bottleneck_and_four_skips() -> None:
    features, skips = Encoder(4)(torch.rand(2, 1, 64, 32))
    assert features.shape == (2, 64, 4, 2)
    assert [tuple(skip.shape) for skip in skips] == [(2, 4, 64, 32), (2, 8, 32, 16), (2, 16, 16, 8), (2, 32, 8, 4)]


@pytest.mark.parametrize("shape", [(16, 16), (16, 64), (48, 32)])
def test_every_multiple_of_16_is_segmented_at_its_own_size(shape: tuple[int, int]) -> None:
    assert UNet(4, 3)(torch.rand(2, 1, *shape)).shape == (2, 3, *shape)
    assert STRIDE == 16


def test_the_bottleneck_is_not_normalised_and_the_last_convolution_has_no_bias() -> None:
    network = UNet(4, 3)
    assert not [part for part in network.encoder.bottleneck.modules() if isinstance(part, nn.BatchNorm2d)]
    assert network.decoder.classify.bias is None
    norms = [part for part in network.modules() if isinstance(part, nn.BatchNorm2d)]
    assert len(norms) == 16
    slopes = {part.negative_slope for part in network.modules() if isinstance(part, nn.LeakyReLU)}
    assert slopes == {0.01}


def test_skips_reach_the_decoder_at_their_own_level() -> None:
    # With every level of the decoder fed by its skip alone, the input's fine detail must still reach the output.
    network = UNet(4, 2, seeded()).eval()
    for raise_ in network.decoder.raises:
        nn.init.zeros_(raise_.weight)
        nn.init.zeros_(raise_.bias)
    image = torch.zeros(1, 1, 32, 32)
    image[0, 0, 13, 21] = 5.0
    with torch.no_grad():
        change = (network(image) - network(torch.zeros_like(image))).abs().sum(dim=1)[0]
    row, column = divmod(int(change.argmax()), 32)
    assert abs(row - 13) <= 2
    assert abs(column - 21) <= 2


def test_the_same_generator_makes_the_same_network_whatever_else_was_drawn() -> None:
    one = UNet(4, 3, seeded(7))
    torch.rand(100)
    other = UNet(4, 3, seeded(7))
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))
    third = UNet(4, 3, seeded(8))
    assert not torch.equal(one.decoder.classify.weight, third.decoder.classify.weight)


def test_weights_are_he_normal_and_biases_0() -> None:
    network = UNet(16, 3, seeded())
    for part in network.modules():
        if isinstance(part, nn.Conv2d) and part.weight.numel() > 20_000:
            fan_in = part.in_channels * 9
            assert part.weight.std().item() == pytest.approx(math.sqrt(2 / (1 + 0.01**2) / fan_in), rel=0.05)
        if isinstance(part, nn.Conv2d | nn.ConvTranspose2d) and part.bias is not None:
            assert not part.bias.any()


def test_gradients_reach_every_parameter() -> None:
    network = UNet(4, 3, seeded())
    network(torch.rand(2, 1, 32, 32, generator=seeded())).square().sum().backward()
    for name, parameter in network.named_parameters():
        before_norm = name.endswith(".bias") and parameter.grad.abs().max() < 1e-2  # BatchNorm takes such a bias out again
        assert parameter.grad.abs().max() > 0 or before_norm, name


def test_the_projection_head_pools_over_the_whole_slice() -> None:
    head = ProjectionHead(8, 5)
    features = torch.rand(2, 8, 4, 6, generator=seeded())
    shuffled = features.flatten(2)[:, :, torch.randperm(24, generator=seeded())].reshape(2, 8, 6, 4)
    assert head(features).shape == (2, 5)
    torch.testing.assert_close(head(features), head(shuffled))


def test_the_pretext_network_is_its_head_on_its_encoders_bottleneck() -> None:
    encoder = Encoder(4)
    network = PretextNetwork(encoder, ProjectionHead(encoder.width, 6), seeded()).eval()
    images = torch.rand(3, 1, 32, 32, generator=seeded())
    assert torch.equal(network(images), network.head(encoder(images)[0]))
    assert network(images).shape == (3, 6)
