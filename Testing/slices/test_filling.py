"""Volumes prepared by several processes, which may not even begin."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from Testing.making import stored_items

ROOT = Path(__file__).parents[2]
SCRIPT = """
from pathlib import Path
from pcl_core.cancellation import Cancellation
from pcl_core.events import Reporter
from pcl_core.plan import SlicePlan
from pcl_core.slices.bank import BankItem
from pcl_core.slices.banking import build_bank
from pcl_core.volumes.discovery import find_volumes

def main():
    items = [BankItem(source) for source in find_volumes(Path("images")).sources]
    bank = build_bank(Path("bank"), items, SlicePlan("auto", 1.0, 32), Reporter(), Cancellation(), processes=2)
    print(len(bank.rows), "slices")

"""


def run(folder: Path, last: str) -> subprocess.CompletedProcess[str]:
    stored_items(folder, 2)
    (folder / "script.py").write_text(f"{SCRIPT}{last}\n")
    command = [sys.executable, "script.py"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, check=False, cwd=folder, env=env, capture_output=True, text=True, timeout=120)


def test_a_script_that_every_process_would_run_again_is_told_what_to_write(tmp_path: Path) -> None:
    done = run(tmp_path, "main()")
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert "if __name__ == '__main__'" in last
    assert "No process that prepares volumes could begin" in last
    assert "most likely for want of memory" not in last


def test_a_script_that_heeds_it_prepares_by_several_processes(tmp_path: Path) -> None:
    done = run(tmp_path, "if __name__ == '__main__': main()")
    assert (done.returncode, done.stdout) == (0, "20 slices\n"), done.stderr
