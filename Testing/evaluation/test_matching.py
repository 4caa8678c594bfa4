from __future__ import annotations

from pathlib import Path

import pytest

from pcl_core.evaluation.matching import match_predictions, shared_name
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.volume import VolumeSource

GRID = Geometry((2, 2, 2), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))


def sources(*names):
    return [VolumeSource(name, (Path(f"{name}.nrrd"),), "nrrd", GRID, "uint8", name) for name in names]


@pytest.mark.parametrize(
    ("name", "shared"),
    [
        ("heart_01", "heart_01"),
        ("heart_01_seg", "heart_01"),
        ("heart_01-label", "heart_01"),
        ("heart_01.seg", "heart_01"),
        ("patient001_frame12_gt", "patient001_frame12"),
        ("cine_gt_frame03", "cine_frame03"),
        ("ct_train_1001_image_seg", "ct_train_1001"),
        ("segment_of_lung", "segment_of_lung"),
        ("_seg", "_seg"),
    ],
)
def test_suffixes_of_labels_and_images_are_no_part_of_the_shared_name(name, shared):
    assert shared_name(name) == shared


def test_what_has_no_counterpart_is_told_apart_by_side():
    matched = match_predictions(sources("a_seg", "b_seg"), sources("b_gt", "c_gt"))
    assert [(pair.id, pair.prediction.id, pair.truth.id) for pair in matched.pairs] == [("b", "b_seg", "b_gt")]
    assert [source.id for source in matched.without_truth] == ["a_seg"]
    assert [source.id for source in matched.without_prediction] == ["c_gt"]


def test_an_exact_name_goes_before_one_without_its_modality():
    matched = match_predictions(sources("x_0000_seg", "x_seg"), sources("x"))
    assert [(pair.id, pair.prediction.id) for pair in matched.pairs] == [("x", "x_seg")]
    assert [source.id for source in matched.without_truth] == ["x_0000_seg"]


def test_several_files_of_one_name_are_ambiguous_and_reported_once():
    matched = match_predictions(sources("x_seg", "x_mask", "y"), sources("x", "y"))
    assert [pair.id for pair in matched.pairs] == ["y"]
    assert matched.ambiguous == ("x",)
    assert matched.without_truth == ()
    assert matched.without_prediction == ()


def test_two_modalities_of_one_case_are_not_guessed_between():
    matched = match_predictions(sources("x_0000_seg", "x_0001_seg"), sources("x"))
    assert matched.pairs == ()
    assert matched.ambiguous == ("x",)
