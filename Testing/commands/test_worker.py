"""``worker``: a warm model that answers one request after another, driven as the Slicer module drives it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.reading import read_labels

ROOT = Path(__file__).parents[2]


class Worker:
    """A worker in a process of its own."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pcl_core", "worker", "--events", "--device", "cpu"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self.started = self.event()

    def send(self, line: object) -> None:
        self.process.stdin.write((line if isinstance(line, str) else json.dumps(line, default=str)) + "\n")
        self.process.stdin.flush()

    def event(self) -> dict:
        return json.loads(self.process.stdout.readline())

    def answer(self) -> list[dict]:
        """All events up to the last one of a request."""
        events = [self.event()]
        while events[-1]["event"] not in ("done", "cancelled", "error"):
            events.append(self.event())
        return events

    def end(self) -> tuple[int, str, list[dict]]:
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, err, [json.loads(line) for line in out.splitlines()]


@pytest.fixture(scope="module")
def worker():
    """A worker that several tests talk to: what one asks must not spoil the next."""
    one = Worker()
    yield one
    with contextlib.suppress(BrokenPipeError):
        one.send({"do": "quit"})
    assert one.end()[:2] == (0, "")


@pytest.fixture
def segment(finetuned, hearts, tmp_path):
    """A request to segment one heart."""
    image = hearts / "imagesTr" / "heart_000_0000.nii.gz"
    return {"id": "7", "do": "segment", "model": finetuned / "model.safetensors", "input": image, "out": tmp_path / "out"}


def test_it_says_that_it_has_started_like_any_command(worker):
    assert (worker.started["event"], worker.started["command"]) == ("started", "worker")


def test_a_volume_is_segmented_on_its_own_grid_and_all_events_name_the_request(worker, segment, tmp_path):
    worker.send({**segment, "confidence": True})
    events = worker.answer()
    assert {event["request"] for event in events} == {"7"}
    summary = events[-1]["summary"]
    (labels,) = summary["labels"]
    (source,) = find_volumes(segment["input"]).sources
    (found,) = find_volumes(Path(labels)).sources
    assert read_labels(found, source).shape[0] == source.geometry.size[2]
    (millilitres,) = summary["millilitres"].values()
    assert set(millilitres) == {one["name"] for one in summary["classes"]}
    assert {path.name.rpartition("_")[2] for path in (tmp_path / "out").iterdir()} == {"seg.nrrd", "confidence.nrrd"}


def test_the_second_request_does_not_read_the_model_again(worker, segment, tmp_path):
    """The first request of a model has to read its file, and a changed file is read again."""
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(Path(segment["model"]).read_bytes())
    request = {**segment, "model": copy}
    worker.send({"id": "l", "do": "load", "model": copy})
    assert worker.answer()[-1]["event"] == "done"
    before = copy.stat()
    copy.write_bytes(b"\0" * before.st_size)
    os.utime(copy, ns=(before.st_atime_ns, before.st_mtime_ns))
    worker.send(request)
    assert worker.answer()[-1]["event"] == "done"  # from memory: the file is no model any more
    os.utime(copy)
    worker.send(request)
    assert worker.answer()[-1]["kind"] == "input"


@pytest.mark.parametrize(
    ("line", "fragment"),
    [
        ("segment please", "not JSON"),
        ("[1]", "named values"),
        ({"id": "1", "do": "segmnt"}, "segment"),
        ({"id": "1", "do": "segment", "model": "m"}, "lacks 'input'"),
        ({"id": "1", "do": "load"}, "lacks 'model'"),
        ({"id": "1", "do": "load", "model": "nowhere.safetensors"}, "nowhere.safetensors"),
        ({"id": "1", "do": "load", "modell": "m"}, "unknown key 'modell'"),
        ({"do": "load", "model": "m"}, "lacks 'id'"),
    ],
    ids=str,
)
def test_a_bad_request_is_an_error_and_the_worker_goes_on(line, fragment, worker):
    worker.send(line)
    (event,) = worker.answer()
    assert (event["event"], event["kind"]) == ("error", "input")
    assert fragment in f"{event['message']} {event['hint']}"


def test_a_bad_volume_is_an_error_of_its_request_only(worker, segment, tmp_path):
    (tmp_path / "bad.nrrd").write_text("no volume")
    worker.send({**segment, "input": tmp_path / "bad.nrrd"})
    worker.send(segment)
    assert worker.answer()[-1]["event"] == "error"
    assert worker.answer()[-1]["event"] == "done"


def test_a_request_is_cancelled_while_it_waits_and_the_others_are_not(worker, segment):
    worker.send({**segment, "id": "a", "tta": True})
    worker.send({**segment, "id": "b"})
    worker.send({"do": "cancel", "id": "b"})
    worker.send({"do": "cancel", "id": "nobody"})
    worker.send({**segment, "id": "c"})
    ends = [worker.answer()[-1] for _ in range(3)]
    assert [(event["request"], event["event"]) for event in ends] == [("a", "done"), ("b", "cancelled"), ("c", "done")]


def test_a_running_request_is_cancelled_between_two_steps(worker, segment, hearts):
    worker.send({**segment, "id": "long", "input": hearts / "imagesTr", "tta": True})
    while worker.event().get("event") != "progress":
        pass
    worker.send({"do": "cancel", "id": "long"})
    assert worker.answer()[-1]["event"] == "cancelled"


@pytest.mark.parametrize("way", ["closed", "terminated"])
def test_it_ends_with_its_input_or_a_signal_in_the_middle_of_a_request(way, segment, hearts, tmp_path, leftovers):
    one = Worker()
    one.send({**segment, "input": hearts / "imagesTr", "tta": True})
    while one.event().get("event") != "progress":
        pass
    if way == "closed":
        one.process.stdin.close()
        one.process.stdin = None
    else:
        one.process.send_signal(signal.SIGTERM)
    begin = time.monotonic()
    code, err, events = one.end()
    assert (code, err) == (0, "")
    assert time.monotonic() - begin < 30
    assert [event["event"] for event in events if event["event"] in ("done", "cancelled")] == ["cancelled", "done"]
    assert leftovers(tmp_path) == []
