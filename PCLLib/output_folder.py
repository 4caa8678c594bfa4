"""What an output folder holds already: a finished encoder, or a run that can be resumed."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pcl_core.plan import steps_in
from PCLLib.weight_files import header_of

ENCODER = "encoder.safetensors"
METRICS = "metrics.csv"
PLAN = "plan.json"
_STATE = Path("state") / "state.safetensors"
_RECORD = Path("state") / "run.json"
_LEFT_OUT = Path("state") / "left_out.txt"
_FLIPPED = Path("state") / "flipped.txt"
_RECORDS = (_RECORD, _LEFT_OUT, _FLIPPED)


@dataclass(frozen=True)
class Interrupted:
    """A run that stopped before its end.

    Attributes:
        step: steps that are done.
        total: steps of the whole run.
        folder: of its volumes; None when nobody wrote it down.
        device: that was asked for.
    """

    step: int
    total: int
    folder: Path | None
    device: str


@dataclass(frozen=True)
class OutputFolder:
    """A folder of results.

    Attributes:
        path: of it.
    """

    path: Path

    @property
    def encoder(self) -> Path:
        """Where the encoder is written."""
        return self.path / ENCODER

    @property
    def plan(self) -> Path:
        """The plan of the run that was started last."""
        return self.path / PLAN

    @property
    def left_out(self) -> Path:
        """A text file that names the volumes that are left out, one a line."""
        return self.path / _LEFT_OUT

    @property
    def flipped(self) -> Path:
        """A text file that names the volumes whose slices run the other way, one a line."""
        return self.path / _FLIPPED

    @property
    def holds_encoder(self) -> bool:
        """Whether an encoder is there, finished or of a run that was stopped."""
        return exists(self.encoder)

    def interrupted(self) -> Interrupted | None:
        """The run that can be resumed, or None."""
        about = header_of(self.path / _STATE)
        if about is None or not exists(self.plan):
            return None
        try:
            step, total = int(about["training"]["step"]), _total(about["plan"])
        except (KeyError, TypeError, ValueError):
            return None
        finished = header_of(self.encoder) if step >= total else None
        if step >= total and finished is not None and finished.get("training", {}).get("steps") == total:
            return None
        record = self._record()
        folder = record.get("folder")
        return Interrupted(step, total, Path(folder) if folder else None, record.get("device", "auto"))

    def write_record(
        self, folder: Path, device: str, left_out: Sequence[str], flipped: Sequence[str] = ()
    ) -> tuple[Path, Path]:
        """Notes what a run is about to be started on.

        The record of an earlier run stays beside it, which can be resumed until this one begins.

        Returns:
            the lists of the volumes that are left out, and of those that are flipped, for the call that starts the run.

        Raises:
            OSError: the folder cannot be written.
        """
        record, left_out_list, flipped_list = (_coming(self.path / name) for name in _RECORDS)
        record.parent.mkdir(parents=True, exist_ok=True)
        for path, names in ((left_out_list, left_out), (flipped_list, flipped)):
            path.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
        record.write_text(json.dumps({"folder": str(folder), "device": device}) + "\n", encoding="utf-8")
        return left_out_list, flipped_list

    def begin_record(self) -> None:
        """The run has begun and replaced the earlier one: from now on it is what can be resumed."""
        for name in _RECORDS:
            with suppress(OSError):  # it is there already, or the disk is gone, which the engine tells
                _coming(self.path / name).replace(self.path / name)

    def losses(self) -> list[tuple[int, float]]:
        """Step and loss of every row of metrics.csv that can be read."""
        try:
            with (self.path / METRICS).open(newline="", encoding="utf-8") as stream:
                return [(int(row["step"]), float(row["loss"])) for row in csv.DictReader(stream)]
        except (OSError, KeyError, TypeError, ValueError):
            return []

    def _record(self) -> Mapping[str, str]:
        try:
            found = json.loads((self.path / _RECORD).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def exists(path: Path) -> bool:
    """Whether something is there that can be reached: a folder without permission or a lost network drive is not."""
    try:
        path.stat()
    except (OSError, ValueError):
        return False
    return True


def proposed(folder: Path) -> Path:
    """Where the results of a folder of volumes go unless a person says otherwise: beside it, or in a drive on it."""
    if not folder.name:  # a whole drive has nothing beside it
        return folder / "volumes_pretrained"
    return folder.with_name(f"{folder.name}_pretrained")


def _coming(path: Path) -> Path:
    return path.with_name(f"next_{path.name}")


def _total(plan: Mapping[str, Any]) -> int:
    pretrain = plan["pretrain"]
    slices = (plan.get("fingerprint") or {}).get("slices") or 1
    return steps_in(pretrain["steps"], pretrain["epochs"], slices, pretrain["batch"])
