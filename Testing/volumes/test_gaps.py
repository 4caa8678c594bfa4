from __future__ import annotations

import json
from pathlib import Path

import pytest

from pcl_core.errors import InputError
from pcl_core.volumes.acdc import read_phases
from pcl_core.volumes.cases import find_cases
from pcl_core.volumes.gaps import Gap, listed
from pcl_core.volumes.scan import scan
from Testing.data_sets import WRITERS, drawn, save


def of_images(folder: Path) -> list[tuple[str, str]]:
    return [(gap.patient, gap.words) for gap in scan(folder).missing_images]


def of_labels(folder: Path) -> list[tuple[str, str]]:
    return [(gap.patient, gap.words) for gap in find_cases(folder).gaps]


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_a_whole_data_set_has_no_gaps(name: str, tmp_path: Path) -> None:
    folder = WRITERS[name](tmp_path).folder
    assert (of_images(folder), of_labels(folder)) == ([], [])


@pytest.mark.parametrize(
    ("name", "file", "gap"),
    [
        ("chd", "ct_1002_label.nii.gz", ("ct_1002", "no labels")),
        ("mmwhs", "ct_train/ct_train_1003_label.nii.gz", ("ct_train_1003", "no labels")),
        ("hvsmr", "Ground truth/training_axial_full_pat2-label.nii.gz", ("pat2", "no labels of training_axial_full_pat2")),
        ("nnunet", "labelsTr/case_00.nii.gz", ("case_00", "no labels")),
        ("msd", "labelsTr/case_01.nii.gz", ("case_01", "no labels")),
        ("acdc", "patient003/patient003_frame03_gt.nii.gz", ("patient003", "no labels of ES (frame 03)")),
        ("acdc", "patient003/patient003_frame01_gt.nii.gz", ("patient003", "no labels of ED (frame 01)")),
        ("acdc", "patient002/Info.cfg", ("patient002", "no Info.cfg")),
    ],
)
def test_missing_labels_are_found_and_do_not_matter_for_the_images(
    tmp_path: Path, name: str, file: str, gap: tuple[str, str]
) -> None:
    folder = WRITERS[name](tmp_path).folder
    (folder / file).unlink()
    assert (of_labels(folder), of_images(folder)) == ([gap], [])


@pytest.mark.parametrize(
    ("name", "file", "gap"),
    [
        ("chd", "ct_1002_image.nii.gz", ("ct_1002", "no image for ct_1002_label.nii.gz")),
        ("mmwhs", "ct_train/ct_train_1003_image.nii.gz", ("ct_train_1003", "no image for ct_train_1003_label.nii.gz")),
        (
            "hvsmr",
            "Training dataset/training_axial_full_pat2.nii.gz",
            ("pat2", "no image for training_axial_full_pat2-label.nii.gz"),
        ),
        ("nnunet", "imagesTr/case_00_0000.nii.gz", ("case_00", "no image for case_00.nii.gz")),
        ("msd", "imagesTr/case_01.nii.gz", ("case_01", "no image for case_01.nii.gz")),
    ],
)
def test_missing_images_of_labels_are_found(tmp_path: Path, name: str, file: str, gap: tuple[str, str]) -> None:
    folder = WRITERS[name](tmp_path).folder
    (folder / file).unlink()
    assert of_labels(folder) == [gap]


def test_images_of_the_test_part_need_no_labels(tmp_path: Path) -> None:
    folder = WRITERS["mmwhs"](tmp_path).folder
    assert [source.id for source in find_cases(folder).without_labels] == ["ct_test_2001_image"]
    assert of_labels(folder) == []


def test_a_cine_file_is_missed_where_others_have_one(tmp_path: Path) -> None:
    folder = WRITERS["acdc"](tmp_path).folder
    (folder / "patient004" / "patient004_4d.nii.gz").unlink()
    assert (of_images(folder), of_labels(folder)) == ([("patient004", "no 4-D file")], [])
    for path in folder.rglob("*_4d.nii.gz"):
        path.unlink()
    assert of_images(folder) == []


def test_a_patient_of_whom_the_folder_alone_is_there_is_missed(tmp_path: Path) -> None:
    folder = WRITERS["acdc"](tmp_path).folder
    for path in (folder / "patient003").glob("*.nii.gz"):
        path.unlink()
    (folder / "patient005").mkdir()
    (folder / "figures").mkdir()
    assert sorted(of_images(folder)) == [("patient003", "no image"), ("patient005", "no image")]
    assert of_images(folder / "patient001") == []
    assert of_labels(folder) == []


def test_one_labelled_frame_is_too_few_without_info_as_well(tmp_path: Path) -> None:
    folder = WRITERS["acdc"](tmp_path).folder
    for path in folder.rglob("Info.cfg"):
        path.unlink()
    assert of_labels(folder) == []
    (folder / "patient002" / "patient002_frame03_gt.nii.gz").unlink()
    assert of_labels(folder) == [("patient002", "no labels of frame 03")]
    (folder / "patient002" / "patient002_frame03.nii.gz").unlink()
    assert of_labels(folder) == [("patient002", "labels of one frame only")]
    (folder / "patient002" / "patient002_frame01_gt.nii.gz").unlink()
    assert of_labels(folder) == [("patient002", "no labels")]


def test_labels_of_other_frames_than_info_names_are_told(tmp_path: Path) -> None:
    folder = WRITERS["acdc"](tmp_path).folder
    (folder / "patient002" / "Info.cfg").write_text("ED: 1\nES: 4\nGroup: DCM\n")
    assert of_labels(folder) == [("patient002", "Info.cfg says ED 01 and ES 04, labelled is frame 01, 03")]
    assert len(find_cases(folder).cases) == 8  # they are used all the same


@pytest.mark.parametrize("text", [b"", b"ED: 1\n", b"ED: first\nES: second\n", b"\x00\xff"])
def test_an_info_that_says_nothing_is_told(tmp_path: Path, text: bytes) -> None:
    folder = WRITERS["acdc"](tmp_path).folder
    (folder / "patient002" / "Info.cfg").write_bytes(text)
    ((patient, words),) = of_labels(folder)
    assert patient == "patient002"
    assert words.startswith("Info.cfg without lines")


def test_phases_are_read_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "Info.cfg").write_text("Group: NOR\nES: 9\r\n  ED : 2\nNbFrame: 30")
    assert read_phases(tmp_path / "Info.cfg") == {"ED": 2, "ES": 9}
    assert read_phases(tmp_path) == {}


def test_a_modality_that_a_case_lacks_is_told(tmp_path: Path) -> None:
    folder = WRITERS["nnunet"](tmp_path).folder
    for name in ("case_00", "case_01", "case_03"):
        save(folder / "imagesTr" / f"{name}_0001.nii.gz", drawn(9, (1,))[0])
    save(folder / "imagesTs" / "case_04_0001.nii.gz", drawn(9, (1,))[0])
    assert (of_images(folder), of_labels(folder)) == ([("case_02", "no channel 0001")], [])


@pytest.mark.parametrize("given", ["", "imagesTr"])
def test_images_that_the_description_lists_are_missed(tmp_path: Path, given: str) -> None:
    folder = WRITERS["msd"](tmp_path).folder
    (folder / "imagesTr" / "case_02.nii.gz").unlink()
    assert of_images(folder / given) == [("case_02", "no image, though dataset.json lists it")]
    assert of_images(folder / "imagesTs") == []


def test_the_description_of_the_first_nnunet_lists_images_without_their_channel(tmp_path: Path) -> None:
    folder = WRITERS["nnunet"](tmp_path).folder
    entries = [{"image": f"./imagesTr/case_{k:02d}.nii.gz", "label": f"./labelsTr/case_{k:02d}.nii.gz"} for k in range(5)]
    (folder / "dataset.json").write_text(json.dumps({"labels": {"0": "background"}, "training": entries}))
    assert of_images(folder) == [("case_04", "no image, though dataset.json lists it")]


@pytest.mark.parametrize("text", ["no json", "[]", '{"training": 3}', '{"training": [1]}', '{"training": [{"image": 1}]}'])
def test_a_description_of_another_form_lists_nothing(tmp_path: Path, text: str) -> None:
    folder = WRITERS["msd"](tmp_path).folder
    (folder / "dataset.json").write_text(text)
    assert of_images(folder) == []


def test_few_labels_in_a_folder_of_many_own_images_are_no_gap(tmp_path: Path) -> None:
    folder = WRITERS["nnunet"](tmp_path).folder
    for k in range(3):
        (folder / "labelsTr" / f"case_0{k}.nii.gz").unlink()
    assert of_labels(folder) == []


def test_no_labels_at_all_are_refused_with_what_is_missing(tmp_path: Path) -> None:
    folder = WRITERS["chd"](tmp_path, 30).folder
    for path in folder.glob("*_label.nii.gz"):
        path.unlink()
    with pytest.raises(InputError, match=r"30 patients.*ct_1001: no labels; .*ct_1020: no labels; and 10 more patients"):
        find_cases(folder)
    assert scan(folder).missing_labels == ()


def test_the_list_is_by_patient_and_bounded() -> None:
    assert listed([]) == ""
    assert listed([Gap("b", "x"), Gap("a", "y"), Gap("b", "z"), Gap("a", "y")]) == (
        "Not all of the data set is there (2 patients): a: y; b: x, z."
    )
    line = listed([Gap(f"p{k:03d}", "no labels") for k in range(100)])
    assert line.count("no labels") == 20
    assert line.endswith("and 80 more patients.")
