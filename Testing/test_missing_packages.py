"""What works, and what is said, where packages are missing: in 3D Slicer before anything is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Python refuses to import a module whose entry is None.
_WITHOUT = "import sys; sys.modules.update(dict.fromkeys(sys.argv[1].split(','))); from pcl_core.cli import main; "
_MISSING = "torch,nibabel,skimage,safetensors,rich,matplotlib,monai"


def call(missing: str, *words: object) -> tuple[int, list[dict]]:
    ended = subprocess.run(
        [sys.executable, "-c", _WITHOUT + "raise SystemExit(main(sys.argv[2:]))", missing, *map(str, words), "--events"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()]


def test_a_folder_is_scanned_with_numpy_and_simpleitk_alone(tmp_path, volume):
    volume(tmp_path / "data" / "one.nrrd")
    volume(tmp_path / "data" / "two.nii.gz")
    code, events = call(_MISSING, "scan", tmp_path / "data", "--json", tmp_path / "report.json")
    assert (code, events[-1]["event"]) == (0, "done")
    report = json.loads((tmp_path / "report.json").read_text())
    assert [row["id"] for row in report["volumes"]] == ["one"]
    assert "nibabel, which is not installed" in report["unreadable"][0]["reason"]


@pytest.mark.parametrize("words", [("devices",), ("pretrain", "nowhere", "--out", "nothing")])
def test_a_command_whose_packages_are_missing_names_one(words):
    code, events = call(_MISSING, *words)
    last = events[-1]
    assert (code, last["event"], last["kind"]) == (1, "error", "packages")
    assert last["message"] == "The Python package torch is not installed."
    assert last["hint"]
