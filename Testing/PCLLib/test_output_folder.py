import json
import os
import shutil
from pathlib import Path, PureWindowsPath

import pytest

from pcl_core.cli import main

CALL = ("--size", "32", "--filters", "2", "--batch", "4", "--steps", "6", "--device", "cpu")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The output folder of a finished pretraining."""
    from Testing.making import stack, stored

    folder = tmp_path_factory.mktemp("finished")
    for seed in range(2):
        stored(folder / "volumes" / f"case{seed}.nrrd", stack(seed)[0])
    assert main(["pretrain", str(folder / "volumes"), "--out", str(folder / "out"), *CALL, "--events"]) == 0
    return folder / "out"


@pytest.fixture
def folder(finished, tmp_path):
    from PCLLib.output_folder import OutputFolder

    return OutputFolder(shutil.copytree(finished, tmp_path / "out"))


def at_step(folder, step):
    """Writes into the state that only so many steps are done, as after a crash."""
    path = folder.path / "state" / "state.safetensors"
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    about = json.loads(header["__metadata__"]["pcl"])
    about["training"]["step"] = step
    header["__metadata__"]["pcl"] = json.dumps(about)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])


def test_a_finished_run_is_not_interrupted(folder):
    assert folder.holds_encoder
    assert folder.interrupted() is None


def test_a_run_that_stopped_is_found_with_its_steps(folder):
    at_step(folder, 4)
    found = folder.interrupted()
    assert (found.step, found.total, found.folder, found.device) == (4, 6, None, "auto")


def test_a_run_that_stopped_after_its_last_step_but_before_its_encoder_is_found(folder):
    folder.encoder.unlink()
    assert folder.interrupted().step == 6


def test_what_it_was_started_on_is_remembered(folder, tmp_path):
    at_step(folder, 2)
    folder.write_record(tmp_path / "дані", "cpu", ["one.nrrd", "two words.nrrd"])
    folder.begin_record()
    found = folder.interrupted()
    assert (found.folder, found.device) == (tmp_path / "дані", "cpu")
    assert folder.left_out.read_text(encoding="utf-8") == "one.nrrd\ntwo words.nrrd\n"


@pytest.mark.parametrize("damage", [b"", b"123", b"\xff" * 40, b"\x04" + bytes(7) + b"nope", b"\x02" + bytes(7) + b"{}"])
def test_a_damaged_state_is_no_offer(folder, damage):
    (folder.path / "state" / "state.safetensors").write_bytes(damage)
    assert folder.interrupted() is None


def test_a_damaged_record_does_no_harm(folder):
    at_step(folder, 2)
    (folder.path / "state" / "run.json").write_text("[")
    assert folder.interrupted().folder is None


def test_an_empty_or_missing_folder_holds_nothing(tmp_path):
    from PCLLib.output_folder import OutputFolder

    for path in (tmp_path, tmp_path / "missing"):
        empty = OutputFolder(path)
        assert (empty.holds_encoder, empty.interrupted(), empty.losses()) == (False, None, [])


def test_the_curve_so_far_is_read(folder):
    assert [step for step, _loss in folder.losses()] == [1, 2, 3, 4, 5, 6]
    (folder.path / "metrics.csv").write_text("step,loss\n1,nonsense\n")
    assert folder.losses() == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="an administrator may write anywhere")
def test_a_folder_that_cannot_be_written_raises(tmp_path):
    from PCLLib.output_folder import OutputFolder

    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match="denied"):
        OutputFolder(tmp_path / "out").write_record(tmp_path, "auto", [])


def test_results_go_beside_the_volumes(tmp_path):
    from PCLLib.output_folder import proposed

    assert proposed(tmp_path / "images") == tmp_path / "images_pretrained"


def test_the_record_of_an_earlier_run_stays_until_the_new_one_begins(tmp_path):
    from PCLLib.output_folder import OutputFolder

    folder = OutputFolder(tmp_path)
    folder.write_record(tmp_path / "old", "cpu", ["a"])
    folder.begin_record()
    lists = folder.write_record(tmp_path / "new", "cpu", ["b"], ["c"])
    assert folder.left_out.read_text() == "a\n"
    assert [path.read_text() for path in lists] == ["b\n", "c\n"]
    folder.begin_record()
    folder.begin_record()
    assert (folder.left_out.read_text(), folder.flipped.read_text()) == ("b\n", "c\n")


@pytest.mark.parametrize("root", ["/", "."])
def test_a_whole_drive_has_a_folder_of_results_on_it(root):
    from PCLLib.output_folder import proposed

    assert proposed(Path(root)) == Path(root) / "volumes_pretrained"
    drive = PureWindowsPath("E:/")
    assert proposed(drive) == drive / "volumes_pretrained"


def test_what_cannot_be_reached_is_not_there(tmp_path):
    from PCLLib.output_folder import OutputFolder, exists

    assert exists(tmp_path)
    for path in (tmp_path / "nothing", tmp_path / ("n" * 300)):
        assert not exists(path)
        assert OutputFolder(path).interrupted() is None
        assert not OutputFolder(path).holds_encoder
