"""pytest fixtures of the bench. Nothing of Slicer or Qt is imported before a test asks for `bench` or `host`."""

from __future__ import annotations

import importlib.util
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
    from Testing.host.driving.slicer_bench import SlicerBench


def in_slicer() -> bool:
    """Whether the tests run inside the real application."""
    app = getattr(sys.modules.get("slicer"), "app", None)
    return app is not None and "Testing.host.application.host" not in sys.modules


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host | None]:
    """The bench of this test run, offscreen, with settings of its own and PythonSlicer on the PATH; None inside Slicer."""
    if in_slicer():
        yield None
        return
    missing = [name for name in ("PySide6", "slicer_core", "trame_slicer") if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"the bench is not installed ({', '.join(missing)}): make test does it")
    from Testing.host.application.host import start

    host = start(tmp_path_factory.mktemp("bench"), platform="offscreen")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(host.launcher.parent), prepend=os.pathsep)
        yield host
        host.close()


@pytest.fixture
def bench(host: Host | None) -> Iterator[Bench | SlicerBench]:
    """The bench with an empty scene. An exception in a slot, or a dialog that nobody announced, fails the test."""
    with slot_errors() as errors:
        hands = _hands(host)
        _turn_views_back()
        yield hands
        hands.finish()
    if errors:
        raise errors[0]


def _hands(host: Host | None) -> Bench | SlicerBench:
    if host is None:
        from Testing.host.driving.slicer_bench import SlicerBench

        return SlicerBench()
    from Testing.host.driving.bench import Bench

    host.use_python(Path(sys.executable))
    return Bench(host)


def _turn_views_back() -> None:
    """Slice views as Slicer has them at first: closing a scene leaves them as an earlier test turned them."""
    import slicer

    for color, orientation in {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}.items():
        slicer.mrmlScene.GetNodeByID(f"vtkMRMLSliceNode{color}").SetOrientation(orientation)


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
def slicer(host: Host | None) -> ModuleType:
    """The module `slicer`, complete once the bench runs."""
    return importlib.import_module("slicer")


@pytest.fixture
def qt(host: Host | None) -> ModuleType:
    """The module `qt`."""
    return importlib.import_module("qt")


@pytest.fixture
def ctk(host: Host | None) -> ModuleType:
    """The module `ctk`."""
    return importlib.import_module("ctk")


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Runs the tests of the bench inside Qt's event loop."""
    if "host" in pyfuncitem.fixturenames and not in_slicer():
        from Testing.host.driving.in_event_loop import run_in_event_loop

        test = pyfuncitem.obj
        pyfuncitem.obj = lambda **arguments: run_in_event_loop(lambda: test(**arguments))
    return (yield)
