from __future__ import annotations

import io

import pytest
from rich.console import Console as Terminal

from pcl_core.console import Console
from pcl_core.events import Reporter
from Testing.making import tiny_plan

NASTY = ["a[red]b[/red].nii", "[/bold]", "[link=x]y", "case:heart:.nii", "back\\[slash]"]


class Screen:
    """A console whose two streams can be read."""

    def __init__(self, width: int = 100, terminal: bool = False) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        results, status = (Terminal(file=file, width=width, force_terminal=terminal) for file in (self.out, self.err))
        self.console = Console(results, status)
        self.reporter = Reporter(self.console)


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize("terminal", [False, True])
def test_names_that_look_like_markup_are_shown_as_they_are(name: str, terminal: bool) -> None:
    screen = Screen(terminal=terminal)
    screen.reporter.warning(f"{name} is odd.")
    screen.reporter.error("input", f"{name} is wrong.", "Repair it.")
    screen.reporter.table(name, [name, "Dice"], [[name, "0.9"]])
    screen.reporter.done(out=name)
    screen.reporter.close()
    assert screen.err.getvalue().count(name) == 2
    assert screen.out.getvalue().count(name) == 4


@pytest.mark.parametrize("name", NASTY)
def test_stages_and_plans_that_look_like_markup_do_not_crash(name: str) -> None:
    screen = Screen()
    plan = tiny_plan().to_json() | {"preset": name}
    screen.reporter.plan(plan)
    screen.reporter.progress(name, 1, 1)
    screen.reporter.close()
    assert name in screen.err.getvalue().splitlines()[0]
    assert name in screen.err.getvalue().splitlines()[-1]


def test_long_paths_are_not_broken_over_lines() -> None:
    screen = Screen(width=30)
    path = "/".join(["folder with a name"] * 12) + "/case.nii.gz"
    screen.reporter.warning(f"{path} is odd.")
    screen.reporter.error("input", f"{path} is wrong.", "Repair it.")
    screen.reporter.done(encoder=path)
    assert screen.err.getvalue().count(path) == 2
    assert path in screen.out.getvalue()


@pytest.mark.parametrize("width", [1, 2, 10, 40])
def test_narrow_terminals_get_the_whole_table(width: int) -> None:
    screen = Screen(width=width)
    screen.reporter.table("Dice of each case", ["case", "Dice"], [["patient001_frame01", "0.91"]])
    screen.reporter.progress("train", 0, 2)
    screen.reporter.metric(1, 1, loss=0.5)
    screen.reporter.close()
    shown = "".join(character for character in screen.out.getvalue() if character.isalnum())
    if width >= 10:
        assert all(character in shown for character in "patient001frame01091")


def test_results_go_to_one_stream_and_progress_and_warnings_to_the_other() -> None:
    out, err = io.StringIO(), io.StringIO()
    reporter = Reporter(Console.of_streams(out, err))
    reporter.progress("prepare", 2, 2)
    reporter.warning("Odd.")
    reporter.table("Table", ["case"], [["a"]])
    reporter.done(volumes=2, loss=0.123456)
    assert "prepare" in err.getvalue()
    assert "Warning: Odd." in err.getvalue()
    assert "prepare" not in out.getvalue()
    assert "Odd" not in out.getvalue()
    assert "volumes: 2" in out.getvalue()
    assert "loss: 0.1235" in out.getvalue()


def test_a_stream_that_cannot_show_a_character_shows_its_code() -> None:
    raw_out, raw_err = io.BytesIO(), io.BytesIO()
    out, err = (io.TextIOWrapper(raw, encoding="cp1252") for raw in (raw_out, raw_err))
    reporter = Reporter(Console.of_streams(out, err))
    for name in ("心臓.nii", b"caf\xe9".decode("utf-8", "surrogateescape")):
        reporter.warning(f"{name} is odd.")
        reporter.done(out=name)
    out.flush(), err.flush()
    assert b"\\u5fc3\\u81d3.nii is odd." in raw_err.getvalue()
    assert b"caf\\udce9" in raw_out.getvalue()


def test_the_last_figures_stand_beside_the_bar() -> None:
    screen = Screen(width=160, terminal=True)
    screen.reporter.progress("finetune", 0, 2)
    screen.reporter.metric(1, 1, loss=0.5, learning_rate=0.1, dice_1=0.75, dice_2=float("nan"))
    screen.reporter.progress("finetune", 2, 2)
    screen.reporter.close()
    assert "loss 0.500 Dice 1 0.75" in screen.err.getvalue()


def test_figures_without_a_bar_are_passed_over() -> None:
    screen = Screen()
    screen.reporter.metric(1, 1, loss=0.5)
    assert screen.err.getvalue() == screen.out.getvalue() == ""


def test_events_that_people_do_not_need_are_passed_over() -> None:
    screen = Screen()
    screen.console.write({"event": "a_new_one", "time": 0.0})
    screen.console.write({"event": "started", "time": 0.0, "command": "scan", "version": "1", "device": "cpu"})
    assert screen.err.getvalue() == screen.out.getvalue() == ""


def test_events_cannot_reach_other_methods() -> None:
    screen = Screen()
    screen.console.write({"event": "_init__", "time": 0.0})
    screen.console.write({"event": "results", "time": 0.0})
    screen.console.write({"event": "tasks", "time": 0.0})
    assert screen.err.getvalue() == screen.out.getvalue() == ""


def test_a_cancelled_command_says_what_is_kept() -> None:
    screen = Screen()
    screen.reporter.progress("train", 0, 2)
    screen.console.write({"event": "cancelled", "time": 0.0, "kept": "out/[state]"})
    assert screen.err.getvalue().splitlines()[-1].startswith("Cancelled. out/[state] is kept")
    screen.console.write({"event": "cancelled", "time": 0.0, "kept": None})
    assert screen.err.getvalue().splitlines()[-1] == "Cancelled."


def test_two_stages_at_once_have_two_bars() -> None:
    screen = Screen(terminal=True)
    screen.reporter.progress("outer", 0, 2)
    screen.reporter.progress("inner", 1, 1)
    screen.reporter.progress("outer", 2, 2)
    screen.reporter.close()
    assert "outer" in screen.err.getvalue()
    assert "inner" in screen.err.getvalue()
