"""pytest fixtures of the bench. Nothing of Slicer or Qt is imported before a test asks for `bench` or `host`."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from Testing.host.application.host import Host
    from Testing.host.driving.bench import Bench


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The bench of this test run, offscreen, with settings of its own and PythonSlicer on the PATH."""
    start = pytest.importorskip("Testing.host.application.host", reason="the bench is not installed: make test does it").start
    host = start(tmp_path_factory.mktemp("bench"), platform="offscreen")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(host.launcher.parent), prepend=os.pathsep)
        yield host
        host.close()


@pytest.fixture
def bench(host: Host) -> Iterator[Bench]:
    """The bench with an empty scene. An exception in a slot, or a dialog that nobody announced, fails the test."""
    from Testing.host.driving.bench import Bench

    bench = Bench(host)
    host.use_python(Path(sys.executable))
    with slot_errors() as errors:
        yield bench
        bench.finish()
    if errors:
        raise errors[0]


@contextmanager
def slot_errors() -> Iterator[list[BaseException]]:
    """Collects exceptions that Qt's slots raise: Qt would only print them."""
    errors: list[BaseException] = []

    def remember(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        errors.append(error.with_traceback(traceback))

    before, sys.excepthook = sys.excepthook, remember
    try:
        yield errors
    finally:
        sys.excepthook = before


@pytest.fixture
def slicer(host: Host) -> ModuleType:
    """The module `slicer`, complete once the bench runs."""
    return sys.modules["slicer"]


@pytest.fixture
def qt(host: Host) -> ModuleType:
    """The module `qt`."""
    return sys.modules["qt"]


@pytest.fixture
def ctk(host: Host) -> ModuleType:
    """The module `ctk`."""
    return sys.modules["ctk"]


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Runs the tests of the bench inside Qt's event loop."""
    if "host" in pyfuncitem.fixturenames:
        from Testing.host.driving.in_event_loop import run_in_event_loop

        test = pyfuncitem.obj
        pyfuncitem.obj = lambda **arguments: run_in_event_loop(lambda: test(**arguments))
    return (yield)
