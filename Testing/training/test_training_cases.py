from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pcl_core.errors import InputError
from pcl_core.slices.bank import BankedVolume, BankItem, SliceBank
from pcl_core.training.cases import annotated_rows, channel_table, find_classes, split_cases
from pcl_core.training.weights import SegmentClass
from Testing.making import bank_of, stack, stored


def banked(folder: Path, *label_maps: np.ndarray) -> SliceBank:
    """A bank of one volume a label map (slices, 32, 32)."""
    items = []
    for number, labels in enumerate(label_maps):
        image = stored(folder / "images" / f"case{number}.nrrd", stack(number, len(labels))[0])
        items.append(BankItem(image, stored(folder / "labels" / f"case{number}.nrrd", labels.astype(np.uint8))))
    return bank_of(folder, items)


def labels_with(*values: int, slices: int = 4) -> np.ndarray:
    labels = np.zeros((slices, 32, 32), np.uint8)
    for number, value in enumerate(values):
        labels[number % slices, 4 + number, 4:20] = value
    return labels


def volumes_of(*patients: str) -> list[BankedVolume]:
    return [BankedVolume(f"{patient}_{k}", patient, 10 * k, 10, "", 4.0) for k, patient in enumerate(patients)]


def test_classes_are_all_values_in_rising_order_but_background_and_not_annotated(tmp_path: Path) -> None:
    bank = banked(tmp_path, labels_with(7, 255), labels_with(2, 7))
    classes = find_classes(bank, {7: "LV"})
    assert [(entry.value, entry.name) for entry in classes] == [(2, "class 2"), (7, "LV")]
    assert len({entry.color for entry in classes}) == 2


def test_classes_that_are_named_but_not_found_are_kept(tmp_path: Path) -> None:
    classes = find_classes(banked(tmp_path, labels_with(2)), {}, expected=[3, 2, 1])
    assert [entry.value for entry in classes] == [1, 2, 3]


def test_a_value_beyond_the_named_classes_is_refused_by_case_and_value(tmp_path: Path) -> None:
    bank = banked(tmp_path, labels_with(1), labels_with(1, 9, 12))
    with pytest.raises(InputError, match="case1 hold the value 9"):
        find_classes(bank, {}, expected=[1, 2])


@pytest.mark.parametrize("value", [0, 255, 256, -1, 1000])
def test_values_that_no_class_can_have_are_refused(value: int, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{value}") as caught:
        find_classes(banked(tmp_path, labels_with(1)), {}, expected=[1, value])
    assert caught.value.hint


@pytest.mark.parametrize("values", [(), (255,)])
def test_labels_of_nothing_are_refused(values: tuple[int, ...], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="empty"):
        find_classes(banked(tmp_path, labels_with(*values)), {})


def test_an_image_in_place_of_labels_is_recognised_by_its_many_values(tmp_path: Path) -> None:
    image = np.arange(4 * 32 * 32, dtype=np.uint8).reshape(4, 32, 32)
    with pytest.raises(InputError, match="different values"):
        find_classes(banked(tmp_path, image), {})


def test_every_value_has_its_channel_and_not_annotated_stays() -> None:
    classes = (SegmentClass(2, "a", (0, 0, 0)), SegmentClass(254, "b", (0, 0, 0)))
    table = channel_table(classes)
    assert (table[0], table[2], table[254], table[255]) == (0, 1, 2, 255)
    assert not table[[1, 3, 100, 253]].any()
    assert table.dtype == np.int64


def test_channels_go_by_what_the_labels_of_a_bank_stand_for() -> None:
    classes = tuple(SegmentClass(value, str(value), (0, 0, 0)) for value in (9, 205, 850))
    of_mmwhs, of_bytes = channel_table(classes, (205, 420, 850)), channel_table(classes)
    assert of_mmwhs[[0, 1, 2, 3, 9, 255]].tolist() == [0, 2, 0, 3, 0, 255]
    assert of_bytes[[0, 9, 205, 254, 255]].tolist() == [0, 1, 2, 0, 255]


def test_fully_annotated_volumes_are_trained_on_throughout_but_for_slices_of_255(tmp_path: Path) -> None:
    labels = labels_with(1)
    labels[2] = 255
    bank = banked(tmp_path, labels_with(1), labels)
    assert annotated_rows(bank, bank.volumes, {}).tolist() == [0, 1, 2, 3, 4, 5, 7]


def test_of_a_partly_annotated_volume_only_the_listed_slices_are_trained_on(tmp_path: Path) -> None:
    bank = banked(tmp_path, labels_with(1), labels_with(1))
    assert annotated_rows(bank, bank.volumes, {"case1": [3, 0, 3]}).tolist() == [0, 1, 2, 3, 4, 7]
    assert annotated_rows(bank, bank.volumes[1:], {"case1": [2]}).tolist() == [6]


@pytest.mark.parametrize("number", [-1, 4, 1000])
def test_a_slice_that_the_volume_does_not_have_is_refused(number: int, tmp_path: Path) -> None:
    bank = banked(tmp_path, labels_with(1))
    with pytest.raises(InputError, match=f"case0 has no slice {number}"):
        annotated_rows(bank, bank.volumes, {"case0": [number]})


def test_no_annotated_slice_at_all_is_refused_by_name(tmp_path: Path) -> None:
    bank = banked(tmp_path, np.full((4, 32, 32), 255), labels_with(1))
    with pytest.raises(InputError, match="No slice of case0 is annotated"):
        annotated_rows(bank, bank.volumes[:1], {})
    with pytest.raises(InputError, match="No slice of case1 is annotated"):
        annotated_rows(bank, bank.volumes[1:], {"case1": []})


def test_one_of_three_patients_is_held_out_with_all_its_volumes() -> None:
    volumes = volumes_of("a", "a", "b", "b", "c", "c")
    for seed in range(10):
        split = split_cases(volumes, "auto", seed)
        (patient,) = {volume.patient for volume in split.held_out}
        assert len(split.held_out) == 2
        assert patient not in {volume.patient for volume in split.train}
        assert sorted((*split.train, *split.held_out), key=lambda volume: volume.start) == volumes


def test_the_seed_decides_who_is_held_out() -> None:
    volumes = volumes_of("a", "b", "c", "d")
    drawn = [split_cases(volumes, "auto", seed).held_out[0].patient for seed in range(30)]
    assert set(drawn) == {"a", "b", "c", "d"}
    assert drawn == [split_cases(volumes, "auto", seed).held_out[0].patient for seed in range(30)]


@pytest.mark.parametrize("patients", [("a",), ("a", "b"), ("a", "a", "a", "b")])
def test_fewer_than_three_patients_are_all_trained_on(patients: tuple[str, ...]) -> None:
    split = split_cases(volumes_of(*patients), "auto", 0)
    assert len(split.train) == len(patients)
    assert not split.held_out


def test_a_case_or_a_patient_can_be_named_and_takes_the_whole_patient_with_it() -> None:
    volumes = volumes_of("a", "a", "b")
    for name in ("a", "a_1"):
        split = split_cases(volumes, name, 0)
        assert [volume.id for volume in split.held_out] == ["a_0", "a_1"]
        assert [volume.id for volume in split.train] == ["b_2"]


def test_none_is_held_out_when_none_is_asked() -> None:
    split = split_cases(volumes_of("a", "b", "c", "d"), "none", 0)
    assert (len(split.train), split.held_out) == (4, ())


def test_an_unknown_case_is_refused_with_some_that_are_known() -> None:
    volumes = volumes_of(*(f"p{k}" for k in range(20)))
    with pytest.raises(InputError, match="no case 'x'") as caught:
        split_cases(volumes, "x", 0)
    assert "p0_0" in caught.value.hint
    assert "p19_19" not in caught.value.hint


def test_nothing_left_to_train_on_is_refused() -> None:
    with pytest.raises(InputError, match="Nothing is left"):
        split_cases(volumes_of("a", "a"), "a", 0)


def test_only_patients_that_nothing_was_learned_from_are_held_out_and_one_new_one_at_least_is_learned_from() -> None:
    volumes = volumes_of("a", "a", "b", "c", "d")
    learned = {"a_0", "b_2"}
    assert {split_cases(volumes, "auto", seed, learned).held_out[0].patient for seed in range(30)} == {"c", "d"}
    assert not split_cases(volumes, "auto", 0, {*learned, "c_3"}).held_out
    assert not split_cases(volumes, "auto", 0, {volume.id for volume in volumes}).held_out
    assert [volume.id for volume in split_cases(volumes, "b", 0, learned).held_out] == ["b_2"]
