from __future__ import annotations

import io
import json
import math
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcl_core.events import Collected, JsonLines, Reporter, plain


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_each_event_is_one_json_object_a_line_with_its_name_and_time() -> None:
    stream = io.StringIO()
    reporter = Reporter(JsonLines(stream))
    before = time.time()
    reporter.started("scan", "0.1", "cpu")
    reporter.plan({"preset": "paper"})
    reporter.progress("scan", 0, 3)
    reporter.metric(4, 2, loss=1.5)
    reporter.warning("Odd.", Path("a") / "b.nii")
    reporter.warning("Odd in general.")
    reporter.artifact("encoder", Path("e.safetensors"))
    reporter.done(volumes=3)
    reporter.cancelled(Path("state"))
    reporter.cancelled(None)
    reporter.error("input", "Wrong.", "Do right.")
    events = lines_of(stream)
    assert all(abs(event.pop("time") - before) < 5 for event in events)
    assert events == [
        {"event": "started", "command": "scan", "version": "0.1", "device": "cpu", "process": os.getpid()},
        {"event": "plan", "plan": {"preset": "paper"}},
        {"event": "progress", "stage": "scan", "done": 0, "total": 3, "eta_s": None},
        {"event": "metric", "step": 4, "epoch": 2, "loss": 1.5},
        {"event": "warning", "message": "Odd.", "path": str(Path("a") / "b.nii")},
        {"event": "warning", "message": "Odd in general."},
        {"event": "artifact", "kind": "encoder", "path": "e.safetensors"},
        {"event": "done", "summary": {"volumes": 3}},
        {"event": "cancelled", "kept": "state"},
        {"event": "cancelled", "kept": None},
        {"event": "error", "kind": "input", "message": "Wrong.", "hint": "Do right."},
    ]


def test_tables_are_for_people_only() -> None:
    stream = io.StringIO()
    Reporter(JsonLines(stream)).table("Dice", ["case"], [["a"]])
    assert stream.getvalue() == ""


def test_numbers_that_are_not_finite_become_null() -> None:
    stream = io.StringIO()
    Reporter(JsonLines(stream)).metric(1, 1, loss=math.nan, dice=math.inf, rate=np.float32("nan"))
    assert lines_of(stream)[0] | {"time": 0} == {
        "event": "metric", "time": 0, "step": 1, "epoch": 1, "loss": None, "dice": None, "rate": None,
    }  # fmt: skip


def test_numpy_paths_and_tuples_become_plain() -> None:
    value = {1: (np.int64(3), np.float32(0.5), np.bool_(True)), "at": Path("x"), "all": np.array([[1.0, math.nan]])}
    assert plain(value) == {"1": [3, 0.5, True], "at": "x", "all": [[1.0, None]]}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_whatever_is_plain_is_strict_json(value: Any) -> None:
    text = json.dumps(plain(value), allow_nan=False)
    assert plain(json.loads(text)) == plain(value)


def test_file_names_of_any_script_and_of_broken_bytes_pass_a_stream_that_holds_ascii_only() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="\n")
    names = ["Größe.nii", "心臓.nii", b"caf\xe9.nii".decode("utf-8", "surrogateescape")]
    for name in names:
        Reporter(JsonLines(stream)).warning("Odd.", name)
    assert [json.loads(line)["path"] for line in raw.getvalue().splitlines()] == names


def test_each_line_is_flushed_at_once() -> None:
    raw = io.BytesIO()
    reporter = Reporter(JsonLines(io.TextIOWrapper(raw, encoding="utf-8")))
    reporter.progress("prepare", 0, 2)
    assert json.loads(raw.getvalue())["stage"] == "prepare"


def test_a_line_break_in_a_message_stays_on_its_line() -> None:
    stream = io.StringIO()
    Reporter(JsonLines(stream)).warning("two\nlines\r\u2028three")
    assert len(stream.getvalue().split("\n")) == 2
    assert len(stream.getvalue().splitlines()) == 1


def test_progress_is_sent_at_most_five_times_a_second() -> None:
    sink, clock = Collected(), Clock()
    reporter = Reporter(sink, clock)
    for done in range(1000):
        reporter.progress("train", done, 1000)
        clock.now += 0.01
    assert 45 <= len(sink.named("progress")) <= 51


def test_the_first_and_the_last_progress_are_always_sent() -> None:
    sink = Collected()
    reporter = Reporter(sink, Clock())
    for done in range(11):
        reporter.progress("train", done, 10)
    assert [event["done"] for event in sink.events] == [0, 10]


def test_stages_are_held_back_apart() -> None:
    sink = Collected()
    reporter = Reporter(sink, Clock())
    reporter.progress("one", 0, 10)
    reporter.progress("two", 0, 10)
    assert [event["stage"] for event in sink.events] == ["one", "two"]


def test_the_time_left_follows_from_the_speed_of_the_stage() -> None:
    sink, clock = Collected(), Clock()
    reporter = Reporter(sink, clock)
    for done in (0, 10, 30):
        reporter.progress("train", done, 50)
        clock.now += 5
    assert [event["eta_s"] for event in sink.events] == [None, 20.0, 6.7]


def test_what_was_done_before_a_resumption_does_not_count_as_speed() -> None:
    sink, clock = Collected(), Clock()
    reporter = Reporter(sink, clock)
    reporter.progress("train", 90, 100)
    clock.now += 5
    reporter.progress("train", 95, 100)
    assert sink.events[-1]["eta_s"] == 5.0


def test_a_stage_that_is_repeated_is_timed_anew() -> None:
    sink, clock = Collected(), Clock()
    reporter = Reporter(sink, clock)
    for done in (0, 10):
        reporter.progress("segment", done, 10)
        clock.now += 100
    reporter.progress("segment", 0, 10)
    clock.now += 1
    reporter.progress("segment", 5, 10)
    assert sink.events[-1]["eta_s"] == 1.0


def test_a_stage_of_nothing_is_finished_at_once() -> None:
    sink = Collected()
    Reporter(sink, Clock()).progress("scan", 0, 0)
    assert [(event["done"], event["total"]) for event in sink.events] == [(0, 0)]


def test_a_reporter_without_a_sink_takes_everything_silently(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = Reporter()
    reporter.warning("Odd.")
    reporter.close()
    assert capsys.readouterr() == ("", "")
