from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pcl_core.volumes.axes import Axis
from pcl_core.volumes.geometry import CanonicalView, Geometry, canonical_view, patient_axes, slice_line, through_plane_axis

STORAGES = [
    (order, flips) for order in itertools.permutations(range(3)) for flips in itertools.product([False, True], repeat=3)
]


def rotation(x: float, y: float, z: float) -> np.ndarray:
    """Turns about the three patient axes, in degrees."""
    matrix = np.eye(3)
    for axis, angle in enumerate(np.radians([x, y, z])):
        turn = np.eye(3)
        first, second = [k for k in range(3) if k != axis]
        turn[[first, second], [first, second]] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


def grid(size: tuple[int, int, int], spacing: tuple[float, float, float], matrix: np.ndarray) -> Geometry:
    return Geometry(size, spacing, (3.0, -20.0, 11.0), tuple(matrix.ravel()))


def stored_otherwise(
    array: np.ndarray, geometry: Geometry, order: tuple[int, ...], flips: tuple[bool, ...]
) -> tuple[np.ndarray, Geometry]:
    """The same anatomy with its stored axes x, y, z permuted, then flipped."""
    corner = np.array(geometry.origin)
    matrix = geometry.matrix[:, order].copy()
    size = tuple(geometry.size[k] for k in order)
    spacing = tuple(geometry.spacing[k] for k in order)
    array = array.transpose([2 - order[2 - axis] for axis in range(3)])
    for k in range(3):
        if flips[k]:
            corner = corner + matrix[:, k] * spacing[k] * (size[k] - 1)
            matrix[:, k] *= -1
            array = np.flip(array, 2 - k)
    return array, Geometry(size, spacing, tuple(corner), tuple(matrix.ravel()))


def physical(geometry: Geometry) -> np.ndarray:
    """LPS positions in mm, (z, y, x, 3), of the voxels."""
    z, y, x = np.meshgrid(*map(np.arange, geometry.shape), indexing="ij")
    return np.stack([x, y, z], -1) * geometry.spacing @ geometry.matrix.T + geometry.origin


def positions_of(view: CanonicalView, geometry: Geometry) -> np.ndarray:
    """LPS positions in mm, (slice, row, column, 3), of the canonical voxels."""
    places = physical(geometry)
    return np.stack([view.apply(places[..., k]) for k in range(3)], -1)


@settings(deadline=None, max_examples=60)
@given(
    size=st.permutations([2, 3, 4]),
    spacing=st.permutations([0.7, 1.3, 5.0]),
    angles=st.tuples(*[st.floats(-180, 180)] * 3),
    axis=st.sampled_from(["auto", "axial", "coronal", "sagittal"]),
    storage=st.sampled_from(STORAGES),
)
def test_the_same_anatomy_stored_flipped_or_permuted_gives_the_same_slices(
    size: list[int], spacing: list[float], angles: tuple[float, float, float], axis: Axis, storage: tuple
) -> None:
    geometry = grid(tuple(size), tuple(spacing), rotation(*angles))
    array = np.arange(24).reshape(geometry.shape)
    other_array, other = stored_otherwise(array, geometry, *storage)
    first, second = canonical_view(geometry, axis), canonical_view(other, axis)
    assert np.array_equal(first.apply(array), second.apply(other_array))
    assert first.spacing == pytest.approx(second.spacing)
    assert (first.shape, first.normal) == (second.shape, second.normal)
    np.testing.assert_allclose(positions_of(first, geometry), positions_of(second, other), atol=1e-9)


@pytest.mark.parametrize(
    "angles", [(45, 0, 0), (0, 45, 0), (0, 0, 45), (-45, 0, 0), (45, 45, 0), (45, 0, 45), (45, 45, 45), (90, 45, 0)]
)
@pytest.mark.parametrize("axis", ["auto", "axial", "coronal", "sagittal"])
@pytest.mark.parametrize("nudge", [0.0, 1e-3, -1e-3])
def test_storage_does_not_matter_at_and_near_45_degrees(angles: tuple[int, int, int], axis: Axis, nudge: float) -> None:
    geometry = grid((2, 3, 4), (0.7, 1.3, 5.0), rotation(*(angle + nudge for angle in angles)))
    array = np.arange(24).reshape(geometry.shape)
    expected = canonical_view(geometry, axis).apply(array)
    for order, flips in STORAGES:
        other_array, other = stored_otherwise(array, geometry, order, flips)
        assert np.array_equal(canonical_view(other, axis).apply(other_array), expected)


@settings(deadline=None)
@given(angles=st.tuples(*[st.floats(-180, 180)] * 3), spacing=st.permutations([0.7, 1.3, 5.0]))
def test_inverting_a_view_gives_back_every_voxel(angles: tuple[float, float, float], spacing: list[float]) -> None:
    geometry = grid((4, 3, 2), tuple(spacing), rotation(*angles))
    array = np.arange(24).reshape(geometry.shape)
    view = canonical_view(geometry)
    assert view.apply(array).shape == view.shape
    assert np.array_equal(view.invert(view.apply(array)), array)


@given(angles=st.tuples(*[st.floats(-180, 180)] * 3))
def test_positions_grow_towards_head_front_or_left_and_pictures_stand_upright(angles: tuple[float, float, float]) -> None:
    geometry = grid((4, 3, 2), (1.0, 1.1, 5.0), rotation(*angles))
    view = canonical_view(geometry)
    places = positions_of(view, geometry)
    slices, rows, columns = (np.diff(places, axis=k).reshape(-1, 3)[0] for k in range(3))
    upwards = {"S": (2, 1), "A": (1, -1), "L": (0, 1)}[view.normal]
    down, right = {"S": ((1, 1), (0, 1)), "A": ((2, -1), (0, 1)), "L": ((2, -1), (1, 1))}[view.normal]
    for step, (axis, sign) in ((slices, upwards), (rows, down), (columns, right)):
        assert step[axis] * sign > -1e-9


def test_slices_are_stacked_across_the_largest_spacing() -> None:
    assert through_plane_axis((1, 5, 2)) == 1


def test_equal_spacings_are_stacked_across_the_stored_third_axis() -> None:
    assert through_plane_axis((1, 1, 1)) == 2
    assert through_plane_axis((1.0004, 1, 1)) == 2


def test_a_tie_without_the_third_axis_goes_to_the_one_nearest_to_head() -> None:
    array = np.arange(24).reshape(4, 3, 2)
    geometry = grid((2, 3, 4), (3.0, 3.0, 1.0), np.array([[0.0, 0, 1], [0, 1, 0], [1, 0, 0]]))
    other_array, other = stored_otherwise(array, geometry, (1, 0, 2), (False, True, False))
    assert canonical_view(geometry).normal == "S"
    assert np.array_equal(canonical_view(geometry).apply(array), canonical_view(other).apply(other_array))


def test_a_named_plane_wins_over_spacing() -> None:
    geometry = grid((2, 3, 4), (1.0, 1.0, 5.0), np.eye(3))
    assert [canonical_view(geometry, axis).normal for axis in ("axial", "coronal", "sagittal")] == ["S", "A", "L"]


def test_every_patient_axis_is_used_once() -> None:
    nearly = rotation(44, 44, 44)
    assert sorted(patient_axes(nearly)) == [0, 1, 2]


def test_orientation_letters_say_where_axes_grow() -> None:
    assert grid((2, 2, 2), (1, 1, 1), np.eye(3)).orientation() == "LPS"
    assert grid((2, 2, 2), (1, 1, 1), np.diag([-1.0, -1.0, 1.0])).orientation() == "RAS"
    assert grid((2, 2, 2), (1, 1, 1), np.array([[0.0, 0, 1], [1, 0, 0], [0, -1, 0]])).orientation() == "PIL"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"size": (2, 3, 5)}, "size 2 x 3 x 5 is not 2 x 3 x 4"),
        ({"spacing": (1.0, 1.0, 2.5)}, "spacing 1 x 1 x 2.5 mm"),
        ({"origin": (3.0, -20.0, 12.0)}, "origin"),
        ({"direction": (0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0)}, "direction"),
    ],
)
def test_differences_of_grids_are_said_in_words(change: dict, words: str) -> None:
    geometry = grid((2, 3, 4), (1.0, 1.0, 2.0), np.eye(3))
    assert words in Geometry(**{**vars(geometry), **change}).differs_from(geometry)


def test_rounding_is_no_difference() -> None:
    geometry = grid((2, 3, 4), (0.7, 0.7, 2.0), np.eye(3))
    assert not Geometry((2, 3, 4), (0.69999999, 0.7, 2.0), (3.00001, -20.0, 11.0), geometry.direction).differs_from(geometry)


@pytest.mark.parametrize("axis", ["auto", "axial", "coronal", "sagittal"])
@pytest.mark.parametrize("storage", STORAGES[::5], ids=str)
def test_the_line_of_slices_runs_through_the_centres_of_the_canonical_slices(axis, storage):
    geometry = grid((5, 6, 7), (0.8, 1.1, 3.0), rotation(20, -30, 10))
    _, geometry = stored_otherwise(np.zeros(geometry.shape), geometry, *storage)
    centres = positions_of(canonical_view(geometry, axis), geometry).mean(axis=(1, 2))
    line = slice_line(geometry, axis)
    assert line.count == len(centres)
    found = np.asarray(line.first) + np.arange(line.count)[:, None] * np.asarray(line.step)
    np.testing.assert_allclose(found, centres, atol=1e-9)
