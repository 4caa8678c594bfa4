"""The engine's JSON lines as typed events. The fields are the contract of ``pcl_core.events``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PCLLib.panel_words import panel_words


@dataclass(frozen=True)
class Started:
    """The command begins.

    Attributes:
        command: its name.
        version: of the engine.
        device: where it computes, in words.
        process: number of the engine's process; 0 when it does not say so.
    """

    command: str
    version: str
    device: str
    process: int = 0


@dataclass(frozen=True)
class Planned:
    """What was decided from the data, as ``pcl_core.plan.Plan`` writes itself."""

    plan: Mapping[str, Any]


@dataclass(frozen=True)
class Progress:
    """``done`` of ``total`` units of ``stage`` are finished; ``eta_s`` seconds are left, None when nobody knows."""

    stage: str
    done: int
    total: int
    eta_s: float | None


@dataclass(frozen=True)
class Measured:
    """Figures of the training after ``step`` steps, by name."""

    step: int
    epoch: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class Warned:
    """Something that a person should know and that did not stop the work."""

    message: str
    path: Path | None


@dataclass(frozen=True)
class Written:
    """A file was written."""

    kind: str
    path: Path


@dataclass(frozen=True)
class Done:
    """The command ended well."""

    summary: Mapping[str, Any]


@dataclass(frozen=True)
class Cancelled:
    """The command was cancelled; what is in ``kept`` can be resumed."""

    kept: Path | None


@dataclass(frozen=True)
class Failed:
    """The command failed.

    Attributes:
        kind: ``input``, ``memory`` or ``failure``.
        message: what was wrong.
        hint: what to do about it.
        smaller: after want of memory, the options to give instead; empty when there is nothing smaller.
    """

    kind: str
    message: str
    hint: str
    smaller: Mapping[str, float] = field(default_factory=dict)


Event = Started | Planned | Progress | Measured | Warned | Written | Done | Cancelled | Failed
Last = Done | Cancelled | Failed


def parse(line: str) -> Event | None:
    """The event of a line; None for a line that is none, or one of a kind that this version does not know."""
    try:
        data = json.loads(line)
        return _MAKERS[data["event"]](data)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _path(value: str | None) -> Path | None:
    return None if value is None else Path(value)


def _figures(data: Mapping[str, Any]) -> dict[str, float]:
    known = {"event", "time", "step", "epoch"}
    return {name: float(value) for name, value in data.items() if name not in known and value is not None}


_MAKERS: dict[str, Callable[[Mapping[str, Any]], Event]] = {
    "started": lambda data: Started(data["command"], data["version"], data["device"], int(data.get("process", 0))),
    "plan": lambda data: Planned(data["plan"]),
    "progress": lambda data: Progress(data["stage"], data["done"], data["total"], data.get("eta_s")),
    "metric": lambda data: Measured(data["step"], data["epoch"], _figures(data)),
    "warning": lambda data: Warned(panel_words(data["message"]), _path(data.get("path"))),
    "artifact": lambda data: Written(data["kind"], Path(data["path"])),
    "done": lambda data: Done(data["summary"]),
    "cancelled": lambda data: Cancelled(_path(data.get("kept"))),
    "error": lambda data: Failed(
        data["kind"], panel_words(data["message"]), panel_words(data["hint"]), data.get("smaller") or {}
    ),
}
