from __future__ import annotations

import json
import multiprocessing
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pcl_core.cancellation import Cancellation
from pcl_core.errors import CancelledError, InputError, OutOfMemoryError
from pcl_core.events import Collected, Event, Reporter
from pcl_core.slices import bank as bank_module
from pcl_core.slices.bank import BankItem, SliceBank, content_hashes, label_values_of, open_bank
from pcl_core.slices.banking import build_bank
from pcl_core.slices.preparing import preparation, prepare_images, prepare_labels
from pcl_core.volumes.cases import find_cases
from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.reading import read_labels, read_volume
from Testing.data_sets import CINE_FRAMES, write_acdc, write_mmwhs
from Testing.making import CancelAt, bank_of, slice_plan, stack, stored, stored_items, untiring_reporter

FILES = ["index.json", "labels.u8", "slices.f16"]


def build(folder: Path, items: list[BankItem], sink: Collected | None = None, **options: object) -> SliceBank:
    plan = options.pop("plan", slice_plan())
    cancellation = options.pop("cancellation", Cancellation())
    return build_bank(folder, items, plan, Reporter(sink or Collected()), cancellation, **options)


def times(folder: Path) -> list[int]:
    return [(folder / name).stat().st_mtime_ns for name in ("slices.f16", "index.json")]


def with_nan(folder: Path) -> BankItem:
    voxels = stack(0)[0].astype(np.float32)
    voxels[3, 4, 5] = np.nan
    return BankItem(stored(folder / "broken.nrrd", voxels))


def test_the_bank_holds_the_prepared_slices_and_labels_of_every_volume(tmp_path: Path) -> None:
    items = stored_items(tmp_path, 3, labelled=True)
    bank = build(tmp_path / "bank", items)
    assert [volume.id for volume in bank.volumes] == ["case0", "case1", "case2"]
    assert bank.rows.tolist() == list(range(30))
    assert (bank.images.dtype, bank.labels.dtype) == (np.float16, np.uint8)
    for item, volume in zip(items, bank.volumes, strict=True):
        images, grid = prepare_images(read_volume(item.source), slice_plan(), shrink=True)
        rows = slice(volume.start, volume.start + volume.count)
        assert np.array_equal(bank.images[rows], images.astype(np.float16))
        assert np.array_equal(bank.labels[rows], prepare_labels(read_labels(item.labels), grid))


def test_volumes_that_are_prepared_a_few_slices_at_a_time_lie_in_order(tmp_path: Path) -> None:
    voxels = np.random.default_rng(0).integers(0, 100, (40, 256, 256)).astype(np.int16)
    labels = (voxels > 90).astype(np.uint8)
    first = stored_items(tmp_path, 1, labelled=True)[0]
    item = BankItem(stored(tmp_path / "a.nrrd", voxels), stored(tmp_path / "a_seg.nrrd", labels))
    bank = build(tmp_path / "bank", [first, item])
    prepared = preparation(read_volume(item.source), slice_plan(), shrink=True)
    assert len(list(prepared.parts())) > 1
    assert np.array_equal(bank.images[10:], prepared.images(slice(0, 40)).astype(np.float16))
    assert np.array_equal(bank.labels[10:], prepare_labels(labels, prepared.grid))


def test_every_row_knows_its_slices_number_and_its_volumes_length(tmp_path: Path) -> None:
    items = [BankItem(stored(tmp_path / f"{n}.nrrd", stack(n, slices=n)[0])) for n in (3, 5)]
    index, count = build(tmp_path / "bank", items).positions()
    assert index.tolist() == [0, 1, 2, 0, 1, 2, 3, 4]
    assert count.tolist() == [3, 3, 3, 5, 5, 5, 5, 5]


def test_rows_follow_the_patient_not_the_storage(tmp_path: Path) -> None:
    image, _ = stack(0)
    upright = stored(tmp_path / "a.nrrd", image)
    flipped = replace(upright.geometry, direction=(1, 0, 0, 0, 1, 0, 0, 0, -1.0))
    turned = stored(tmp_path / "b.nrrd", image[::-1].copy(), flipped)
    bank = build(tmp_path / "bank", [BankItem(upright), BankItem(turned)])
    assert np.array_equal(bank.images[:10], bank.images[10:])


def test_a_bank_of_the_same_inputs_is_used_again_untouched(tmp_path: Path) -> None:
    items = stored_items(tmp_path, 2)
    first = build(tmp_path / "bank", items)
    before = times(tmp_path / "bank")
    again = build(tmp_path / "bank", items)
    assert times(tmp_path / "bank") == before
    assert (again.key, again.volumes) == (first.key, first.volumes)


def test_files_that_were_only_touched_or_moved_do_not_change_the_bank(tmp_path: Path) -> None:
    items = stored_items(tmp_path, 2)
    build(tmp_path / "bank", items)
    before = times(tmp_path / "bank")
    os.utime(items[0].source.path, (1, 1))
    moved = tmp_path / "elsewhere" / items[1].source.path.name
    moved.parent.mkdir()
    items[1].source.path.rename(moved)
    build(tmp_path / "bank", [items[0], BankItem(replace(items[1].source, files=(moved,)))])
    assert times(tmp_path / "bank") == before


def test_a_single_other_voxel_makes_the_bank_anew(tmp_path: Path) -> None:
    image, _ = stack(0)
    item = BankItem(stored(tmp_path / "a.nrrd", image))
    first = build(tmp_path / "bank", [item])
    old = first.images[5].copy()
    image[5, 16, 16] -= 90
    item = BankItem(stored(tmp_path / "a.nrrd", image))
    second = build(tmp_path / "bank", [item])
    assert second.key != first.key
    assert not np.array_equal(second.images[5], old)


def test_other_labels_make_the_bank_anew(tmp_path: Path) -> None:
    (item,) = stored_items(tmp_path, 1, labelled=True)
    build(tmp_path / "bank", [item])
    labels = np.zeros((10, 32, 32), np.uint8)
    labels[2, 16, 16] = 1
    stored(item.labels.path, labels)
    bank = build(tmp_path / "bank", [item])
    assert int(bank.labels.sum()) == 1


@pytest.mark.parametrize("change", [{"size": 48}, {"resolution_mm": 1.5}, {"axis": "sagittal"}, {"high_percentile": 95.0}])
def test_another_plan_makes_the_bank_anew(change: dict, tmp_path: Path) -> None:
    items = stored_items(tmp_path, 1)
    first = build(tmp_path / "bank", items)
    second = build(tmp_path / "bank", items, plan=slice_plan(**change))
    assert second.key != first.key
    assert second.images.shape[1] == change.get("size", 32)
    assert build(tmp_path / "bank", items, plan=slice_plan(**change)).key == second.key


def test_other_volumes_or_another_order_make_the_bank_anew(tmp_path: Path) -> None:
    items = stored_items(tmp_path, 3)
    keys = {build(tmp_path / "bank", chosen).key for chosen in (items, items[:2], items[::-1])}
    assert len(keys) == 3


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", "null", "3", '{"format": 1}', '"text"', '{"format": 2}', "volumes", "skipped", "cut slices", "no slices",
     "cut labels", "side"],
)  # fmt: skip
def test_a_damaged_bank_is_made_anew(damage: str, tmp_path: Path) -> None:
    folder, items = tmp_path / "bank", stored_items(tmp_path, 1, labelled=True)
    expected = np.array(build(folder, items).images)
    index = json.loads((folder / "index.json").read_text())
    if damage in ("volumes", "skipped"):
        (folder / "index.json").write_text(json.dumps(index | {damage: [{"id": 3}, 4]}))
    elif damage == "side":
        (folder / "index.json").write_text(json.dumps(index | {"side": -32}))
    elif damage == "no slices":
        (folder / "slices.f16").unlink()
    elif damage.startswith("cut"):
        name = {"slices": "slices.f16", "labels": "labels.u8"}[damage.split()[1]]
        (folder / name).write_bytes((folder / name).read_bytes()[:-7])
    else:
        (folder / "index.json").write_text(damage)
    bank = build(folder, items)
    assert np.array_equal(bank.images, expected)
    assert sorted(path.name for path in folder.iterdir()) == FILES


def test_a_volume_that_cannot_be_used_is_reported_and_left_out(tmp_path: Path) -> None:
    good = stored_items(tmp_path, 2)
    items = [good[0], with_nan(tmp_path), good[1]]
    for _ in range(2):  # also when the bank is used again
        sink = Collected()
        bank = build(tmp_path / "bank", items, sink)
        (warning,) = sink.named("warning")
        assert "broken.nrrd" in warning["message"]
        assert warning["message"].endswith("It is left out.")
        assert warning["path"].endswith("broken.nrrd")
        assert [volume.id for volume in bank.volumes] == ["case0", "case1"]
        assert bank.rows.tolist() == [*range(10), *range(20, 30)]
        assert [path for path, _ in bank.skipped] == [str(tmp_path / "broken.nrrd")]


def test_labels_of_another_grid_leave_their_volume_out(tmp_path: Path) -> None:
    items = stored_items(tmp_path, 2, labelled=True)
    labels = stored(tmp_path / "labels" / "case0.nrrd", np.ones((9, 32, 32), np.uint8))
    sink = Collected()
    bank = build(tmp_path / "bank", [BankItem(items[0].source, labels), items[1]], sink)
    assert [volume.id for volume in bank.volumes] == ["case1"]
    assert "does not lie on the grid" in sink.named("warning")[0]["message"]


def test_strict_refuses_what_would_be_left_out_also_from_a_bank_that_is_there(tmp_path: Path) -> None:
    items = [*stored_items(tmp_path, 2), with_nan(tmp_path)]
    with pytest.raises(InputError, match=r"broken\.nrrd"):
        build(tmp_path / "bank", items, strict=True)
    assert not list((tmp_path / "bank").iterdir())
    build(tmp_path / "bank", items)
    with pytest.raises(InputError, match=r"broken\.nrrd"):
        build(tmp_path / "bank", items, strict=True)


def test_when_no_volume_can_be_used_the_first_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    item = with_nan(tmp_path)
    other = BankItem(stored(tmp_path / "flat.nrrd", np.full((3, 8, 8), 5, np.int16)))
    with pytest.raises(InputError, match=r"None of the 2 volumes can be used; the first: .*broken\.nrrd") as caught:
        build(tmp_path / "bank", [item, other])
    assert caught.value.hint
    assert not list((tmp_path / "bank").iterdir())


@pytest.mark.parametrize("processes", [1, 2])
def test_a_file_that_vanished_is_a_volume_that_cannot_be_used(processes: int, tmp_path: Path) -> None:
    items = stored_items(tmp_path, 3)
    items[1].source.path.unlink()
    sink = Collected()
    bank = build(tmp_path / "bank", items, sink, processes=processes)
    assert [volume.id for volume in bank.volumes] == ["case0", "case2"]
    assert "case1.nrrd" in sink.named("warning")[0]["message"]


def test_several_processes_make_the_same_bytes_as_one(tmp_path: Path) -> None:
    items = stored_items(tmp_path, 4, labelled=True)
    build(tmp_path / "one", items, processes=1)
    build(tmp_path / "two", items, processes=2)
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize("processes", [1, 2])
def test_a_cancelled_bank_leaves_nothing(processes: int, tmp_path: Path) -> None:
    items, cancellation = stored_items(tmp_path, 4), Cancellation()
    sink = CancelAt(cancellation, "prepare", 1)
    with pytest.raises(CancelledError) as caught:
        build_bank(
            tmp_path / "bank", items, slice_plan(), untiring_reporter(sink), cancellation, processes=processes
        )  # fmt: skip
    assert caught.value.kept is None
    assert not list((tmp_path / "bank").iterdir())
    assert max(event["done"] for event in sink.named("progress")) < 4


class Killer(Collected):
    """Kills the processes that prepare volumes as soon as one of them has prepared one."""

    def write(self, event: Event) -> None:
        super().write(event)
        if event["event"] == "progress" and event["done"] == 1:
            for process in multiprocessing.active_children():
                process.kill()


def test_a_process_that_the_system_killed_is_told_from_a_fault_and_leaves_nothing(tmp_path: Path) -> None:
    items, sink = stored_items(tmp_path, 12), Killer()
    with pytest.raises(OutOfMemoryError, match="The system ended a process"):
        build_bank(tmp_path / "bank", items, slice_plan(), untiring_reporter(sink), Cancellation(), processes=2)
    assert sink.events[-1]["done"] < 12
    assert not list((tmp_path / "bank").iterdir())


def test_a_bank_whose_renewal_was_cancelled_is_not_used_by_mistake(tmp_path: Path) -> None:
    items, cancellation = stored_items(tmp_path, 4), Cancellation()
    build(tmp_path / "bank", items[:1])
    cancellation.request()
    with pytest.raises(CancelledError):
        build(tmp_path / "bank", items, cancellation=cancellation)
    assert len(build(tmp_path / "bank", items).volumes) == 4


def test_progress_is_reported_volume_by_volume(tmp_path: Path) -> None:
    sink = Collected()
    build_bank(tmp_path / "bank", stored_items(tmp_path, 3), slice_plan(), untiring_reporter(sink), Cancellation())
    assert [(event["done"], event["total"]) for event in sink.named("progress")] == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_an_output_that_is_a_file_is_refused(tmp_path: Path) -> None:
    items = stored_items(tmp_path, 1)
    (tmp_path / "bank").write_text("")
    with pytest.raises(InputError, match="is a file, not a folder"):
        build(tmp_path / "bank", items)


def test_a_bank_that_no_disk_can_hold_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    items = stored_items(tmp_path, 1)
    with pytest.raises(InputError, match="No space for"):
        build(tmp_path / "bank", items, plan=slice_plan(2**24))
    assert not list((tmp_path / "bank").iterdir())


def test_where_there_is_no_bank_none_is_opened(tmp_path: Path) -> None:
    assert open_bank(tmp_path) is None
    assert open_bank(tmp_path / "absent") is None


def test_an_opened_bank_cannot_be_written_by_mistake(tmp_path: Path) -> None:
    bank = build(tmp_path / "bank", stored_items(tmp_path, 1))
    with pytest.raises(ValueError, match="read-only"):
        bank.images[0] = 0


def test_a_file_of_many_frames_is_read_once_for_their_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_acdc(tmp_path, 1)
    (cine,) = tmp_path.rglob("*_4d.nii.gz")
    items = [BankItem(source) for source in find_volumes(cine).sources]
    read = []
    monkeypatch.setattr(bank_module, "content_hash", lambda files: read.append(files) or "digest")
    assert content_hashes(items) == ["digest"] * CINE_FRAMES
    assert read == [(cine,)]


def test_labels_with_large_values_are_banked_as_bytes_with_their_table(tmp_path: Path) -> None:
    found = find_cases(write_mmwhs(tmp_path / "data", 2).folder).cases
    bank = bank_of(tmp_path, [BankItem(case.source, case.labels) for case in found])
    assert bank.label_values == (205, 420, 500, 550, 600, 820, 850)
    assert bank.labels is not None
    assert (bank.labels.dtype, set(np.unique(bank.labels))) == (np.uint8, set(range(8)))
    assert open_bank(tmp_path / "bank").label_values == bank.label_values


def test_label_maps_whose_numbers_mean_different_things_are_not_banked_together(tmp_path: Path) -> None:
    first, second = find_cases(write_mmwhs(tmp_path, 2).folder).cases
    items = [BankItem(first.source, first.labels), BankItem(second.source, replace(second.labels, data_set=""))]
    with pytest.raises(ValueError, match="different data sets"):
        label_values_of(items)
