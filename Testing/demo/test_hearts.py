from __future__ import annotations

import json

import nibabel
import numpy as np
import pytest

from pcl_core.demo.hearts import CLASS_NAMES, LEFT, MUSCLE, RIGHT, generate_heart, stored_otherwise, write_hearts
from pcl_core.errors import InputError
from pcl_core.events import Collected, Reporter
from pcl_core.volumes.geometry import canonical_view
from pcl_core.volumes.writing import write_volume

SEEDS = range(12)


@pytest.fixture(scope="module")
def hearts():
    return [generate_heart(seed) for seed in SEEDS]


def base_first(array, geometry):
    return canonical_view(geometry).apply(array)[::-1]


def test_the_same_seed_gives_the_same_heart_and_another_seed_another(hearts):
    voxels, labels, geometry = generate_heart(3)
    assert np.array_equal(voxels, hearts[3][0])
    assert np.array_equal(labels, hearts[3][1])
    assert geometry == hearts[3][2]
    assert geometry != hearts[4][2]


def test_sizes_and_spacings_are_those_of_short_axis_stacks(hearts):
    for voxels, labels, geometry in hearts:
        assert voxels.shape == labels.shape == geometry.shape
        assert voxels.dtype == np.int16
        assert labels.dtype == np.uint8
        assert 8 <= geometry.size[2] <= 14
        assert all(64 <= size <= 96 for size in geometry.size[:2])
        assert all(2.0 <= spacing <= 2.5 for spacing in geometry.spacing[:2])
        assert 8.0 <= geometry.spacing[2] <= 10.0


def test_every_heart_has_all_classes_and_positions_grow_towards_the_base(hearts):
    for _, labels, geometry in hearts:
        assert set(np.unique(labels)) == {0, RIGHT, MUSCLE, LEFT}
        assert canonical_view(geometry).normal == "S"
        assert canonical_view(geometry).flips == (False, False, False)
        heights = {label: np.nonzero(labels == label)[0].mean() for label in CLASS_NAMES}
        assert heights[RIGHT] > heights[MUSCLE]


def test_the_heart_changes_from_base_to_apex(hearts):
    for _, labels, geometry in hearts:
        stack = base_first(labels, geometry)
        left, muscle, right = ((stack == label).sum(axis=(1, 2)) for label in (LEFT, MUSCLE, RIGHT))
        lowest = np.nonzero(muscle)[0][-1]
        widest = left.max()
        assert left[lowest] < 0.4 * widest
        assert right[lowest] == 0
        assert np.nonzero(right)[0][-1] < lowest


def test_the_left_ventricle_is_enclosed_by_its_muscle(hearts):
    for _, labels, _ in hearts:
        left = labels == LEFT
        for axis in (1, 2):
            for step in (-1, 1):
                beside = np.roll(labels, step, axis=axis)[left]
                assert np.isin(beside, (LEFT, MUSCLE)).mean() > 0.97


def test_blood_is_brighter_than_muscle_but_no_threshold_finds_the_heart(hearts):
    for voxels, labels, _ in hearts:
        blood = np.median(voxels[labels == LEFT])
        muscle = np.median(voxels[labels == MUSCLE])
        assert blood > 1.15 * muscle
        # Of the background at least as many voxels are as bright as blood as the whole cavity has.
        assert (voxels[labels == 0] > 0.8 * blood).sum() > 0.5 * (labels == LEFT).sum()


def test_contrast_differs_widely_between_hearts(hearts):
    contrast = [np.median(v[m == MUSCLE]) / np.median(v[m == LEFT]) for v, m, _ in hearts]
    assert max(contrast) - min(contrast) > 0.15


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
@pytest.mark.parametrize("flips", [(False, False, True), (True, True, False)])
def test_a_heart_stored_otherwise_has_the_same_canonical_slices_and_voxel_positions(hearts, order, flips):
    voxels, labels, geometry = hearts[0]
    other, other_labels, stored = stored_otherwise((voxels, labels), geometry, order, flips)
    assert other.shape == stored.shape
    assert np.array_equal(canonical_view(stored).apply(other), voxels)
    assert np.array_equal(canonical_view(stored).apply(other_labels), labels)
    far = [place(g, np.array(g.size) - 1) for g in (geometry, stored)]
    near = [place(g, np.zeros(3)) for g in (geometry, stored)]
    middles = [(a + b) / 2 for a, b in zip(far, near, strict=True)]
    assert middles[0] == pytest.approx(middles[1], abs=1e-6)


def place(geometry, index):
    return np.array(geometry.origin) + geometry.matrix @ (np.array(geometry.spacing) * index)


def test_a_written_data_set_can_be_read_back_with_its_grid_and_class_names(tmp_path):
    sink = Collected()
    names = write_hearts(tmp_path, 8, seed=1, reporter=Reporter(sink))
    assert names == [f"heart_{k:03d}" for k in range(8)]
    described = json.loads((tmp_path / "dataset.json").read_text())
    assert described["labels"] == {"background": 0, "right ventricle": 1, "myocardium": 2, "left ventricle": 3}
    stored = set()
    for name in names:
        image = nibabel.load(tmp_path / "imagesTr" / f"{name}_0000.nii.gz")
        label = nibabel.load(tmp_path / "labelsTr" / f"{name}.nii.gz")
        assert np.array_equal(image.affine, label.affine)
        assert image.shape == label.shape
        assert set(np.unique(np.asarray(label.dataobj))) == {0, 1, 2, 3}
        stored.add("".join(nibabel.aff2axcodes(image.affine)))
    assert "LPS" in stored
    assert len(stored) > 1, "some volumes are stored flipped or permuted"
    assert sink.named("progress")[-1]["done"] == 8


def test_the_affine_on_disk_places_voxels_where_the_geometry_does(tmp_path):
    voxels, _, geometry = generate_heart(5)
    write_volume(tmp_path / "a.nii.gz", voxels, geometry)
    image = nibabel.load(tmp_path / "a.nii.gz")
    index = np.array([3, 7, 2])
    ras = image.affine @ [*index, 1.0]
    assert ras[:3] * (-1, -1, 1) == pytest.approx(place(geometry, index), abs=1e-3)
    assert image.dataobj[3, 7, 2] == voxels[2, 7, 3]


def test_a_folder_that_cannot_be_written_is_an_input_error(tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(InputError, match="taken"):
        write_hearts(tmp_path / "taken", 1, seed=0, reporter=Reporter())
