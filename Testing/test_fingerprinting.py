from __future__ import annotations

import numpy as np
import pytest

from pcl_core.errors import InputError
from pcl_core.fingerprinting import take_fingerprint
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.volume import VolumeSource
from Testing.making import grid_of, volume_of


def source_of(geometry: Geometry) -> VolumeSource:
    return volume_of(np.empty(0), geometry).source


def test_slices_are_counted_along_the_slice_axis() -> None:
    sources = [source_of(grid_of((8, 50, 40))), source_of(grid_of((40, 50, 12), (9.0, 1.0, 1.0)))]
    fingerprint = take_fingerprint(sources)
    assert (fingerprint.volumes, fingerprint.slices, fingerprint.slices_per_volume) == (2, 20, 10.0)


def test_a_named_plane_changes_what_is_counted() -> None:
    geometry = grid_of((8, 50, 40), (1.0, 2.0, 4.0))
    axial, sagittal = take_fingerprint([source_of(geometry)], "axial"), take_fingerprint([source_of(geometry)], "sagittal")
    assert (axial.slices, axial.spacing_mm, axial.extent_mm) == (8, (4.0, 2.0, 1.0), 100.0)
    assert (sagittal.slices, sagittal.spacing_mm, sagittal.extent_mm) == (40, (1.0, 4.0, 2.0), 100.0)


def test_the_spacing_is_the_median() -> None:
    sources = [source_of(grid_of((8, 50, 40), (s, s, 10 * s))) for s in (0.5, 1.0, 7.0)]
    assert take_fingerprint(sources).spacing_mm == (10.0, 1.0, 1.0)


def test_one_wide_volume_of_many_does_not_set_the_extent() -> None:
    sources = [source_of(grid_of((8, 50, 40)))] * 30 + [source_of(grid_of((8, 50, 500)))]
    fingerprint = take_fingerprint(sources)
    assert (fingerprint.extent_mm, fingerprint.largest_extent_mm) == (50.0, 500.0)


def test_of_few_volumes_the_widest_sets_the_extent() -> None:
    sources = [source_of(grid_of((8, 50, 40)))] * 3 + [source_of(grid_of((8, 50, 70)))]
    assert take_fingerprint(sources).extent_mm == 70.0


def test_flipped_and_permuted_storage_has_the_same_fingerprint() -> None:
    one = grid_of((8, 50, 40), (1.0, 1.5, 6.0))
    other = Geometry((8, 40, 50), (6.0, 1.0, 1.5), (3.0, 2.0, 1.0), (0, -1, 0, 0, 0, 1, -1, 0, 0))
    assert take_fingerprint([source_of(one)]) == take_fingerprint([source_of(other)])


def test_its_values_are_plain_numbers_that_json_can_hold() -> None:
    fingerprint = take_fingerprint([source_of(grid_of((8, 50, 40)))], ranges=[(0, 5), (1, 9), (-2, 3)])
    assert {
        type(value)
        for value in (fingerprint.extent_mm, *fingerprint.spacing_mm, *fingerprint.intensity, *fingerprint.intensity_width)
    } == {float}
    assert type(fingerprint.slices) is int


def test_no_volume_is_an_error() -> None:
    with pytest.raises(InputError, match="no volume"):
        take_fingerprint([])
