"""What a fine-tuning ended with: the model, and Dice a case and a class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from PCLLib import words


class Judged(Enum):
    """How a case was judged that the network had not learned from."""

    HELD_OUT = "held out"
    LEFT_OUT = "left out in turn"

    def label(self) -> str:
        """For people."""
        return {Judged.HELD_OUT: _("held out"), Judged.LEFT_OUT: _("left out in turn")}[self]


@dataclass(frozen=True)
class CaseDice:
    """Dice of one case.

    Attributes:
        case: its name.
        judged: how.
        dice: by the name of the class; a class that is neither there nor found has none.
        without: the same without the encoder; None when that was not asked for.
    """

    case: str
    judged: Judged
    dice: Mapping[str, float]
    without: Mapping[str, float] | None = None


@dataclass(frozen=True)
class FinetuneResult:
    """The end of a fine-tuning.

    Attributes:
        model: the weight file.
        trained_on: names of the cases.
        rows: Dice a case.
        steps: of the training.
        seconds: that all of it took.
        compared: whether the same was done without the encoder.
        wanted_comparison: whether that was asked for.
        left_out: names of the cases that the engine could not learn from, with its reasons.
        known_before: names of the cases that the model gone on from had learned from: no Dice is told of them.
    """

    model: Path
    trained_on: tuple[str, ...]
    rows: tuple[CaseDice, ...]
    steps: int
    seconds: float
    compared: bool = False
    wanted_comparison: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)
    known_before: tuple[str, ...] = ()

    @classmethod
    def from_summaries(
        cls,
        summary: Mapping[str, Any],
        other: Mapping[str, Any] | None,
        names: Mapping[str, str],
        seconds: float,
        wanted_comparison: bool = False,
        warnings: Mapping[str, str] | None = None,
    ) -> FinetuneResult:
        """Reads the summaries of ``done`` events: of the fine-tuning, and of the one without the encoder.

        Args:
            summary: of the fine-tuning.
            other: of the one without the encoder.
            names: what people call a case, by the engine's name of it.
            seconds: that all of it took.
            wanted_comparison: whether the other one was asked for.
            warnings: of the engine, by its name of the case.
        """
        rows = []
        for key, judged in (("leave_one_out", Judged.LEFT_OUT), ("held_out", Judged.HELD_OUT)):
            without = _dice(other.get(key, {})) if other is not None else {}
            for case, dice in _dice(summary.get(key, {})).items():
                rows.append(CaseDice(names.get(case, case), judged, dice, without.get(case)))
        used = {*summary["trained_on"], *summary.get("held_out", {})}
        return cls(
            model=Path(summary["model"]),
            trained_on=tuple(names.get(case, case) for case in summary["trained_on"]),
            rows=tuple(rows),
            steps=summary["steps"],
            seconds=seconds,
            compared=other is not None,
            wanted_comparison=wanted_comparison,
            left_out={name: (warnings or {}).get(case, "") for case, name in names.items() if case not in used},
            known_before=tuple(names.get(case, case) for case in summary.get("learned_before", ())),
        )

    def sentence(self) -> str:
        """For the panel."""
        learned = words.counted(len(self.trained_on), _("{n} case"), _("{n} cases"))
        text = _("The model has learned from {cases}: {steps} steps in {time}.").format(
            cases=learned, steps=self.steps, time=words.duration(self.seconds)
        )
        if self.wanted_comparison and not self.compared:
            text += " " + _("The comparison without the encoder did not come to its end; the log says why.")
        if self.known_before:
            text += " " + _("No Dice is told of {names}: the model that was gone on from had learned from them.").format(
                names=words.listed(self.known_before)
            )
        elif not self.rows:
            text += " " + _(
                "No case was held out, so there is no Dice: annotate cases of three patients at least, or tick "
                '"Leave each case out in turn".'
            )
        return text


def _dice(figures: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    return {
        case: {name: one["dice"] for name, one in classes.items() if one["dice"] is not None}
        for case, classes in figures.items()
    }
