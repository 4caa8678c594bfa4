"""Which cases to annotate next, as the engine's ``suggest --json`` writes them, and what is drawn already."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _


@dataclass(frozen=True)
class Suggestion:
    """A case to annotate.

    Attributes:
        id: the engine's name of it.
        path: its file among the engine's inputs.
        slices: numbers of its slices, from 0.
        count: how many it has, as the engine counts them.
        positions: of them in the common frame.
        distance: from what is drawn; 1 is the usual distance of two slices.
        uncertainty: of the model, 0 to 1; 0 without one.
        part: which of the volumes of its file it is, from 0; None when it is the only one.
    """

    id: str
    path: Path
    slices: tuple[int, ...]
    count: int
    positions: tuple[float, ...]
    distance: float
    uncertainty: float
    part: int | None = None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Suggestion:
        """Reads one entry of ``suggestions``."""
        return cls(
            data["id"],
            Path(data["path"]),
            tuple(data["slices"]),
            data["count"],
            tuple(data["positions"]),
            data["distance"],
            data["uncertainty"],
            data["part"],
        )

    def reason(self, first_of_all: bool) -> str:
        """Why it is worth annotating.

        Args:
            first_of_all: whether nothing is drawn yet and it is the first of the list.
        """
        if first_of_all:
            text = _("Nothing is drawn yet: this case is the most usual one, and says the most about the others.")
        else:
            text = _(
                "Unlike what is drawn, and the cases above: {distance:.1f} times the usual distance of two slices."
            ).format(distance=self.distance)
        if self.uncertainty:
            text += " " + _("The model's uncertainty is {percent} %.").format(percent=round(100 * self.uncertainty))
        return text


def read_suggestions(path: Path) -> tuple[Suggestion, ...]:
    """Reads the file that ``suggest --json`` wrote, the most useful case first."""
    data = json.loads(path.read_text(encoding="utf-8"))
    return tuple(Suggestion.from_json(row) for row in data["suggestions"])


def write_drawn(path: Path, drawn: Mapping[str, Sequence[int]]) -> Path:
    """Writes the slices that are drawn, by file, as ``suggest --drawn`` takes them; none means all. Raises OSError."""
    listed = {name: list(slices) for name, slices in drawn.items()}
    path.write_text(json.dumps(listed), encoding="utf-8")
    return path
