from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pcl_core.errors import InputError
from pcl_core.volumes.cases import Cases, find_cases, find_labels


def write(nifti, root: Path, *names: str) -> None:
    for name in names:
        nifti(root / f"{name}.nii.gz")


def pairs(cases: Cases) -> list[tuple[str, str]]:
    return [(case.id, case.labels.path.name.split(".")[0]) for case in cases.cases]


@pytest.mark.parametrize("suffix", ["_gt", "_seg", "_label", "_mask", "-label", "_SEG"])
def test_labels_follow_their_image_by_suffix(nifti, tmp_path: Path, suffix: str) -> None:
    write(nifti, tmp_path, "a", f"a{suffix}", "b")
    cases = find_cases(tmp_path)
    assert pairs(cases) == [("a", f"a{suffix}")]
    assert [source.id for source in cases.without_labels] == ["b"]


def test_labels_have_the_same_name_in_another_folder(nifti, itk, tmp_path: Path) -> None:
    write(nifti, tmp_path / "pictures", "a", "b")
    itk(tmp_path / "drawn" / "a.nrrd")
    itk(tmp_path / "drawn" / "b_seg.nrrd")
    itk(tmp_path / "drawn" / "c_seg.nrrd")
    cases = find_cases(tmp_path / "pictures", tmp_path / "drawn")
    # Where some files are named as labels, only those are.
    assert pairs(cases) == [("b", "b_seg")]
    assert [source.path.name for source in cases.unmatched_labels] == ["c_seg.nrrd"]


def test_plain_names_in_a_folder_of_labels_match(nifti, itk, tmp_path: Path) -> None:
    write(nifti, tmp_path / "pictures", "a", "b")
    itk(tmp_path / "drawn" / "a.nrrd")
    assert pairs(find_cases(tmp_path / "pictures", tmp_path / "drawn")) == [("a", "a")]


def test_a_single_image_and_a_single_label_file_match_by_name(nifti, tmp_path: Path) -> None:
    write(nifti, tmp_path, "a", "a_gt")
    assert pairs(find_cases(tmp_path / "a.nii.gz", tmp_path / "a_gt.nii.gz")) == [("a", "a_gt")]


@pytest.mark.parametrize("separate", [False, True])
def test_the_decathlon_layout_matches(nifti, tmp_path: Path, separate: bool) -> None:
    write(nifti, tmp_path, "imagesTr/x_1", "imagesTr/x_2", "labelsTr/x_1", "imagesTs/x_3")
    cases = find_cases(tmp_path / "imagesTr", tmp_path / "labelsTr") if separate else find_cases(tmp_path)
    assert pairs(cases) == [("x_1", "x_1")]
    assert cases.layout == "msd"


def test_one_label_map_goes_with_the_first_modality_of_a_4d_file(nifti, tmp_path: Path, voxels: np.ndarray) -> None:
    nifti(tmp_path / "imagesTr" / "x.nii.gz", np.stack([voxels] * 3))
    write(nifti, tmp_path, "labelsTr/x")
    assert pairs(find_cases(tmp_path)) == [("x_frame01", "x")]


def test_the_acdc_layout_matches_within_one_folder(nifti, tmp_path: Path, voxels: np.ndarray) -> None:
    write(nifti, tmp_path, *(f"patient00{k}/patient00{k}_frame01{end}" for k in (1, 2) for end in ("", "_gt")))
    nifti(tmp_path / "patient001" / "patient001_4d.nii.gz", np.stack([voxels] * 2))
    for cases in (find_cases(tmp_path), find_cases(tmp_path, tmp_path)):
        assert pairs(cases) == [(f"patient00{k}_frame01", f"patient00{k}_frame01_gt") for k in (1, 2)]
        assert [case.source.patient for case in cases.cases] == ["patient001", "patient002"]
        assert len(cases.without_labels) == 2


def test_the_nnunet_layout_matches_without_the_channel(nifti, tmp_path: Path) -> None:
    write(nifti, tmp_path, "imagesTr/x_0000", "imagesTr/y_0000", "labelsTr/x", "labelsTr/y")
    assert pairs(find_cases(tmp_path)) == [("x", "x"), ("y", "y")]


@pytest.mark.parametrize(
    ("image", "labels"),
    [
        ("ct_1001_image", "ct_1001_label"),
        ("mr_train_1001_image", "mr_train_1001_label"),
        ("training_axial_full_pat0", "training_axial_full_pat0-label"),
    ],
)
def test_the_heart_layouts_match(nifti, tmp_path: Path, image: str, labels: str) -> None:
    write(nifti, tmp_path, image, labels)
    assert pairs(find_cases(tmp_path)) == [(image, labels)]


def test_the_same_names_in_many_folders_match_folder_by_folder(nifti, tmp_path: Path) -> None:
    write(nifti, tmp_path, "p1/t1", "p1/t1_seg", "p2/t1", "p3/t1", "p3/t1_seg")
    cases = find_cases(tmp_path)
    assert [(case.id, case.labels.path.parent.name) for case in cases.cases] == [("p1_t1", "p1"), ("p3_t1", "p3")]


def test_labels_of_one_patient_never_go_to_another(nifti, tmp_path: Path) -> None:
    write(nifti, tmp_path, "p1/t1", "p2/t1_seg", "p3/x", "p3/x_gt")
    cases = find_cases(tmp_path)
    assert pairs(cases) == [("x", "x_gt")]
    assert len(cases.unmatched_labels) == 1


def test_results_named_by_id_match_images_in_folders(nifti, itk, tmp_path: Path) -> None:
    write(nifti, tmp_path / "in", "p1/t1", "p2/t1")
    itk(tmp_path / "out" / "p1_t1_seg.nrrd")
    itk(tmp_path / "out" / "p2_t1_seg.nrrd")
    assert pairs(find_cases(tmp_path / "in", tmp_path / "out")) == [("p1_t1", "p1_t1_seg"), ("p2_t1", "p2_t1_seg")]


def test_labels_match_a_dicom_series_by_the_name_of_its_folder(dicom, itk, tmp_path: Path, voxels: np.ndarray) -> None:
    dicom(tmp_path / "in" / "case7", voxels)
    itk(tmp_path / "drawn" / "case7_seg.nrrd")
    assert pairs(find_cases(tmp_path / "in", tmp_path / "drawn")) == [("case7", "case7_seg")]


def test_frames_match_frame_by_frame(nifti, tmp_path: Path, voxels: np.ndarray) -> None:
    nifti(tmp_path / "a.nii.gz", np.stack([voxels] * 3))
    write(nifti, tmp_path, "a_frame02_gt")
    assert pairs(find_cases(tmp_path)) == [("a_frame02", "a_frame02_gt")]
    nifti(tmp_path / "both" / "b.nii.gz", np.stack([voxels] * 2))
    nifti(tmp_path / "both" / "b_gt.nii.gz", np.stack([voxels] * 2))
    cases = find_cases(tmp_path / "both").cases
    assert [(case.source.frame, case.labels.frame) for case in cases] == [(0, 0), (1, 1)]


def test_of_two_label_files_the_one_drawn_by_hand_is_taken(nifti, tmp_path: Path) -> None:
    write(nifti, tmp_path, "a", "a_seg", "a_gt")
    cases = find_cases(tmp_path)
    assert pairs(cases) == [("a", "a_gt")]
    assert len(cases.unmatched_labels) == 1


def test_no_match_is_an_error_with_the_naming_rule(nifti, tmp_path: Path) -> None:
    write(nifti, tmp_path, "in/a", "drawn/b")
    with pytest.raises(InputError, match=r"No label file in .*drawn matches .* _gt, _seg, _label or _mask"):
        find_cases(tmp_path / "in", tmp_path / "drawn")
    with pytest.raises(InputError, match="does not exist"):
        find_cases(tmp_path / "in", tmp_path / "gone")


def test_unreadable_files_of_either_kind_are_listed(nifti, tmp_path: Path) -> None:
    write(nifti, tmp_path, "a", "a_gt")
    (tmp_path / "b.nii.gz").write_text("text")
    (tmp_path / "b_gt.nii.gz").write_text("text")
    assert [one.path.name for one in find_cases(tmp_path).unreadable] == ["b.nii.gz", "b_gt.nii.gz"]


def test_label_maps_are_found_alone(nifti, tmp_path: Path) -> None:
    write(nifti, tmp_path, "named/a_seg", "named/a", "plain/a", "plain/b")
    assert [source.id for source in find_labels(tmp_path / "named").sources] == ["a_seg"]
    assert [source.id for source in find_labels(tmp_path / "plain").sources] == ["a", "b"]


@pytest.mark.parametrize(("name", "count", "without"), [("hippocampus", 200, 1), ("acdc", 160, 0), ("chaos_t2", 20, 0)])
def test_real_data_sets_match(shared_data: Path, name: str, count: int, without: int) -> None:
    cases = find_cases(shared_data / name)
    assert (len(cases.cases), len(cases.without_labels), len(cases.unmatched_labels)) == (count, without, 0)
