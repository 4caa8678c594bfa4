from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcl_core import presets
from pcl_core.errors import InputError
from pcl_core.fingerprinting import take_fingerprint
from pcl_core.networks import unet
from pcl_core.plan import Fingerprint, Plan
from pcl_core.presets import PRESETS, DeviceFacts, fit_size, make_plan, recommended_threshold, suited_to
from pcl_core.slices.preparing import slice_grid
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.volume import VolumeSource
from Testing.making import grid_of, volume_of

GIB = 2**30
CPU = DeviceFacts("cpu", 8 * GIB)
HEARTS = Fingerprint(20, 200, 10.0, (8.0, 1.5, 1.5), 350.0, 400.0)


def source_of(geometry: Geometry) -> VolumeSource:
    return volume_of(np.empty(0), geometry).source


@pytest.mark.parametrize(
    ("layout", "resolution_mm", "size", "filters", "threshold"),
    [("chd", 1.0, 512, 32, 0.1), ("mmwhs", 1.5, 256, 32, 0.1), ("acdc", 1.25, 352, 48, 0.35), ("hvsmr", 0.7, 352, 48, 0.35)],
)
def test_paper_has_the_published_values_of_each_data_set(
    layout: str, resolution_mm: float, size: int, filters: int, threshold: float
) -> None:
    plan = make_plan("paper", HEARTS, CPU, layout=layout)
    assert (plan.slices.resolution_mm, plan.slices.size, plan.network.filters) == (resolution_mm, size, filters)
    assert plan.pretrain.threshold == threshold
    assert (plan.slices.low_percentile, plan.slices.high_percentile) == (1.0, 99.0)


def test_paper_has_the_published_training() -> None:
    plan = make_plan("paper", HEARTS, CPU, layout="acdc")
    pretraining, finetuning = plan.pretrain, plan.finetune
    assert (pretraining.learning_rate, pretraining.momentum, pretraining.weight_decay) == (0.1, 0.9, 1e-5)
    assert (pretraining.batch, pretraining.epochs, pretraining.steps, pretraining.warmup) == (32, 200, None, 0.0)
    assert (pretraining.temperature, plan.network.projection) == (0.1, 512)
    assert (finetuning.loss, finetuning.batch, finetuning.epochs, finetuning.steps) == ("ce", 5, 100, None)
    assert (finetuning.learning_rate, finetuning.weight_decay, finetuning.ema) == (5e-5, 0.0, 0.0)
    views = pretraining.augmentation
    assert (views.gamma, views.contrast, views.noise) == (1.0, 0.0, 0.0)
    assert (views.rotation_degrees, views.scale_low, views.scale_high, views.mirror) == (180, 0.7, 1.3, True)


def test_the_threshold_is_the_papers_for_heart_stacks_and_for_ct() -> None:
    assert recommended_threshold(10) == 0.35
    assert recommended_threshold(200) == 0.10
    assert recommended_threshold(3000) == 0.10
    assert recommended_threshold(1) == 0.35


@given(st.floats(1, 3000), st.floats(1, 3000))
def test_the_threshold_never_rises_with_the_number_of_slices(few: float, many: float) -> None:
    few, many = sorted((few, many))
    assert 0.10 <= recommended_threshold(many) <= recommended_threshold(few) <= 0.35


@given(st.floats(1, 2000), st.floats(0.05, 5))
def test_the_fitted_size_is_the_smallest_multiple_of_16_that_holds_the_extent(extent: float, resolution: float) -> None:
    size = fit_size(extent, resolution)
    assert size % 16 == 0
    assert size >= round(extent / resolution) > size - 16 or size == 16


@pytest.mark.parametrize(
    ("device", "largest"), [(CPU, 128), (DeviceFacts("cuda", 8 * GIB), 256), (DeviceFacts("cuda", 80 * GIB), 384)]
)
def test_the_recommended_size_is_capped_by_the_device(device: DeviceFacts, largest: int) -> None:
    wide = Fingerprint(20, 2000, 100.0, (1.0, 0.7, 0.7), 500.0, 500.0)
    plan = make_plan("recommended", wide, device)
    assert plan.slices.size == largest
    assert plan.slices.resolution_mm == pytest.approx(500 / largest, rel=1e-3)
    assert str(largest) in plan.reasons["slices.resolution_mm"]


def test_small_slices_keep_their_native_resolution() -> None:
    plan = make_plan("recommended", Fingerprint(20, 800, 40.0, (1.0, 1.0, 1.0), 50.0, 55.0), CPU)
    assert (plan.slices.resolution_mm, plan.slices.size) == (1.0, 64)


@pytest.mark.parametrize("preset", PRESETS)
@given(
    side=st.integers(1, 2000),
    other=st.integers(1, 2000),
    spacing=st.floats(1e-4, 10.0),
    ratio=st.floats(0.5, 1.0),
    gpu=st.booleans(),
)
def test_volumes_of_one_size_fit_into_their_plan(
    preset: str, side: int, other: int, spacing: float, ratio: float, gpu: bool
) -> None:
    geometry = grid_of((3, side, other), (spacing, spacing * ratio, 20.0))
    device = DeviceFacts("cuda" if gpu else "cpu", 16 * GIB)
    sources = [source_of(geometry)]
    plan = make_plan(preset, take_fingerprint(sources), device)
    assert plan.slices.size % 16 == 0
    grid = slice_grid(geometry, plan.slices, shrink=False)
    assert grid.side == plan.slices.size


def test_all_but_the_widest_twentieth_fit_into_the_recommended_plan() -> None:
    shapes = [(8, 40 + k, 30) for k in range(20)] + [(8, 200, 30)]
    geometries = [grid_of(shape) for shape in shapes]
    plan = make_plan("recommended", take_fingerprint([source_of(geometry) for geometry in geometries]), CPU)
    sides = [slice_grid(geometry, plan.slices, shrink=False).side for geometry in geometries]
    assert sides[:-1] == [plan.slices.size] * 20
    assert sides[-1] > plan.slices.size


def test_the_paper_preset_fits_the_widest_volume_of_an_unknown_data_set() -> None:
    geometries = [grid_of((8, 40, 30)), grid_of((8, 200, 30))]
    plan = make_plan("paper", take_fingerprint([source_of(geometry) for geometry in geometries]), CPU)
    assert [slice_grid(geometry, plan.slices, shrink=False).side for geometry in geometries] == [plan.slices.size] * 2


@pytest.mark.parametrize("preset", PRESETS)
def test_what_a_preset_decides_is_a_valid_plan(preset: str) -> None:
    for device in (CPU, DeviceFacts("cuda", 24 * GIB), DeviceFacts("cpu", 0)):
        plan = make_plan(preset, HEARTS, device, "axial")
        assert plan.slices.axis == "axial"
        assert Plan.from_json(plan.to_json()) == plan


def test_every_reason_names_a_decision() -> None:
    plan = make_plan("recommended", HEARTS, CPU)
    assert len(plan.reasons) >= 7
    for dotted in plan.reasons:
        section, key = dotted.split(".")
        assert hasattr(getattr(plan, section), key)


def test_an_unknown_preset_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="recommended, paper"):
        make_plan("best", HEARTS, CPU)


@pytest.mark.parametrize("preset", PRESETS)
def test_rotation_gets_views_that_leave_it_answerable_and_a_reason(preset: str) -> None:
    plan = suited_to(make_plan(preset, HEARTS, CPU), "rotation")
    assert plan.pretrain.augmentation.rotation_degrees == 0
    assert not plan.pretrain.augmentation.mirror
    assert plan.pretrain.augmentation.scale_high > 1
    assert "unanswerable" in plan.reasons["pretrain.augmentation"]


@pytest.mark.parametrize(("method", "temperature"), [("pcl", 0.1), ("simclr", 0.1), ("moco", 0.07), ("pirl", 0.07)])
def test_methods_have_the_temperature_of_their_authors(method: str, temperature: float) -> None:
    assert suited_to(make_plan("recommended", HEARTS, CPU), method).pretrain.temperature == temperature


def test_sizes_are_multiples_of_what_the_network_halves() -> None:
    assert presets.STRIDE == unet.STRIDE
