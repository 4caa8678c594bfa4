"""pytest fixtures of the bench. Nothing of Slicer or Qt is imported before a test asks for `bench` or `host`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from Testing.host.application.host import Host
    from Testing.host.driving.bench import Bench


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    """The bench of this test run, offscreen, with settings of its own."""
    start = pytest.importorskip("Testing.host.application.host", reason="the bench is not installed: make test does it").start
    return start(tmp_path_factory.mktemp("bench"), platform="offscreen")


@pytest.fixture
def bench(host: Host) -> Iterator[Bench]:
    """The bench with an empty scene."""
    from Testing.host.driving.bench import Bench

    bench = Bench(host)
    yield bench
    bench.close_scene()
