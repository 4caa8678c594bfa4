"""The memory of a training does not grow with the number of volumes: their slices stay in the mapped file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Trains for an epoch on a bank of so many slices, and says how many bytes the process holds that are not pages of files.
_TRAINED = """
import sys
from pathlib import Path
import numpy as np
from pcl_core.slices.bank import BankedVolume, SliceBank
from pcl_core.training.pretraining import pretrain
from Testing.making import context_of, tiny_plan
folder, rows, side = Path(sys.argv[1]), int(sys.argv[2]), 128
with (folder / "slices.f16").open("wb") as stream:
    stream.truncate(2 * rows * side * side)
images = np.memmap(folder / "slices.f16", dtype=np.float16, mode="r", shape=(rows, side, side))
volumes = tuple(BankedVolume(str(n), str(n), n * 10, 10, "", 1.0) for n in range(rows // 10))
plan = tiny_plan(slices__size=side, network__filters=2, pretrain__batch=30, pretrain__steps=rows // 30)
pretrain(SliceBank(images, None, volumes, (), ""), plan, folder / "out", context_of())
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["RssAnon"].split()[0]) * 1024)
"""


def held_bytes(folder: Path, rows: int) -> int:
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "65536"}
    command = [sys.executable, "-c", _TRAINED, str(folder), str(rows)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=ROOT)
    return int(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.ci_slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system has no /proc")
def test_ten_times_as_many_volumes_take_no_more_memory(tmp_path: Path) -> None:
    few, many = 300, 3000
    growth = held_bytes(tmp_path / "many", many) - held_bytes(tmp_path / "few", few)
    bank_growth = (many - few) * 128 * 128 * 2  # 88 MB
    assert growth < bank_growth / 8
