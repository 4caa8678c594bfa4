"""Random views of slices, made for a whole batch at once on its device.

Rotation, scale, translation, mirroring and elastic deformation are composed into one sampling grid, so each view is
interpolated once. Parameters are drawn on the CPU from a generator that is passed in: a run is the same on every device up
to rounding and the noise, which a GPU draws itself, and can be resumed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from pcl_core.plan import AugmentationPlan
from pcl_core.slices.loading import moved


@dataclass(frozen=True, eq=False)
class _Draws:
    """Random numbers of B views, drawn on the CPU."""

    theta: Tensor  # (B, 2, 3): output to input, in normalised coordinates
    elastic: Tensor | None  # (B, 2, g, g): displacement of control points, in normalised coordinates
    gamma: Tensor  # (B, 1, 1, 1)
    contrast: Tensor  # (B, 1, 1, 1)
    noise: Tensor  # (B, 1, 1, 1): standard deviation


class Augmenter:
    """Makes random views as an AugmentationPlan says."""

    def __init__(self, plan: AugmentationPlan) -> None:
        self.plan = plan

    def __call__(
        self, images: Tensor, generator: torch.Generator, labels: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Makes one view of each image, and of its labels by the same deformation.

        Args:
            images: (B, 1, S, S) of 0 to 1.
            generator: a CPU generator.
            labels: (B, S, S) whole numbers or None; they are sampled without interpolation.

        Returns:
            the views, shaped and typed alike; what lies outside of an image is 0 (air, background).
        """
        draws = self._draw(len(images), generator)
        grid = _sampling_grid(draws, images)
        views = functional.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
        views = self._change_intensities(views, draws, generator)
        if labels is None:
            return views, None
        sampled = functional.grid_sample(
            labels[:, None].to(images), grid, mode="nearest", padding_mode="zeros", align_corners=False
        )
        return views, sampled[:, 0].round().to(labels.dtype)

    def _draw(self, batch: int, generator: torch.Generator) -> _Draws:
        plan = self.plan

        def between(low: float, high: float) -> Tensor:
            return low + (high - low) * torch.rand(batch, generator=generator)

        angle = between(-math.radians(plan.rotation_degrees), math.radians(plan.rotation_degrees))
        scale = torch.exp(between(math.log(plan.scale_low), math.log(plan.scale_high)))
        shift = torch.stack([between(-1, 1), between(-1, 1)], dim=1) * 2 * plan.translation
        mirror = torch.ones(batch, 2)
        if plan.mirror:
            mirror = torch.randint(0, 2, (batch, 2), generator=generator) * 2.0 - 1.0
        rotation = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], dim=1).reshape(batch, 2, 2)
        linear = rotation * mirror[:, None, :] / scale[:, None, None]
        elastic = None
        if plan.elastic > 0:
            control = torch.randn(batch, 2, plan.elastic_grid, plan.elastic_grid, generator=generator)
            elastic = control * 2 * plan.elastic
        return _Draws(
            theta=torch.cat([linear, shift[:, :, None]], dim=2),
            elastic=elastic,
            gamma=torch.exp(between(-1, 1) * math.log(plan.gamma)).reshape(-1, 1, 1, 1),
            contrast=between(1 - plan.contrast, 1 + plan.contrast).reshape(-1, 1, 1, 1),
            noise=(between(0, 1) * plan.noise).reshape(-1, 1, 1, 1),
        )

    def _change_intensities(self, views: Tensor, draws: _Draws, generator: torch.Generator) -> Tensor:
        plan = self.plan
        if plan.gamma > 1:
            views = views.clamp_min(0).pow(_beside(draws.gamma, views))
        if plan.contrast > 0:
            views = views * _beside(draws.contrast, views)
        if plan.noise > 0:
            views = views + _speckle(views, generator) * _beside(draws.noise, views)
        return views


def _beside(values: Tensor, images: Tensor) -> Tensor:
    """A few numbers where the images are, in their type."""
    return moved(values, images.device).to(images.dtype)


def _speckle(views: Tensor, generator: torch.Generator) -> Tensor:
    """Standard normal noise. A GPU draws its own, by a seed of the generator: millions of numbers would hold up the step."""
    if views.device.type != "cuda":
        return torch.randn(views.shape, generator=generator).to(views)
    seed = int(torch.randint(2**62, (1,), generator=generator))
    return torch.randn(
        views.shape, generator=torch.Generator(views.device).manual_seed(seed), device=views.device, dtype=views.dtype
    )


def _sampling_grid(draws: _Draws, images: Tensor) -> Tensor:
    """(B, S, S, 2) in normalised coordinates."""
    grid = functional.affine_grid(_beside(draws.theta, images), list(images.shape), align_corners=False)
    if draws.elastic is not None:
        size = images.shape[-2:]
        smooth = functional.interpolate(_beside(draws.elastic, images), size=size, mode="bicubic", align_corners=False)
        grid = grid + smooth.permute(0, 2, 3, 1)
    return grid
