"""Levels that see the mini-batch in parts give what they give in one piece: the same features, gradients and statistics."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from pcl_core.networks.blocks import NormalisedBlock, initialise
from pcl_core.networks.heads import ProjectionHead
from pcl_core.networks.in_parts import bottleneck_in_parts, level_in_parts
from pcl_core.networks.statistics import statistics_of
from pcl_core.networks.unet import Encoder
from pcl_core.pretext.contrastive import contrastive_loss

VIEWS = 12


def pretext_network(seed: int = 0) -> tuple[Encoder, nn.ModuleDict]:
    encoder = Encoder(4)
    network = nn.ModuleDict({"encoder": encoder, "head": ProjectionHead(encoder.width, 16)})
    initialise(network, torch.Generator().manual_seed(seed))
    return encoder, network.train()


def views() -> Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.rand(VIEWS, 1, 32, 48, generator=generator) * torch.linspace(0.2, 3, VIEWS).reshape(-1, 1, 1, 1)


def weights() -> Tensor:
    numbers = torch.arange(VIEWS)
    return ((numbers[:, None] - numbers[None, :]).abs() < 3).float().fill_diagonal_(0)


def gradients(network: nn.ModuleDict, part: int, double: bool = False) -> tuple[Tensor, dict[str, Tensor]]:
    """The contrastive loss and all gradients; ``part`` 0 is the plain way."""
    images = views().double() if double else views()
    encoder = network["encoder"]
    assert isinstance(encoder, Encoder)
    features = bottleneck_in_parts(encoder, images, part) if part else encoder(images)[0]
    loss = contrastive_loss(network["head"](features), weights(), 0.1)
    loss.backward()
    return loss.detach(), {name: one.grad for name, one in network.named_parameters() if one.grad is not None}


@pytest.mark.parametrize("part", [1, 4, 5, 12, 100])
def test_loss_gradients_and_running_statistics_are_those_of_the_whole_batch(part: int) -> None:
    _, plain = pretext_network()
    chunked = copy.deepcopy(plain)
    loss, wanted = gradients(plain, 0)
    found_loss, found = gradients(chunked, part)
    torch.testing.assert_close(found_loss, loss, atol=1e-6, rtol=1e-6)
    assert found.keys() == wanted.keys() == dict(plain.named_parameters()).keys()
    largest = max(float(one.abs().max()) for one in wanted.values())
    for name, one in wanted.items():
        assert float((found[name] - one).abs().max()) < 1e-5 * largest, name
    for name, buffer in plain.named_buffers():
        torch.testing.assert_close(dict(chunked.named_buffers())[name], buffer, atol=1e-6, rtol=1e-5, msg=name)


def test_in_64_bits_the_gradients_agree_to_ten_digits() -> None:
    _, plain = pretext_network()
    plain = plain.double()
    chunked = copy.deepcopy(plain)
    # The loss itself is computed in 32 bits, so a smooth function of the features takes its place.
    scale = torch.linspace(-1, 1, VIEWS, dtype=torch.float64).reshape(-1, 1, 1, 1)
    for network, part in ((plain, 0), (chunked, 5)):
        images = views().double()
        encoder = network["encoder"]
        assert isinstance(encoder, Encoder)
        features = bottleneck_in_parts(encoder, images, part) if part else encoder(images)[0]
        (features.square() * scale).sum().backward()
    for (name, one), other in zip(plain["encoder"].named_parameters(), chunked["encoder"].parameters(), strict=True):
        assert one.grad is not None
        torch.testing.assert_close(other.grad, one.grad, rtol=1e-9, atol=1e-10 * float(one.grad.abs().max() + 1), msg=name)


def test_statistics_of_each_part_alone_would_give_other_gradients() -> None:
    # What the parts are for: chunks through the whole network are another loss.
    _, plain = pretext_network()
    chunked = copy.deepcopy(plain)
    _, wanted = gradients(plain, 0)
    encoder = chunked["encoder"]
    assert isinstance(encoder, Encoder)
    embedded = torch.cat([chunked["head"](encoder(part)[0]) for part in views().split(4)])
    contrastive_loss(embedded, weights(), 0.1).backward()
    name = "levels.0.0.weight"
    other = dict(encoder.named_parameters())[name].grad
    assert other is not None
    assert float((other - wanted[f"encoder.{name}"]).abs().max()) > 1e-2 * float(wanted[f"encoder.{name}"].abs().max())


def test_the_gradient_of_a_levels_input_is_exact_too() -> None:
    level = NormalisedBlock(3, 5).train()
    initialise(level, torch.Generator().manual_seed(1))
    other = copy.deepcopy(level)
    pool = nn.MaxPool2d(2)
    generator = torch.Generator().manual_seed(2)
    values = torch.randn(7, 3, 8, 6, generator=generator)
    wanted, found = values.clone().requires_grad_(), values.clone().requires_grad_()
    direction = torch.randn(7, 5, 4, 3, generator=generator)
    pool(level(wanted)).backward(direction)
    level_in_parts(other, pool, found, 3).backward(direction)
    assert wanted.grad is not None
    torch.testing.assert_close(found.grad, wanted.grad, atol=1e-5, rtol=1e-5)


def test_half_precision_stays_close_and_leaves_no_weight_without_gradient() -> None:
    _, plain = pretext_network()
    chunked = copy.deepcopy(plain)
    with torch.autocast("cpu", torch.bfloat16):
        _, wanted = gradients(plain, 0)
        _, found = gradients(chunked, 5)
    norm = sum(float(one.square().sum()) for one in wanted.values()) ** 0.5
    apart = sum(float((found[name] - one).square().sum()) for name, one in wanted.items()) ** 0.5
    assert found.keys() == wanted.keys()
    assert apart < 0.05 * norm


def test_without_gradients_the_features_are_the_same() -> None:
    encoder, _ = pretext_network()
    other = copy.deepcopy(encoder)
    with torch.no_grad():
        torch.testing.assert_close(bottleneck_in_parts(other, views(), 5), encoder(views())[0], atol=1e-5, rtol=1e-5)


def kept_bytes(part: int) -> int:
    """Bytes that the graph of the features holds on to, each storage once, without the weights."""
    encoder, _ = pretext_network()
    weights = {parameter.untyped_storage().data_ptr() for parameter in encoder.parameters()}
    held: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        held[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        features = bottleneck_in_parts(encoder, views(), part) if part else encoder(views())[0]
    assert features.requires_grad
    return sum(size for place, size in held.items() if place not in weights)


def test_parts_hold_less_than_half_of_what_the_plain_way_holds() -> None:
    assert kept_bytes(4) < 0.5 * kept_bytes(0)


def test_statistics_of_parts_are_those_of_the_whole_also_far_from_zero() -> None:
    values = torch.randn(9, 3, 5, 5, generator=torch.Generator().manual_seed(0)) + 1000
    found = statistics_of(values.split(2), joined=False)
    exact = values.double()
    torch.testing.assert_close(found.mean.double(), exact.mean(dim=(0, 2, 3)), rtol=1e-6, atol=0)
    torch.testing.assert_close(found.variance.double(), exact.var(dim=(0, 2, 3), correction=0), rtol=1e-3, atol=0)
    assert float(found.count) == 9 * 25
