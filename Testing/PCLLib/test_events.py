import io
import os
from pathlib import Path

from pcl_core.events import JsonLines, Reporter


def parsed(tell):
    """The event that a reporter's call becomes on the other side."""
    from PCLLib.events import parse

    stream = io.StringIO()
    tell(Reporter(JsonLines(stream)))
    return parse(stream.getvalue())


def test_every_event_of_the_engine_is_understood(tmp_path):
    from PCLLib import events

    path = tmp_path / "a.nrrd"
    assert parsed(lambda r: r.started("scan", "0.1", "cpu")) == events.Started("scan", "0.1", "cpu", os.getpid())
    assert parsed(lambda r: r.plan({"preset": "paper"})) == events.Planned({"preset": "paper"})
    assert parsed(lambda r: r.progress("scan", 2, 2)) == events.Progress("scan", 2, 2, None)
    assert parsed(lambda r: r.metric(3, 1, loss=0.5)) == events.Measured(3, 1, {"loss": 0.5})
    assert parsed(lambda r: r.warning("odd", path)) == events.Warned("odd", path)
    assert parsed(lambda r: r.warning("odd")) == events.Warned("odd", None)
    assert parsed(lambda r: r.artifact("encoder", path)) == events.Written("encoder", path)
    assert parsed(lambda r: r.done(volumes=2)) == events.Done({"volumes": 2})
    assert parsed(lambda r: r.cancelled(path)) == events.Cancelled(path)
    assert parsed(lambda r: r.cancelled(None)) == events.Cancelled(None)
    assert parsed(lambda r: r.error("input", "bad", "mend")) == events.Failed("input", "bad", "mend")
    assert parsed(lambda r: r.error("memory", "little", "less", {"batch": 8})).smaller == {"batch": 8}


def test_an_engine_that_does_not_tell_its_process_is_understood_too():
    from PCLLib.events import Started, parse

    line = '{"event": "started", "time": 0, "command": "scan", "version": "0.1", "device": "cpu"}'
    assert parse(line) == Started("scan", "0.1", "cpu", 0)


def test_a_figure_that_is_no_number_is_left_out():
    assert parsed(lambda r: r.metric(3, 1, loss=float("nan"), collapse=0.1)).values == {"collapse": 0.1}


def test_what_is_no_event_is_none():
    from PCLLib.events import parse

    for line in ("", "Hello", "3", "[]", "{}", '{"event": "later"}', '{"event": "done"}', '{"event": 3}'):
        assert parse(line) is None


def test_paths_survive_every_alphabet():
    path = Path("/дані/容積.nrrd")
    assert parsed(lambda r: r.artifact("encoder", path)).path == path
