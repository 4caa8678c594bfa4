from __future__ import annotations

from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from pcl_core.plan import AugmentationPlan
from pcl_core.presets import DeviceFacts, make_plan
from pcl_core.slices.augmentation import Augmenter
from Testing.test_plan import FINGERPRINT

STRONG = AugmentationPlan(
    180, 0.7, 1.3, translation=0.1, mirror=True, elastic=0.03, gamma=1.5, contrast=0.2, noise=0.1
)  # fmt: skip


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def disc(batch: int = 1, side: int = 64, row: float = 0.5, column: float = 0.5, radius: float = 0.2) -> Tensor:
    """Images (B, 1, S, S) of a bright disc; place and radius are parts of the side."""
    places = (torch.arange(side) + 0.5) / side
    away = (places[:, None] - row) ** 2 + (places[None, :] - column) ** 2
    return (away < radius**2).float().expand(batch, 1, side, side).clone()


def centre(image: Tensor) -> tuple[float, float]:
    """Centre of mass (row, column) of an (S, S) image, as parts of the side."""
    places = (torch.arange(len(image)) + 0.5) / len(image)
    weight = image / image.sum()
    return float((weight.sum(1) * places).sum()), float((weight.sum(0) * places).sum())


def view(plan: AugmentationPlan, image: Tensor, seed: int = 0) -> Tensor:
    return Augmenter(plan)(image, seeded(seed))[0]


def test_a_plan_of_nothing_returns_the_images_and_labels() -> None:
    images = torch.rand(3, 1, 32, 32, generator=seeded())
    labels = torch.randint(0, 4, (3, 32, 32), generator=seeded())
    views, moved = Augmenter(AugmentationPlan())(images, seeded(), labels)
    torch.testing.assert_close(views, images, atol=1e-5, rtol=0)
    assert torch.equal(moved, labels)


def test_without_labels_there_are_none() -> None:
    assert Augmenter(STRONG)(disc(2), seeded())[1] is None


@pytest.mark.parametrize("name", [f.name for f in fields(AugmentationPlan) if f.name not in ("elastic_grid", "scale_low")])
def test_every_setting_changes_the_views(name: str) -> None:
    value = getattr(STRONG, name)
    plan = replace(AugmentationPlan(), **{name: value})
    images = disc(4, row=0.4, column=0.45) * 0.5 + 0.1
    assert (view(plan, images) - images).abs().max() > 0.02


def test_the_same_generator_makes_the_same_views() -> None:
    images = torch.rand(4, 1, 32, 32, generator=seeded())
    assert torch.equal(view(STRONG, images, 3), view(STRONG, images, 3))
    assert not torch.equal(view(STRONG, images, 3), view(STRONG, images, 4))


def test_global_random_numbers_are_neither_used_nor_changed() -> None:
    torch.manual_seed(0)
    state = torch.get_rng_state()
    first = view(STRONG, disc(2))
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(99)
    assert torch.equal(view(STRONG, disc(2)), first)


@pytest.mark.parametrize("seed", range(6))
def test_labels_follow_their_image(seed: int) -> None:
    images = disc(8, row=0.4, column=0.55, radius=0.18)
    labels = images[:, 0].long() * 7
    plan = replace(STRONG, gamma=1.0, contrast=0.0, noise=0.0)
    views, moved = Augmenter(plan)(images, seeded(seed), labels)
    for image, label in zip(views[:, 0] > 0.5, moved == 7, strict=True):
        overlap = 2 * (image & label).sum() / (image.sum() + label.sum())
        assert overlap > 0.97


@given(seed=st.integers(0, 2**31))
@settings(deadline=None, max_examples=30)
def test_no_label_is_invented_and_not_annotated_survives(seed: int) -> None:
    labels = torch.tensor([0, 3, 255]).repeat_interleave(16)[:, None].expand(48, 48)[None].repeat(2, 1, 1)
    _, moved = Augmenter(STRONG)(torch.rand(2, 1, 48, 48), seeded(seed), labels)
    assert moved.dtype == labels.dtype
    assert moved.shape == labels.shape
    assert set(moved.unique().tolist()) <= {0, 3, 255}
    assert (moved == 255).any()


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64])
def test_labels_keep_their_type(dtype: torch.dtype) -> None:
    _, moved = Augmenter(STRONG)(disc(2), seeded(), torch.full((2, 64, 64), 255, dtype=dtype))
    assert moved.dtype == dtype
    assert moved[:, 28:36, 28:36].eq(255).all()


def test_a_view_does_not_depend_on_the_other_images_of_its_batch() -> None:
    images = torch.rand(4, 1, 32, 32, generator=seeded())
    others = images.clone()
    others[1:] = 1 - others[1:]
    assert torch.equal(view(STRONG, images)[0], view(STRONG, others)[0])


def test_the_images_of_a_batch_get_different_views() -> None:
    views = view(STRONG, disc(8, row=0.4, column=0.55))
    differences = (views[:, None] - views[None]).abs().amax(dim=(2, 3, 4)) + torch.eye(8)
    assert (differences > 0.1).all()


@given(seed=st.integers(0, 2**31), level=st.sampled_from([0.0, 0.5, 1.0]))
@settings(deadline=None, max_examples=30)
def test_views_are_always_numbers(seed: int, level: float) -> None:
    images = torch.full((3, 1, 32, 32), level)
    images[0] = torch.rand(1, 32, 32)
    assert view(STRONG, images, seed).isfinite().all()


@pytest.mark.parametrize("preset", ["paper", "recommended"])
def test_the_presets_views_stay_near_0_to_1(preset: str) -> None:
    plan = make_plan(preset, FINGERPRINT, DeviceFacts("cpu", 2**33))
    images = torch.rand(16, 1, 64, 64, generator=seeded())
    for views in (plan.pretrain.augmentation, plan.finetune.augmentation):
        result = view(views, images)
        assert result.isfinite().all()
        assert result.min() > -0.5
        assert result.max() < 1.6


def test_mirroring_gives_the_four_mirror_images_and_nothing_else() -> None:
    image = torch.rand(1, 32, 32, generator=seeded())
    views = view(AugmentationPlan(mirror=True), image.expand(64, 1, 32, 32))
    mirrored = [image, image.flip(1), image.flip(2), image.flip(1, 2)]
    found = []
    for one in views:
        near = [k for k, other in enumerate(mirrored) if torch.allclose(one, other, atol=1e-4)]
        assert len(near) == 1
        found += near
    assert set(found) == {0, 1, 2, 3}


def test_rotation_keeps_size_and_distance_from_the_centre_and_covers_all_directions() -> None:
    image = disc(64, row=0.5, column=0.75, radius=0.12)
    views = view(AugmentationPlan(rotation_degrees=180), image)
    angles = []
    for one in views[:, 0]:
        row, column = centre(one)
        assert (row - 0.5) ** 2 + (column - 0.5) ** 2 == pytest.approx(0.25**2, abs=0.003)
        assert one.sum() == pytest.approx(float(image[0].sum()), rel=0.03)
        angles.append(float(torch.atan2(torch.tensor(row - 0.5), torch.tensor(column - 0.5)).rad2deg()))
    assert min(angles) < -150
    assert max(angles) > 150


def test_rotation_stays_within_its_limit() -> None:
    views = view(AugmentationPlan(rotation_degrees=20), disc(64, row=0.5, column=0.75, radius=0.1))
    angles = [torch.atan2(*(torch.tensor(c - 0.5) for c in centre(one))).rad2deg().abs().item() for one in views[:, 0]]
    assert 15 < max(angles) < 20.5


def test_scale_changes_the_area_within_its_limits_and_keeps_the_centre() -> None:
    image = disc(64)
    views = view(AugmentationPlan(scale_low=0.7, scale_high=1.3), image)
    factors = (views.sum(dim=(1, 2, 3)) / image[0].sum()).sqrt()
    assert 0.68 < factors.min() < 0.76
    assert 1.2 < factors.max() < 1.32
    for one in views[:, 0]:
        assert centre(one) == pytest.approx((0.5, 0.5), abs=0.005)


def test_translation_moves_by_at_most_its_part_of_the_side() -> None:
    views = view(AugmentationPlan(translation=0.1), disc(64))
    shifts = torch.tensor([centre(one) for one in views[:, 0]]) - 0.5
    assert 0.08 < shifts.abs().max() < 0.101
    assert shifts.min() < -0.05
    assert shifts.max() > 0.05


def test_elastic_deformation_moves_by_about_its_part_of_the_side() -> None:
    places = (torch.arange(64) + 0.5) / 64
    ramp = places[None, None, None, :].expand(32, 1, 64, 64)
    moved = view(AugmentationPlan(elastic=0.02), ramp) - ramp
    inner = moved[:, :, 8:-8, 8:-8]
    assert 0.01 < inner.std() < 0.03


def test_what_comes_from_outside_is_air_and_background() -> None:
    labels = torch.full((32, 64, 64), 5)
    views, moved = Augmenter(AugmentationPlan(scale_low=0.6, scale_high=0.7))(torch.ones(32, 1, 64, 64), seeded(), labels)
    assert not views[:, :, :4].any()
    assert not moved[:, :4].any()
    assert (moved[:, 32, 32] == 5).all()


def test_gamma_keeps_black_and_white_and_contrast_keeps_black() -> None:
    images = disc(16)
    torch.testing.assert_close(view(AugmentationPlan(gamma=1.5), images), images, atol=1e-3, rtol=0)
    middle = view(AugmentationPlan(gamma=1.5), images / 2).amax(dim=(1, 2, 3))
    assert 0.5**1.5 - 0.01 <= middle.min() < 0.42
    assert 0.55 < middle.max() <= 0.5 ** (1 / 1.5) + 0.01
    views = view(AugmentationPlan(contrast=0.15), images)
    assert views[images < 0.5].abs().max() < 1e-3
    levels = views.amax(dim=(1, 2, 3))
    assert 0.849 <= levels.min() < levels.max() <= 1.151


def test_noise_has_at_most_its_standard_deviation() -> None:
    views = view(AugmentationPlan(noise=0.1), torch.zeros(32, 1, 64, 64))
    deviations = views.std(dim=(1, 2, 3))
    assert deviations.max() < 0.105
    assert deviations.max() > 0.07
    assert deviations.min() < 0.04
    assert views.mean().abs() < 0.002
