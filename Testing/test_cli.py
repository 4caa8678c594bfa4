"""The command line itself: calls that are wrong, help, what people see, and how every end is told."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pcl_core import __version__, arguments, cli
from pcl_core.commands import scan
from pcl_core.errors import CancelledError, OutOfMemoryError

COMMANDS = (
    "scan", "pretrain", "finetune", "segment", "evaluate", "experiment", "positions", "suggest", "worker", "devices", "bench",
    "demo",
)  # fmt: skip


@pytest.mark.parametrize(
    ("words", "fragment"),
    [
        ((), "COMMAND"),
        (("pretain", "data"), "pretain"),
        (("pretrain",), "INPUT"),
        (("pretrain", "data"), "--out"),
        (("finetune", "images", "--out", "run"), "LABELS"),
        (("segment", "model", "--out", "run"), "INPUT"),
        (("pretrain", "data", "--out", "run", "--metod", "pcl"), "--metod"),
        (("pretrain", "data", "--out", "run", "--meth", "pcl"), "--meth"),
        (("pretrain", "data", "--out", "run", "--method", "byol"), "byol"),
        (("pretrain", "data", "--out", "run", "--preset", "best"), "best"),
        (("pretrain", "data", "--out", "run", "--layout", "mine"), "mine"),
        (("pretrain", "data", "--out", "run", "--axis", "oblique"), "oblique"),
        (("pretrain", "data", "--out", "run", "--seed", "-1"), "-1"),
        (("pretrain", "data", "--out", "run", "--seed", "2147483648"), "2147483648"),
        (("pretrain", "data", "--out", "run", "--seed", "first"), "first"),
        (("pretrain", "data", "--out", "run", "--device", "tpu"), "tpu"),
        (("pretrain", "data", "--out", "run", "--steps", "0"), "--steps"),
        (("pretrain", "data", "--out", "run", "--steps", "3", "--epochs", "2"), "--epochs"),
        (("pretrain", "data", "--out", "run", "--size", "33"), "multiple of 16"),
        (("pretrain", "data", "--out", "run", "--filters", "x"), "--filters"),
        (("pretrain", "data", "--out", "run", "--resolution", "nan"), "--resolution"),
        (("pretrain", "data", "--out", "run", "--learning-rate", "-0.1"), "--learning-rate"),
        (("finetune", "images", "labels", "--out", "run", "--classes", "1", "liver"), "liver"),
        (("finetune", "images", "labels", "--out", "run", "--cases"), "--cases"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_wrong_call_is_one_line_that_names_the_fault(words, fragment, pclseg, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pclseg(*words).refusal(fragment)
    people = pclseg(*words, events=False)
    assert (people.code, people.stdout) == (2, "")
    assert people.stderr.startswith("Error: ")
    assert people.stderr.count("\n") == 1
    assert fragment in people.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_explains_every_argument(command, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    parser = arguments.make_parser()._subparsers._group_actions[0].choices[command]
    assert [action.dest for action in parser._actions if not action.help] == []
    assert "usage: pclseg" in capsys.readouterr().out


def test_the_help_lists_every_command_and_the_version_is_told(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    listed = capsys.readouterr().out
    assert all(f"\n    {command} " in listed or f"\n    {command}\n" in listed for command in COMMANDS)
    with pytest.raises(SystemExit) as ended:
        cli.main(["--version"])
    assert (ended.value.code, capsys.readouterr().out.strip()) == (0, __version__)


def test_help_and_a_wrong_call_do_not_wait_for_torch(tmp_path):
    code = (
        "import sys; from pcl_core.cli import main; main(['pretrain', 'x', '--steps', '0']); sys.exit('torch' in sys.modules)"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr.count("\n") == 1


def test_people_see_results_on_the_output_and_progress_and_warnings_beside_it(hearts, finetuned, tmp_path, pclseg):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "notes.nii.gz").write_text("no volume")
    (tmp_path / "data" / "a.nii.gz").symlink_to(hearts / "imagesTr" / "heart_000_0000.nii.gz")
    words = ("segment", finetuned / "model.safetensors", tmp_path / "data", "--out", tmp_path / "out")
    outcome = pclseg(*words, events=False)
    assert outcome.code == 0
    assert outcome.stdout.splitlines() == [f"out: {tmp_path / 'out'}", "segmented: 1", "skipped: 1", "empty: 0"]
    warnings = [line for line in outcome.stderr.splitlines() if "Warning" in line]
    assert len(warnings) == 1
    assert str(tmp_path / "data" / "notes.nii.gz") in warnings[0]
    assert "segment" in outcome.stderr


def test_people_see_a_refusal_as_one_line(tmp_path, pclseg):
    outcome = pclseg("pretrain", tmp_path / "nowhere", "--out", tmp_path / "run", events=False)
    assert (outcome.code, outcome.stdout) == (2, "")
    (line,) = outcome.stderr.splitlines()
    assert line.startswith("Error: ")
    assert str(tmp_path / "nowhere") in line


def test_names_of_files_in_any_script_pass(hearts, finetuned, tmp_path, pclseg):
    for name in ("Größe [2].nii.gz", "心臓.nii.gz", "with space.nii.gz"):
        (tmp_path / name).symlink_to(hearts / "imagesTr" / "heart_000_0000.nii.gz")
    words = ("segment", finetuned / "model.safetensors", tmp_path, "--out", tmp_path / "out")
    assert pclseg(*words).done()["segmented"] == 3
    assert pclseg(*words, events=False).code == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "Größe [2]_seg.nrrd",
        "心臓_seg.nrrd",
        "with space_seg.nrrd",
    }


@pytest.mark.parametrize(
    ("error", "code", "event"),
    [
        (ZeroDivisionError("by zero"), 1, {"event": "error", "kind": "failure", "message": "ZeroDivisionError: by zero"}),
        (MemoryError(), 4, {"event": "error", "kind": "memory"}),
        (OutOfMemoryError("Too little.", "Take less."), 4, {"event": "error", "message": "Too little.", "hint": "Take less."}),
        (CancelledError(Path("state")), 3, {"event": "cancelled", "kept": "state"}),
        (KeyboardInterrupt(), 3, {"event": "cancelled", "kept": None}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_every_end_is_an_exit_code_and_a_last_event(error, code, event, tmp_path, pclseg, monkeypatch):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(scan, "run", fail)
    outcome = pclseg("scan", tmp_path)
    assert outcome.code == code
    assert event.items() <= outcome.events[-1].items()
    assert ("Traceback" in outcome.stderr) == (code == 1)
