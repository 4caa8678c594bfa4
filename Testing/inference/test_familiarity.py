"""What is said of a volume that is unlike those of the training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pcl_core.fingerprinting import take_fingerprint
from pcl_core.inference.familiarity import unlike, unlike_training
from Testing.making import grid_of, stored, tiny_plan

SPACING = (1.5, 1.5, 8.0)


def volume(folder, shape=(8, 48, 40), spacing=SPACING, low=0, high=1000, direction=None):
    voxels = np.random.default_rng(0).integers(low, high, shape).astype(np.int16)
    grid = grid_of(shape, spacing) if direction is None else grid_of(shape, spacing, direction)
    return stored(folder / f"v{len(list(folder.iterdir()))}.nrrd", voxels, grid)


@pytest.fixture
def plan(tmp_path):
    """Trained on a volume of 8 slices of 60 x 72 mm, with intensities from 0 to 1000."""
    known = take_fingerprint([volume(tmp_path)], ranges=[(0.0, 900.0), (0.0, 1100.0)])
    return replace(tiny_plan(), fingerprint=known)


@pytest.mark.parametrize(
    "other",
    [{}, {"spacing": (1.0, 1.0, 5.0), "shape": (14, 60, 50)}, {"high": 3000}, {"low": -20}, {"shape": (30, 48, 40)}],
    ids=str,
)
def test_nothing_is_said_of_a_volume_like_the_others(other, plan, tmp_path):
    assert unlike_training(volume(tmp_path, **other), plan) == []


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"spacing": (0.5, 0.5, 8.0), "shape": (8, 144, 120)}, "Its pixels are 0.5 mm apart, those of the training 1.5 mm."),
        ({"spacing": (1.5, 1.5, 2.0)}, "Its slices are 2 mm apart, those of the training 8 mm."),
        ({"shape": (8, 120, 100)}, "Its slices are 180 mm wide, those of the training 72 mm."),
        ({"shape": (8, 20, 20)}, "Its slices are 30 mm wide, those of the training 72 mm."),
        ({"direction": (1, 0, 0, 0, 0, 1, 0, 1, 0)}, "Its slices are coronal, those of the training were axial."),
    ],
    ids=str,
)
def test_spacing_size_and_plane_that_are_unlike_are_named(other, said, plan, tmp_path):
    assert unlike_training(volume(tmp_path, **other), plan) == [said]


@pytest.mark.parametrize("other", [{"low": -1000, "high": 1000}, {"high": 8000}, {"high": 90}], ids=str)
def test_another_kind_of_scan_shows_in_its_intensities(other, plan, tmp_path):
    (said,) = unlike_training(volume(tmp_path, **other), plan)
    assert "Its intensities go from" in said
    assert "another kind of scan?" in said


def test_scanners_that_differ_among_themselves_are_no_warning(tmp_path):
    known = take_fingerprint([volume(tmp_path)], ranges=[(0.0, 112.0), (0.0, 1000.0), (0.0, 1_700_000.0)])
    assert unlike_training(volume(tmp_path, high=90), replace(tiny_plan(), fingerprint=known)) == []


def test_a_model_that_knows_nothing_of_its_training_says_nothing(tmp_path):
    assert unlike_training(volume(tmp_path, spacing=(9, 9, 9)), replace(tiny_plan(), fingerprint=None)) == []


def test_of_a_volume_without_a_file_the_same_is_said(plan, tmp_path):
    source = volume(tmp_path, spacing=(1.5, 1.5, 2.0), high=8000)
    assert unlike(source.geometry, (0.0, 7999.0), plan) == unlike_training(source, plan)
    assert len(unlike(source.geometry, None, plan)) == 1
