from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcl_core.training.history import read_history, write_history

ROWS = [
    {"step": 1, "epoch": 1, "loss": 5.25},
    {"step": 2, "epoch": 1, "loss": 4.125, "dice_1": 0.5},
    {"step": 3, "epoch": 2, "loss": 3.0},
]


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    write_history(tmp_path / "metrics.csv", ROWS)
    assert read_history(tmp_path / "metrics.csv", 3) == ROWS


def test_the_file_is_a_plain_table_with_empty_cells_where_nothing_was_measured(tmp_path: Path) -> None:
    write_history(tmp_path / "metrics.csv", ROWS)
    lines = (tmp_path / "metrics.csv").read_text().splitlines()
    assert lines == ["step,epoch,loss,dice_1", "1,1,5.25,", "2,1,4.125,0.5", "3,2,3,"]


def test_rows_after_the_step_that_is_resumed_from_are_dropped(tmp_path: Path) -> None:
    write_history(tmp_path / "metrics.csv", ROWS)
    assert [row["step"] for row in read_history(tmp_path / "metrics.csv", 2)] == [1, 2]


@given(step=st.integers(0, 10**9))
def test_steps_are_exact_however_large(step: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "metrics.csv"
    write_history(path, [{"step": step, "loss": 0.1}])
    assert read_history(path, step) == [{"step": step, "loss": 0.1}]
    write_history(path, read_history(path, step))  # as a resumed run does
    assert read_history(path, step) == [{"step": step, "loss": 0.1}]


def test_a_loss_that_is_no_number_survives(tmp_path: Path) -> None:
    write_history(tmp_path / "metrics.csv", [{"step": 1, "loss": math.nan}])
    (row,) = read_history(tmp_path / "metrics.csv", 1)
    assert math.isnan(row["loss"])


def test_no_rows_make_a_file_that_reads_as_no_rows(tmp_path: Path) -> None:
    write_history(tmp_path / "metrics.csv", [])
    assert read_history(tmp_path / "metrics.csv", 5) == []


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"step,loss\n1,many\n", b"loss\n3\n", b"step\n1,2,3\n"])
def test_a_file_that_is_missing_or_no_such_table_holds_no_rows(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    if content is not None:
        path.write_bytes(content)
    assert read_history(path, 5) == []
