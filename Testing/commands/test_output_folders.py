"""Places that cannot be written, and disks that are full: told before the work where possible, and nothing half written."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def words(hearts: Path, pretrained: Path, finetuned: Path, small: tuple[str, ...]) -> Callable[..., tuple]:
    """A call of each command that writes into a folder."""
    images, labels = hearts / "imagesTr", hearts / "labelsTr"

    def make(command: str, out: Path) -> tuple:
        return {
            "pretrain": ("pretrain", images, "--out", out, *small),
            "finetune": ("finetune", images, labels, "--out", out, *small),
            "segment": ("segment", finetuned / "model.safetensors", images, "--out", out),
            "demo": ("demo", "--out", out),
        }[command]

    return make


WRITERS = ("pretrain", "finetune", "segment", "demo")


@contextlib.contextmanager
def files_no_larger_than(limit: int) -> Iterator[None]:
    """The system refuses to let a file grow further, as a quota would; Python ignores the signal that comes with it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("command", WRITERS)
def test_an_output_that_is_a_file_is_refused_before_any_work(command, words, tmp_path, pclseg):
    out = tmp_path / "notes.txt"
    out.write_text("keep me")
    outcome = pclseg(*words(command, out))
    outcome.refusal(out, "file")
    assert outcome.named("progress") == []
    assert out.read_text() == "keep me"


@pytest.mark.parametrize("command", WRITERS)
def test_an_output_below_a_file_is_refused_before_any_work(command, words, tmp_path, pclseg):
    (tmp_path / "notes.txt").write_text("keep me")
    out = tmp_path / "notes.txt" / "run"
    outcome = pclseg(*words(command, out))
    outcome.refusal(out)
    assert outcome.named("progress") == []


@pytest.mark.parametrize("command", WRITERS)
def test_an_output_where_the_system_makes_no_folders_is_refused(command, words, pclseg):
    out = Path("/proc/self/fdinfo/run")
    if not out.parent.is_dir():
        pytest.skip("this system has no /proc")
    outcome = pclseg(*words(command, out))
    outcome.refusal(out)
    assert outcome.named("progress") == []


@pytest.mark.parametrize("command", WRITERS)
def test_an_output_without_the_right_to_write_is_refused_before_any_work(command, words, tmp_path, pclseg):
    (tmp_path / "closed").mkdir(mode=0o500)
    if os.access(tmp_path / "closed", os.W_OK):
        pytest.skip("the administrator may write everywhere")
    outcome = pclseg(*words(command, tmp_path / "closed"))
    outcome.refusal(tmp_path / "closed", "Permission denied")
    assert outcome.named("progress") == []


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a disk in memory with the given options; skips where that is not allowed."""
    mounted: list[Path] = []

    def mount(options: str) -> Path:
        folder = tmp_path / "disk"
        folder.mkdir(exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("mounting a disk needs the administrator")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("command", WRITERS)
def test_a_disk_that_can_only_be_read_is_refused_before_any_work(command, words, disk, pclseg):
    out = disk("ro")
    outcome = pclseg(*words(command, out / "run"))
    outcome.refusal(out / "run", os.strerror(errno.EROFS))
    assert outcome.named("progress") == []


@pytest.mark.parametrize(
    ("command", "room"), [("pretrain", "100k"), ("pretrain", "600k"), ("finetune", "900k"), ("segment", "8k")]
)
def test_a_full_disk_is_told_and_nothing_half_written_stays(command, room, words, disk, pclseg, leftovers):
    out = disk(f"size={room}")
    pclseg(*words(command, out / "run")).refusal(out / "run", "space")
    assert leftovers(out) == []


@pytest.mark.parametrize(
    ("command", "limit"),
    [("pretrain", 50_000), ("pretrain", 500_000), ("finetune", 50_000), ("finetune", 900_000), ("segment", 2000)],
)
def test_a_quota_is_told_and_nothing_half_written_stays(command, limit, words, tmp_path, pclseg, leftovers):
    with files_no_larger_than(limit):
        outcome = pclseg(*words(command, tmp_path / "run"))
    outcome.refusal(tmp_path / "run", "space")
    assert leftovers(tmp_path) == []
    weights = {"encoder.safetensors", "model.safetensors"}
    assert not weights & {path.name for path in (tmp_path / "run").iterdir()}


def test_a_run_that_met_a_full_disk_can_be_resumed(words, tmp_path, pclseg):
    with files_no_larger_than(500_000):
        pclseg(*words("pretrain", tmp_path / "run")).refusal("space")
    assert pclseg(*words("pretrain", tmp_path / "run"), "--resume").done()["steps"] == 4


def test_a_bank_larger_than_the_disk_is_refused_before_it_is_begun(hearts, tmp_path, pclseg, small):
    words = ("pretrain", hearts / "imagesTr", "--out", tmp_path / "run", *small, "--resolution", "0.001", "--size", "16000000")
    outcome = pclseg(*words)
    outcome.refusal(tmp_path / "run", "are needed", "--size")
    assert "prepare" not in {event["stage"] for event in outcome.named("progress")}


@pytest.mark.parametrize("command", ["scan", "evaluate"])
@pytest.mark.parametrize("place", ["below a file", "a folder"])
def test_a_report_that_cannot_be_written_is_refused_before_any_work(command, place, hearts, tmp_path, pclseg):
    (tmp_path / "notes.txt").write_text("keep me")
    (tmp_path / "folder").mkdir()
    path = tmp_path / ("notes.txt/report.json" if place == "below a file" else "folder")
    folders = {"scan": (hearts / "imagesTr",), "evaluate": (hearts / "labelsTr", hearts / "labelsTr")}[command]
    outcome = pclseg(command, *folders, "--json", path)
    outcome.refusal(tmp_path / ("notes.txt" if place == "below a file" else "folder"))
    assert outcome.named("progress") == []


@pytest.mark.parametrize("command", ["scan", "evaluate"])
def test_a_report_goes_into_a_new_folder(command, hearts, tmp_path, pclseg):
    folders = {"scan": (hearts / "imagesTr",), "evaluate": (hearts / "labelsTr", hearts / "labelsTr")}[command]
    pclseg(command, *folders, "--json", tmp_path / "new" / "report.json").done()
    assert (tmp_path / "new" / "report.json").stat().st_size > 100
