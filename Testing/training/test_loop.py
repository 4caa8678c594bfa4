from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pcl_core.errors import CancelledError, PclError
from pcl_core.events import Collected
from pcl_core.training.history import Row, read_history
from pcl_core.training.loop import Loop
from Testing.making import context_of


class Counter:
    """The simplest trainee: its loss is the number of steps that it has done, and it says what it was asked for."""

    def __init__(self, losses: dict[int, float] | None = None) -> None:
        self.steps: list[int] = []
        self.saved: list[int] = []
        self.kept: list[int] = []
        self.losses = losses or {}

    def train_step(self, step: int) -> int:
        self.steps.append(step)
        return 8

    def figures(self, step: int) -> Row:
        return {"loss": self.losses.get(step, float(step))}

    def save(self, step: int) -> None:
        self.saved.append(step)

    def keep(self, step: int) -> None:
        self.kept.append(step)


def loop_of(folder: Path, total: int, sink: Collected | None = None, cancel_at: int | None = None, **values: int) -> Loop:
    context = context_of(sink, cancel_at=None if cancel_at is None else ("train", cancel_at))
    lengths = {"per_epoch": 4, "per_checkpoint": 4} | values
    return Loop("train", total, lengths["per_epoch"], lengths["per_checkpoint"], folder / "m.csv", folder / "state", context)


def test_every_step_is_done_once_in_order(tmp_path: Path) -> None:
    trainee = Counter()
    loop_of(tmp_path, 10).run(trainee, 0)
    assert trainee.steps == list(range(10))


def test_a_checkpoint_follows_each_run_of_steps_and_the_last_one(tmp_path: Path) -> None:
    trainee = Counter()
    loop_of(tmp_path, 10).run(trainee, 0)
    assert trainee.saved == [4, 8, 10]
    assert trainee.kept == []


def test_figures_are_reported_recorded_and_written(tmp_path: Path) -> None:
    sink = Collected()
    rows = loop_of(tmp_path, 10, sink).run(Counter(), 0)
    assert [(row["step"], row["epoch"], row["loss"]) for row in rows] == [(n, (n + 3) // 4, n) for n in range(1, 11)]
    assert [(event["step"], event["loss"]) for event in sink.named("metric")] == [(n, n) for n in range(1, 11)]
    assert [row["step"] for row in read_history(tmp_path / "m.csv", 10)] == list(range(1, 11))
    assert all(row["slices_per_second"] > 0 for row in rows)


def test_epochs_are_counted_in_epochs_also_when_checkpoints_are_rarer(tmp_path: Path) -> None:
    rows = loop_of(tmp_path, 12, per_epoch=2, per_checkpoint=6).run(trainee := Counter(), 0)
    assert [row["epoch"] for row in rows] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    assert trainee.saved == [6, 12]


@pytest.mark.parametrize(
    ("a_step", "saved"),
    [(1.0, [4, 22]), (2.5, [4, 12, 20, 22]), (5.0, [4, 8, 12, 16, 20, 22]), (70.0, [4, 8, 12, 16, 20, 22])],
)
def test_a_checkpoint_is_left_out_when_the_last_one_is_seconds_old(a_step: float, saved: list[int], tmp_path: Path) -> None:
    # Writing takes as long as many steps of a fast GPU.
    trainee = Counter()
    loop = replace(loop_of(tmp_path, 22), least_seconds=20.0, clock=lambda: a_step * len(trainee.steps))
    loop.run(trainee, 0)
    assert trainee.saved == saved


def test_a_cancelled_run_saves_however_young_the_last_checkpoint_is(tmp_path: Path) -> None:
    trainee = Counter()
    with pytest.raises(CancelledError):
        replace(loop_of(tmp_path, 40, cancel_at=10), least_seconds=1e9).run(trainee, 0)
    assert trainee.saved == [4, 10]


def test_a_long_training_has_about_200_rows_and_always_the_last(tmp_path: Path) -> None:
    rows = loop_of(tmp_path, 1999, per_epoch=500).run(Counter(), 0)
    assert 200 <= len(rows) <= 400
    assert rows[-1]["step"] == 1999


def test_progress_begins_where_the_run_is_resumed(tmp_path: Path) -> None:
    sink = Collected()
    loop_of(tmp_path, 10, sink).run(Counter(), 4)
    assert [event["done"] for event in sink.named("progress")] == [4, 5, 6, 7, 8, 9, 10]


def test_a_cancelled_run_saves_and_keeps_what_it_has_and_names_it(tmp_path: Path) -> None:
    trainee = Counter()
    with pytest.raises(CancelledError) as caught:
        loop_of(tmp_path, 10, cancel_at=6).run(trainee, 0)
    assert caught.value.kept == tmp_path / "state"
    assert trainee.steps == list(range(6))
    assert trainee.saved == [4, 6]
    assert trainee.kept == [6]
    assert [row["step"] for row in read_history(tmp_path / "m.csv", 100)] == [1, 2, 3, 4, 5, 6]


def test_a_run_that_is_cancelled_before_its_first_step_keeps_nothing(tmp_path: Path) -> None:
    trainee = Counter()
    with pytest.raises(CancelledError) as caught:
        loop_of(tmp_path, 10, cancel_at=0).run(trainee, 0)
    assert caught.value.kept is None
    assert (trainee.steps, trainee.saved, trainee.kept) == ([], [], [])
    assert not list(tmp_path.iterdir())


def test_a_run_that_is_cancelled_after_its_last_step_is_done(tmp_path: Path) -> None:
    rows = loop_of(tmp_path, 5, cancel_at=5).run(Counter(), 0)
    assert rows[-1]["step"] == 5


def test_a_resumed_run_goes_on_with_the_curve(tmp_path: Path) -> None:
    with pytest.raises(CancelledError):
        loop_of(tmp_path, 10, cancel_at=6).run(Counter(), 0)
    rows = loop_of(tmp_path, 10).run(Counter(), 6)
    assert [row["step"] for row in rows] == list(range(1, 11))


def test_rows_after_the_checkpoint_are_not_doubled(tmp_path: Path) -> None:
    loop_of(tmp_path, 8).run(Counter(), 0)
    rows = loop_of(tmp_path, 10).run(Counter(), 4)
    assert [row["step"] for row in rows] == list(range(1, 11))


def test_a_lost_curve_is_told_and_begun_anew(tmp_path: Path) -> None:
    sink = Collected()
    rows = loop_of(tmp_path, 10, sink).run(Counter(), 4)
    assert [row["step"] for row in rows] == [5, 6, 7, 8, 9, 10]
    assert "m.csv" in sink.named("warning")[0]["message"]


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_training_that_diverged_stops_at_once_and_keeps_the_checkpoint_from_before(loss: float, tmp_path: Path) -> None:
    trainee = Counter({7: loss})
    with pytest.raises(PclError, match="not a number after step 7") as caught:
        loop_of(tmp_path, 20).run(trainee, 0)
    assert "--learning-rate" in caught.value.hint
    assert trainee.saved == [4]
    assert trainee.kept == []


def test_what_an_epoch_of_an_hour_has_learned_is_saved_every_five_minutes(tmp_path: Path) -> None:
    """A power cut in the first epoch would cost all of it."""
    trainee = Counter()
    loop = loop_of(tmp_path, 9, per_checkpoint=1000)
    loop.clock = lambda: float(len(trainee.steps) * 100)
    loop.run(trainee, 0)
    assert trainee.saved == [3, 6, 9]
