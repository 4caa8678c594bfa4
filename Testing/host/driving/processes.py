"""The processes behind PythonSlicer, as the system lists them."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def family(ancestor: int) -> set[int]:
    """The processes that descend from one, and have not ended."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("this system does not list processes in /proc")
    parents = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (path / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents[int(path.name)] = int(parent)
    found: set[int] = set()
    while True:
        more = {number for number, parent in parents.items() if parent in {ancestor, *found}} - found
        if not more:
            return found
        found |= more


def interpreter_of(launcher: int, seconds: float = 10.0) -> int:
    """The interpreter that a launcher has started. Raises AssertionError when there is none in time."""
    end = time.monotonic() + seconds
    while not (found := family(launcher)) and time.monotonic() < end:
        time.sleep(0.01)
    if found:
        return min(found)
    raise AssertionError(f"the launcher {launcher} has no interpreter")


@contextmanager
def held(launcher: int) -> Iterator[None]:
    """Holds the interpreter of a launcher, so that no quick machine has answered before the test has clicked again."""
    interpreter = interpreter_of(launcher)
    os.kill(interpreter, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(interpreter, signal.SIGCONT)
