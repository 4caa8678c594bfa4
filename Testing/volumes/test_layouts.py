from __future__ import annotations

from pathlib import Path

import pytest

from pcl_core.arguments import LAYOUTS as OFFERED
from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.layouts import LAYOUTS, NAMES, place, resolve

# Two patients of each data set: (layout, images, labels, patients of the images).
EXAMPLES = [
    (
        "acdc",
        ["patient001/patient001_frame01", "patient001/patient001_frame12", "patient002/patient002_4d"],
        ["patient001/patient001_frame01_gt", "patient001/patient001_frame12_gt"],
        ["patient001", "patient001", "patient002"],
    ),
    (
        "nnunet",
        ["imagesTr/la_003_0000", "imagesTr/la_004_0000"],
        ["labelsTr/la_003", "labelsTr/la_004"],
        ["la_003", "la_004"],
    ),
    ("msd", ["imagesTr/liver_0", "imagesTr/liver_1"], ["labelsTr/liver_0", "labelsTr/liver_1"], ["liver_0", "liver_1"]),
    ("chd", ["ct_1001_image", "ct_1002_image"], ["ct_1001_label", "ct_1002_label"], ["ct_1001", "ct_1002"]),
    (
        "mmwhs",
        ["ct_train_1001_image", "mr_train_1001_image"],
        ["ct_train_1001_label", "mr_train_1001_label"],
        ["ct_train_1001", "mr_train_1001"],
    ),
    (
        "hvsmr",
        ["training_axial_full_pat0", "training_sa_crop_pat0"],
        ["training_axial_full_pat0-label", "training_sa_crop_pat0-label"],
        ["pat0", "pat0"],
    ),
    ("folder", ["a", "b"], ["a_seg", "b_seg"], ["", ""]),
]


def paths(root: Path, names: list[str]) -> list[Path]:
    return [root / f"{name}.nii.gz" for name in names]


@pytest.mark.parametrize(("name", "images", "labels", "patients"), EXAMPLES)
def test_every_layout_is_recognised(tmp_path: Path, name: str, images: list, labels: list, patients: list) -> None:
    assert resolve("auto", tmp_path, paths(tmp_path, images + labels)) == name
    assert resolve("auto", tmp_path, paths(tmp_path, images)) == name


@pytest.mark.parametrize(("name", "images", "labels", "patients"), EXAMPLES)
def test_images_labels_and_patients_are_told_by_their_names(
    tmp_path: Path, name: str, images: list, labels: list, patients: list
) -> None:
    seen = [place(tmp_path, path, name) for path in paths(tmp_path, images)]
    assert not any(one.labels for one in seen)
    assert [one.patient for one in seen] == patients
    marked = [place(tmp_path, path, name) for path in paths(tmp_path, labels)]
    assert all(one.labels for one in marked)
    assert [(one.folder, one.case) for one in marked] == [(one.folder, one.case) for one in seen[: len(marked)]]


def test_numbered_cases_are_not_taken_for_channels(tmp_path: Path) -> None:
    numbered = paths(tmp_path, [f"imagesTr/case_{k:04d}" for k in range(5)])
    assert resolve("auto", tmp_path, numbered) == "msd"
    assert resolve("auto", tmp_path, numbered[1:]) == "msd"


def test_the_channel_is_left_out_of_the_id_unless_there_are_several(nifti, tmp_path: Path) -> None:
    for name in ("one/imagesTs/a_0000", "one/imagesTs/b_0000"):
        nifti(tmp_path / f"{name}.nii.gz")
    for name in ("a_0000", "a_0001", "b_0000", "b_0001"):
        nifti(tmp_path / "two" / "imagesTs" / f"{name}.nii.gz")
    assert [source.id for source in find_volumes(tmp_path / "one").sources] == ["a", "b"]
    two = find_volumes(tmp_path / "two").sources
    assert [(source.id, source.patient) for source in two] == [
        ("a_0000", "a"),
        ("a_0001", "a"),
        ("b_0000", "b"),
        ("b_0001", "b"),
    ]


def test_the_folder_that_is_given_counts_as_well(nifti, tmp_path: Path) -> None:
    nifti(tmp_path / "imagesTr" / "a_0000.nii.gz")
    assert find_volumes(tmp_path / "imagesTr").layout == "nnunet"
    assert find_volumes(tmp_path / "imagesTr" / "a_0000.nii.gz").layout == "nnunet"


def test_a_folder_named_like_labels_that_was_given_itself_may_hold_images(nifti, tmp_path: Path) -> None:
    nifti(tmp_path / "segmentation" / "a.nii.gz")
    assert [source.id for source in find_volumes(tmp_path / "segmentation").sources] == ["a"]


def test_the_command_line_offers_every_layout() -> None:
    assert set(LAYOUTS) == {"folder", "nnunet", "msd", "acdc", "chd", "mmwhs", "hvsmr"}


def test_the_current_folder_counts_by_its_real_name(nifti, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nifti(tmp_path / "imagesTr" / "a_0000.nii.gz")
    monkeypatch.chdir(tmp_path / "imagesTr")
    found = find_volumes(Path())
    assert (found.layout, found.sources[0].id) == ("nnunet", "a")


def test_the_command_line_knows_all_layouts() -> None:
    assert OFFERED == NAMES
