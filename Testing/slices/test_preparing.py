from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pcl_core.errors import InputError
from pcl_core.slices.preparing import prepare_images, prepare_labels, slice_grid
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.volume import NOT_ANNOTATED
from Testing.making import grid_of, restored, slice_plan, stack, volume_of


def noise(shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(50, 10, shape).astype(np.float32)


def centre_of(image: np.ndarray) -> np.ndarray:
    """Centre of mass (row, column) in pixels."""
    weight = image / image.sum()
    rows, columns = np.indices(image.shape)
    return np.array([(rows * weight).sum(), (columns * weight).sum()])


def test_intensities_are_clipped_to_the_percentiles_of_the_whole_volume_and_scaled() -> None:
    voxels = noise((4, 16, 16))
    voxels[0, 0, 0], voxels[1, 1, 1] = 1e6, -1e6
    images, _ = prepare_images(volume_of(voxels), slice_plan(16), shrink=True)
    low, high = np.percentile(voxels, [1, 99])
    np.testing.assert_allclose(images, (np.clip(voxels, low, high) - low) / (high - low), atol=1e-5)
    assert images.dtype == np.float32
    assert (images.min(), images.max()) == (0, pytest.approx(1))


def test_one_bright_slice_does_not_change_how_it_is_scaled_by_itself() -> None:
    voxels = noise((4, 16, 16))
    voxels[2] += 100
    images, _ = prepare_images(volume_of(voxels), slice_plan(16), shrink=True)
    assert images[2].mean() > images[[0, 1, 3]].mean() + 0.5


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_every_type_of_voxel_gives_the_same_slices(dtype: type) -> None:
    voxels = np.random.default_rng(0).integers(0, 200, (3, 16, 16))
    expected, _ = prepare_images(volume_of(voxels.astype(np.float64)), slice_plan(16), shrink=True)
    images, _ = prepare_images(volume_of(voxels.astype(dtype)), slice_plan(16), shrink=True)
    np.testing.assert_allclose(images, expected, atol=1e-6)


def test_small_differences_on_a_large_offset_are_kept() -> None:
    voxels = noise((2, 16, 16)).round().astype(np.float64)
    expected, _ = prepare_images(volume_of(voxels), slice_plan(16), shrink=True)
    images, _ = prepare_images(volume_of(voxels + 1e12), slice_plan(16), shrink=True)
    np.testing.assert_allclose(images, expected, atol=1e-3)


def test_a_volume_that_is_nearly_all_air_keeps_its_anatomy() -> None:
    voxels = np.zeros((4, 32, 32), np.float32)
    voxels[2, 5, 5] = 7
    images, _ = prepare_images(volume_of(voxels), slice_plan(32), shrink=True)
    assert images.max() == images[2, 5, 5] == 1
    assert images.sum() == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_not_numbers_are_refused_by_name(value: float) -> None:
    voxels = noise((4, 16, 16))
    voxels[3, 2, 1] = value
    with pytest.raises(InputError, match=r"heart7\.nrrd has voxels that are not numbers"):
        prepare_images(volume_of(voxels, name="heart7"), slice_plan(), shrink=True)


@pytest.mark.parametrize("voxels", [np.full((3, 8, 8), 4.5), np.zeros((1, 1, 1)), np.full((2, 8, 8), -3, np.int16)])
def test_constant_volumes_are_refused_by_name(voxels: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"heart7\.nrrd is constant"):
        prepare_images(volume_of(voxels, name="heart7"), slice_plan(), shrink=True)


@given(
    scale=st.floats(-45, 38).map(lambda exponent: 10.0**exponent),
    offset=st.floats(-38, 38).map(lambda exponent: 10.0**exponent),
    sign=st.sampled_from([-1, 1]),
)
@settings(deadline=None)
def test_whatever_the_scale_slices_are_within_0_and_1_or_the_volume_is_refused(scale: float, offset: float, sign: int) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        voxels = (noise((2, 16, 16)) * scale + sign * offset).astype(np.float32)
    try:
        images, _ = prepare_images(volume_of(voxels), slice_plan(16), shrink=True)
    except InputError:
        return
    assert images.min() >= 0
    assert images.max() <= 1


@given(
    shape=st.tuples(st.just(2), st.integers(1, 90), st.integers(1, 90)),
    spacing=st.tuples(st.floats(0.3, 3), st.floats(0.3, 3)),
    resolution=st.floats(0.5, 3),
    shrink=st.booleans(),
)
@settings(deadline=None, max_examples=60)
@example(shape=(2, 1, 44), spacing=(3.0, 1.0), resolution=1.0, shrink=True)
def test_the_whole_slice_lies_in_the_square_and_nothing_is_cut_off(
    shape: tuple[int, int, int], spacing: tuple[float, float], resolution: float, shrink: bool
) -> None:
    geometry, plan = grid_of(shape, (*spacing, 9.0)), slice_plan(32, resolution)
    grid = slice_grid(geometry, plan, shrink)
    rows, columns = grid.window
    assert grid.side % 16 == 0
    assert (rows.stop - rows.start, columns.stop - columns.start) == grid.pixels
    assert 0 <= rows.start < rows.stop <= grid.side
    assert 0 <= columns.start < columns.stop <= grid.side
    assert abs(rows.start - (grid.side - rows.stop)) <= 1, "the slice lies in the middle"
    assert abs(columns.start - (grid.side - columns.stop)) <= 1
    wanted = [max(1, round(shape[1] * spacing[1] / resolution)), max(1, round(shape[2] * spacing[0] / resolution))]
    if max(wanted) <= 32:
        assert (grid.side, list(grid.pixels)) == (32, wanted)
    elif shrink:
        assert (grid.side, max(grid.pixels)) == (32, 32)
        at_least_one = max(wanted[0] * 32, *wanted)  # a slice is never thinner than a pixel
        assert grid.pixels[0] * max(wanted) == pytest.approx(at_least_one, abs=max(wanted) / 2 + 1 + 32)
    else:
        assert list(grid.pixels) == wanted
        assert grid.side - 16 < max(wanted) <= grid.side
    # A bright frame around the slice is bright all around the window.
    voxels = np.ones(shape, np.float32)
    voxels[:, 1:-1, 1:-1] = 0
    voxels[0, 0, 0] = 0.5  # never constant
    images, _ = prepare_images(volume_of(voxels, geometry), plan, shrink)
    assert images.shape == (shape[0], grid.side, grid.side)
    outside = np.ones((grid.side, grid.side), bool)
    outside[rows, columns] = False
    assert not images[:, outside].any()
    if min(shape[1:]) > 4:
        inner = images[1][rows, columns]
        assert min(inner[0].min(), inner[-1].min(), inner[:, 0].min(), inner[:, -1].min()) > 0.15


@pytest.mark.parametrize("shape", [(3, 1, 1), (3, 1, 200), (3, 200, 1), (1, 2, 3), (3, 500, 4)])
@pytest.mark.parametrize("shrink", [True, False])
def test_slices_of_a_pixel_and_of_extreme_aspect_are_prepared(shape: tuple[int, int, int], shrink: bool) -> None:
    images, grid = prepare_images(volume_of(noise(shape)), slice_plan(32), shrink)
    assert images.shape == grid.shape
    assert 0.3 < images.max() <= 1
    assert min(grid.pixels) >= 1


def test_a_volume_is_prepared_along_the_planned_axis() -> None:
    voxels, geometry = noise((6, 10, 14)), grid_of((6, 10, 14), (1.0, 1.0, 3.0))
    plan = slice_plan(32)
    assert prepare_images(volume_of(voxels, geometry), plan, True)[0].shape[0] == 6
    assert prepare_images(volume_of(voxels, geometry), slice_plan(32, axis="sagittal"), True)[0].shape[0] == 14


@given(
    row=st.floats(0.3, 0.7),
    column=st.floats(0.3, 0.7),
    spacing=st.tuples(st.floats(0.5, 2.5), st.floats(0.5, 2.5)),
    resolution=st.floats(0.7, 2.0),
    shrink=st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_the_centre_of_a_blob_keeps_its_place_in_mm(
    row: float, column: float, spacing: tuple[float, float], resolution: float, shrink: bool
) -> None:
    shape = (1, 44, 36)
    height, width = shape[1] * spacing[1], shape[2] * spacing[0]
    rows, columns = (np.arange(shape[1]) + 0.5) * spacing[1], (np.arange(shape[2]) + 0.5) * spacing[0]
    wide = 4 * max(*spacing, resolution)  # mm; wide enough for every grid
    blob = np.exp(
        -((rows[:, None] - row * height) ** 2) / (2 * (wide / 2) ** 2)
        - (columns[None, :] - column * width) ** 2 / (2 * (wide / 2) ** 2)
    )
    if min(row * height, height - row * height, column * width, width - column * width) < 1.8 * wide:
        return  # cut off by the edge of the slice itself
    geometry = grid_of(shape, (*spacing, 9.0))
    plan = slice_plan(64, resolution, low_percentile=0.0, high_percentile=100.0)
    images, grid = prepare_images(volume_of(blob[None].astype(np.float32), geometry), plan, shrink)
    window = images[0][grid.window]
    found = (centre_of(window) + 0.5) / window.shape * (height, width)
    pixel = np.array([height, width]) / window.shape
    np.testing.assert_allclose(found, (row * height, column * width), atol=0.06 * max(*pixel, *spacing))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("flips", list(itertools.product([False, True], repeat=3)))
def test_the_same_anatomy_stored_otherwise_gives_the_same_slices_and_labels(
    order: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> None:
    image, labels = stack(3, slices=6, side=20)
    geometry = grid_of(image.shape, (1.2, 0.9, 7.0), origin=(5.0, -3.0, 40.0))
    image[:, :3, :5] += 900  # not symmetrical
    plan = slice_plan(32, 0.8)
    images, grid = prepare_images(volume_of(image, geometry), plan, shrink=True)
    other, other_geometry = restored(image, geometry, order, flips)
    same, other_grid = prepare_images(volume_of(other, other_geometry), plan, shrink=True)
    assert np.array_equal(images, same)
    other_labels, _ = restored(labels, geometry, order, flips)
    assert np.array_equal(prepare_labels(labels, grid), prepare_labels(other_labels, other_grid))


@given(st.data(), st.floats(0.3, 3.0))
@settings(deadline=None, max_examples=30)
def test_no_label_value_is_invented(data: st.DataObject, resolution: float) -> None:
    values = data.draw(st.lists(st.integers(0, 255), min_size=1, max_size=4))
    labels = np.random.default_rng(len(values)).choice(np.array(values, np.uint8), (2, 12, 15))
    grid = slice_grid(grid_of(labels.shape), slice_plan(64, resolution), shrink=True)
    prepared = prepare_labels(labels, grid)
    assert prepared.dtype == np.uint8
    for stored_slice, prepared_slice in zip(labels, prepared, strict=True):
        assert set(np.unique(prepared_slice)) <= {*np.unique(stored_slice).tolist(), 0}


@pytest.mark.parametrize("resolution", [0.6, 0.9, 1.3, 1.7, 2.4])
def test_classes_keep_their_area(resolution: float) -> None:
    random = np.random.default_rng(0)
    labels = np.zeros((60, 48, 48), np.uint8)
    rows, columns = np.indices((48, 48))
    for plane in labels:
        away = (rows - random.uniform(20, 28)) ** 2 + (columns - random.uniform(20, 28)) ** 2
        plane[away < 15**2], plane[away < 9**2] = 9, 200
    grid = slice_grid(grid_of(labels.shape), slice_plan(96, resolution), shrink=True)
    prepared = prepare_labels(labels, grid)
    pixel = (48 / grid.pixels[0]) * (48 / grid.pixels[1])
    for value in (9, 200):
        assert (prepared == value).sum() * pixel == pytest.approx((labels == value).sum(), rel=0.02)


@pytest.mark.parametrize("resolution", [0.7, 1.0, 1.9])
def test_not_annotated_stays_not_annotated(resolution: float) -> None:
    labels = np.zeros((3, 32, 32), np.uint8)
    labels[0, :, 16:] = NOT_ANNOTATED
    labels[0, 8:24, 4:12] = 3
    labels[1] = NOT_ANNOTATED
    grid = slice_grid(grid_of(labels.shape), slice_plan(64, resolution), shrink=True)
    prepared = prepare_labels(labels, grid)
    inner = prepared[0][grid.window]
    middle = grid.pixels[1] // 2
    assert (inner[:, middle + 1 :] == NOT_ANNOTATED).all()
    assert not (inner[:, : middle - 1] == NOT_ANNOTATED).any()
    assert (inner == 3).any()
    assert (prepared[1] == NOT_ANNOTATED).all(), "a slice without any annotation takes no part, nor does its padding"
    assert not prepared[2].any()


def test_labels_at_the_native_resolution_are_only_moved() -> None:
    labels = np.random.default_rng(0).integers(0, 256, (4, 20, 28)).astype(np.uint8)
    grid = slice_grid(grid_of(labels.shape), slice_plan(32), shrink=True)
    rows, columns = grid.window
    canonical = grid.view.apply(labels)
    assert np.array_equal(prepare_labels(labels, grid)[:, rows, columns], canonical)


def test_labels_lie_where_their_image_lies() -> None:
    image, labels = stack(0, slices=4, side=40)
    geometry = grid_of(image.shape, (1.3, 0.8, 8.0))
    images, grid = prepare_images(volume_of(((labels == 1) * 1000).astype(np.int16), geometry), slice_plan(48), shrink=False)
    prepared = prepare_labels(labels, grid)
    inside, outside = images[prepared == 1], images[prepared != 1]
    assert inside.mean() > 0.85
    assert outside.mean() < 0.05


def test_a_large_volume_is_never_held_in_floats_as_a_whole() -> None:
    voxels = np.random.default_rng(0).integers(0, 1000, (600, 96, 96)).astype(np.int16)
    volume = volume_of(voxels, grid_of(voxels.shape, (1.0, 1.0, 1.0)))
    tracemalloc.start()
    images, _ = prepare_images(volume, slice_plan(32, 3.0), shrink=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < images.nbytes + 2 * voxels.nbytes


def test_geometries_that_are_turned_by_a_few_degrees_are_prepared_alike() -> None:
    image, _ = stack(1, slices=5, side=24)
    angle = np.radians(12)
    turned = (np.cos(angle), -np.sin(angle), 0.0, np.sin(angle), np.cos(angle), 0.0, 0.0, 0.0, 1.0)
    straight = grid_of(image.shape)
    oblique = Geometry(straight.size, straight.spacing, straight.origin, turned)
    plan = slice_plan(32)
    one, _ = prepare_images(volume_of(image, straight), plan, shrink=True)
    other, _ = prepare_images(volume_of(image, oblique), plan, shrink=True)
    assert np.array_equal(one, other)
