from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from pcl_core.errors import InputError
from pcl_core.volumes.cases import find_cases, find_labels
from pcl_core.volumes.data_sets import DATA_SETS, can_be_class, slice_axis
from pcl_core.volumes.layouts import LAYOUTS
from pcl_core.volumes.reading import read_labels


def test_every_data_set_has_a_layout_and_as_many_classes_as_the_paper_says() -> None:
    assert DATA_SETS.keys() < LAYOUTS.keys()
    assert {name: len(data_set.classes) for name, data_set in DATA_SETS.items()} == {
        "chd": 7, "mmwhs": 7, "acdc": 3, "hvsmr": 2,
    }  # fmt: skip
    for data_set in DATA_SETS.values():
        assert len(set(data_set.classes.values())) == len(data_set.classes)
        assert set(data_set.meant.values()) <= data_set.classes.keys()
        assert all(map(can_be_class, data_set.classes))


def test_large_values_become_ranks_in_a_byte_and_can_be_told_from_them() -> None:
    data_set = DATA_SETS["mmwhs"]
    stored = np.array([0, 205, 420, 421, 500, 550, 600, 820, 850, 255], np.int16)
    clean, strange = data_set.clean(stored)
    assert (clean.tolist(), clean.dtype, strange) == ([0, 205, 420, 420, 500, 550, 600, 820, 850, 255], np.uint16, ())
    codes = data_set.codes(clean)
    assert (codes.tolist(), codes.dtype) == ([0, 1, 2, 2, 3, 4, 5, 6, 7, 255], np.uint8)
    assert [0, *data_set.coded] == [0, 205, 420, 500, 550, 600, 820, 850]


def test_what_is_not_annotated_stays_so_above_the_classes() -> None:
    clean, strange = DATA_SETS["chd"].clean(np.array([7, 8, 254, 255, 256, 900], np.int16))
    assert (clean.tolist(), clean.dtype, strange) == ([7, 0, 0, 255, 0, 0], np.uint8, ())


@pytest.mark.parametrize(("name", "value"), [("acdc", 4), ("hvsmr", 3), ("mmwhs", 1), ("mmwhs", 419), ("acdc", 60000)])
def test_values_of_no_class_are_found(name: str, value: int) -> None:
    _, strange = DATA_SETS[name].clean(np.array([0, value, value], np.uint16))
    assert strange == (value,)


@pytest.mark.parametrize(("value", "can"), [(0, False), (1, True), (254, True), (255, False), (256, False), (850, True)])
def test_only_data_sets_have_classes_beyond_a_byte(value: int, can: bool) -> None:
    assert can_be_class(value) is can


def test_the_axis_of_a_data_set_gives_way_to_the_one_asked_for() -> None:
    assert [slice_axis("auto", name) for name in ("hvsmr", "acdc", "folder")] == ["axial", "auto", "auto"]
    assert slice_axis("sagittal", "hvsmr") == "sagittal"


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_labels_named_as_in_a_data_set_are_read_by_its_rule(nifti, tmp_path: Path, dtype: type) -> None:
    labels = np.zeros((5, 4, 3), dtype)
    labels[0, 0] = 205, 421, 850
    nifti(tmp_path / "ct_train_1001_image.nii.gz")
    nifti(tmp_path / "ct_train_1001_label.nii.gz", labels)
    (case,) = find_cases(tmp_path).cases
    (alone,) = find_labels(tmp_path).sources
    for source in (case.labels, alone, pickle.loads(pickle.dumps(case.labels))):
        assert read_labels(source, case.source)[0, 0].tolist() == [205, 420, 850]


def test_labels_of_other_names_are_of_a_data_set_only_when_that_is_said(nifti, tmp_path: Path) -> None:
    nifti(tmp_path / "patient001_frame01.nii.gz")
    nifti(tmp_path / "drawn" / "patient001_frame01_seg.nii.gz", np.full((5, 4, 3), 9, np.uint8))
    images = tmp_path / "patient001_frame01.nii.gz"
    (case,) = find_cases(images, tmp_path / "drawn").cases
    assert read_labels(case.labels).max() == 9
    (case,) = find_cases(images, tmp_path / "drawn", "acdc").cases
    with pytest.raises(InputError, match=r"patient001_frame01_seg\.nii\.gz has the value 9, unlike the data set acdc"):
        read_labels(case.labels)


def test_many_strange_values_are_listed_in_part(nifti, tmp_path: Path) -> None:
    nifti(tmp_path / "patient001_frame01.nii.gz")
    nifti(tmp_path / "patient001_frame01_gt.nii.gz", np.arange(60, dtype=np.int16).reshape(5, 4, 3))
    (case,) = find_cases(tmp_path).cases
    with pytest.raises(InputError, match=r"the values 4, 5, 6, 7, 8, 9 \.\.\., unlike"):
        read_labels(case.labels)
