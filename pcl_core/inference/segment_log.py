"""A log of the volumes of a folder that are segmented, one JSON object a line: a run that was stopped goes on from there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pcl_core.errors import InputError
from pcl_core.files import write_error
from pcl_core.volumes.volume import VolumeSource


@dataclass(frozen=True)
class FileStamp:
    """Tells a file from what it was before: its name, size in bytes and time of change in ns."""

    path: str
    size: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> FileStamp:
        """The stamp of a file. Raises InputError when it is not there."""
        try:
            about = path.stat()
        except OSError as error:
            raise InputError(f"Cannot read {path}: {error.strerror or error}.", "Check the path.") from error
        return cls(str(path.absolute()), about.st_size, about.st_mtime_ns)

    def to_json(self) -> list[Any]:
        """Plain values."""
        return [self.path, self.size, self.changed]


class SegmentLog:
    """The log of one model's results.

    Args:
        path: of the log; made when it is not there.
        model: weight file.

    Raises:
        InputError: the log cannot be read or written.
    """

    def __init__(self, path: Path, model: Path) -> None:
        self._path, self._model = path, FileStamp.of(model).to_json()
        self._done: dict[str, Mapping[str, Any]] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a+", encoding="utf-8") as stream:
                stream.seek(0)
                text = stream.read()
                if text and not text.endswith("\n"):  # a crash cut it off
                    stream.write("\n")
        except OSError as error:
            raise write_error(path, error) from error
        for line in text.splitlines():
            self._read(line)

    def _read(self, line: str) -> None:
        """Takes a line; one that was cut off by a crash says nothing."""
        try:
            entry = json.loads(line)
            self._done[entry["id"]] = entry
        except (ValueError, KeyError, TypeError):
            return

    def has(self, source: VolumeSource) -> bool:
        """Whether this volume, unchanged, was segmented by this model, and its label volume is still there."""
        entry = self._done.get(source.id)
        if entry is None or entry.get("model") != self._model or not Path(entry.get("labels", "")).is_file():
            return False
        return bool(entry.get("inputs") == _inputs(source))

    def add(self, source: VolumeSource, labels: Path, millilitres: Mapping[str, float]) -> None:
        """Notes a volume that is segmented. Raises InputError when the log cannot be written."""
        entry = {
            "id": source.id,
            "input": str(source.path.absolute()),
            "labels": str(labels.absolute()),
            "millilitres": dict(millilitres),
            "inputs": _inputs(source),
            "model": self._model,
        }
        try:
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(entry, ensure_ascii=False) + "\n")
        except OSError as error:
            raise write_error(self._path, error) from error
        self._done[source.id] = entry


def _inputs(source: VolumeSource) -> list[list[Any]]:
    return [FileStamp.of(path).to_json() for path in source.files]
