"""The encoder with less memory: its first two levels see the mini-batch in parts; result and gradients are the same.

Level 1 holds half of all activations of the network, level 2 a quarter. Here a level keeps its input and what its last
BatchNorm normalises; the rest is computed again, part by part, when the gradients are. The statistics of BatchNorm are those of
the whole mini-batch all the same (networks/statistics.py), which chunks of the batch through the whole network would not have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pcl_core.networks.joined_norm import JoinedBatchNorm
from pcl_core.networks.joining import total
from pcl_core.networks.statistics import Norm, Statistics, normalised, remember, statistics_of, through_statistics
from pcl_core.networks.unet import Encoder

LEVELS_IN_PARTS = 2


def bottleneck_in_parts(encoder: Encoder, images: Tensor, part: int) -> Tensor:
    """The bottleneck features of images, as the encoder computes them, with less memory.

    Args:
        encoder: in training mode.
        images: (B, 1, H, W).
        part: images that the first two levels see at once.

    Returns:
        (B, 16f, H/16, W/16).
    """
    features = images
    for number, level in enumerate(encoder.levels):
        assert isinstance(level, nn.Sequential)
        if number < LEVELS_IN_PARTS:
            features = level_in_parts(level, encoder.pool, features, part)
        else:
            features = encoder.pool(level(features))
    bottleneck: Tensor = encoder.bottleneck(features)
    return bottleneck


def level_in_parts(level: nn.Sequential, after: nn.Module, values: Tensor, part: int) -> Tensor:
    """``after(level(values))``, ``part`` images at a time; the level's BatchNorms are in training mode."""
    stages = _Stages.of(level, after)
    result: Tensor = _InParts.apply(values, stages, part, *level.parameters())  # type: ignore[no-untyped-call]
    return result


@dataclass(frozen=True, eq=False)
class _Stages:
    """A level cut at its normalisations: stages[0], norms[0], stages[1], norms[1], ..., stages[-1]."""

    stages: tuple[nn.Module, ...]
    norms: tuple[Norm, ...]
    joined: bool
    parameters: tuple[nn.Parameter, ...]

    @classmethod
    def of(cls, level: nn.Sequential, after: nn.Module) -> _Stages:
        stages: list[list[nn.Module]] = [[]]
        norms: list[Norm] = []
        for module in level:
            if isinstance(module, nn.BatchNorm2d | nn.SyncBatchNorm):
                norms.append(module)
                stages.append([])
            else:
                stages[-1].append(module)
        stages[-1].append(after)
        joined = any(isinstance(norm, nn.SyncBatchNorm | JoinedBatchNorm) for norm in norms)
        return cls(tuple(nn.Sequential(*stage) for stage in stages), tuple(norms), joined, tuple(level.parameters()))


class _InParts(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, level: _Stages, part: int, *_parameters: Tensor) -> Tensor:
        device = values.device.type
        ctx.level, ctx.part = level, part
        ctx.precision = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
        ctx.statistics = []
        held = list(torch.split(values, part))
        with _as_before(ctx.precision, device):
            for number, norm in enumerate(level.norms):
                for k, one in enumerate(held):  # one by one, so that what went in is given back as it is used
                    held[k] = level.stages[number](_entered(one, number, ctx.statistics, level))
                ctx.statistics.append(statistics_of(held, level.joined))
                remember(norm, ctx.statistics[-1])
            ctx.save_for_backward(values, *held)
            last = len(level.norms)
            return torch.cat([level.stages[last](_entered(one, last, ctx.statistics, level)) for one in held])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        values, *last = ctx.saved_tensors
        level: _Stages = ctx.level
        statistics: list[Statistics] = ctx.statistics
        flowing = list(torch.split(gradients[0], ctx.part))
        found = _Sums(level.parameters)
        with _as_before(ctx.precision, values.device.type):
            seen = _again(torch.split(values, ctx.part), last, level, statistics)
            for number in reversed(range(len(level.norms))):
                _back_through_norm(seen.pop(), flowing, number, level, statistics, found)
            for k, one in enumerate(torch.split(values, ctx.part)):
                (flowing[k],) = _back(one, level.stages[0], flowing[k], found, ctx.needs_input_grad[0])
        into = torch.cat(flowing) if ctx.needs_input_grad[0] else None
        return into, None, None, *found.gradients


def _as_before(precision: torch.dtype | None, device: str) -> torch.autocast:
    """The precision of the forward pass. Weights in it are not kept: some are made with and some without a graph."""
    return torch.autocast(device, precision, enabled=precision is not None, cache_enabled=False)


def _entered(one: Tensor, number: int, statistics: Sequence[Statistics], level: _Stages) -> Tensor:
    """What goes into a stage: the normalised output of the one before; the first stage takes the input."""
    return normalised(one, statistics[number - 1], level.norms[number - 1]) if number else one


@torch.no_grad()
def _again(parts: Sequence[Tensor], last: list[Tensor], level: _Stages, statistics: Sequence[Statistics]) -> list[list[Tensor]]:
    """What each normalisation saw, of each part; the last one's was kept."""
    seen, held = [], list(parts)
    for number in range(len(level.norms) - 1):
        held = [level.stages[number](_entered(one, number, statistics, level)) for one in held]
        seen.append(held)
    return [*seen, last]


class _Sums:
    """Gradients of a level's parameters, summed over parts."""

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self.gradients: list[Tensor | None] = [None] * len(parameters)
        self._place = {id(parameter): k for k, parameter in enumerate(parameters)}

    def add(self, parameters: Sequence[nn.Parameter], gradients: Sequence[Tensor]) -> None:
        for parameter, gradient in zip(parameters, gradients, strict=True):
            place = self._place[id(parameter)]
            before = self.gradients[place]
            self.gradients[place] = gradient if before is None else before.add_(gradient)

    def of(self, parameter: nn.Parameter) -> Tensor:
        gradient = self.gradients[self._place[id(parameter)]]
        assert gradient is not None
        return gradient


def _back_through_norm(
    seen: list[Tensor],
    flowing: list[Tensor],
    number: int,
    level: _Stages,
    statistics: Sequence[Statistics],
    found: _Sums,
) -> None:
    """Turns the gradients after a stage into those before the normalisation that it follows, in place."""
    norm = level.norms[number]
    whole = nn.Sequential(_Fixed(norm, statistics[number]), level.stages[number + 1])
    for k, one in enumerate(seen):
        (flowing[k],) = _back(one, whole, flowing[k], found, True)
    with torch.no_grad():
        sums = torch.stack([found.of(norm.weight), found.of(norm.bias)])
        weight, bias = total(sums) if level.joined else sums
        for k, one in enumerate(seen):
            flowing[k] = flowing[k] + through_statistics(one, statistics[number], norm, weight, bias)


class _Fixed(nn.Module):
    """A normalisation by given statistics."""

    def __init__(self, norm: Norm, statistics: Statistics) -> None:
        super().__init__()
        self.norm = norm
        self.statistics = statistics

    def forward(self, values: Tensor) -> Tensor:
        return normalised(values, self.statistics, self.norm)


def _back(one: Tensor, work: nn.Module, gradient: Tensor, found: _Sums, to_input: bool) -> list[Tensor]:
    """Computes ``work`` again for one part; its parameters' gradients are added, the input's is returned if asked for."""
    parameters = list(work.parameters())
    with torch.enable_grad():
        leaf = one.detach().requires_grad_(to_input)
        output = work(leaf)
    gradients = torch.autograd.grad(output, [*([leaf] if to_input else []), *parameters], gradient)
    found.add(parameters, gradients[to_input:])
    return [gradients[0]] if to_input else [gradient]
