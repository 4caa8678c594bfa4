"""The numbers of the plan as spin boxes: filled in with the proposals, whose reasons are their tooltips."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from slicer.i18n import tr as _

from PCLLib.proposal import Proposal
from PCLLib.signals import Signal

_TOLERANCE = 5e-4


class PlanForm:
    """Shows what is proposed or set, and tells what a person sets. 0 follows the proposal.

    Signals:
        set_by_person: name and value; 0 when the proposal is followed again.
    """

    def __init__(self, boxes: Mapping[str, Any]) -> None:
        self.set_by_person = Signal[[str, float]]()
        self._boxes = boxes
        self._proposal: Proposal | None = None
        self._filling = False
        for name, box in boxes.items():
            box.valueChanged.connect(self._teller(name))
        self._explain({})

    def show(self, proposal: Proposal | None, values: Mapping[str, float]) -> None:
        """Shows the set values, and the proposed ones where nothing is set."""
        self._filling = True
        self._proposal = proposal
        for name, box in self._boxes.items():
            value = values[name]
            proposed = getattr(proposal, name) if proposal else 0
            box.setValue(value or proposed)
            font = box.font
            font.setBold(bool(value))
            box.setFont(font)
        self._explain(values)
        self._filling = False

    def _explain(self, values: Mapping[str, float]) -> None:
        for name, box in self._boxes.items():
            lines = [_MEANINGS[name]()]
            if self._proposal is not None:
                reason = self._proposal.reasons.get(name, "")
                proposed = _("Proposed: {value:g}.").format(value=getattr(self._proposal, name))
                lines.append(f"{proposed} {reason}".strip())
            if values.get(name):
                lines.append(_("Set by you; 0 takes the proposal again."))
            box.setToolTip("\n".join(lines))

    def _teller(self, name: str) -> Callable[[float], None]:
        def tell(value: float) -> None:
            if self._filling:
                return
            proposed = getattr(self._proposal, name) if self._proposal else 0
            follows = abs(value - proposed) < _TOLERANCE
            self.set_by_person.emit(name, 0 if follows else value)

        return tell


_MEANINGS: dict[str, Callable[[], str]] = {
    "threshold": lambda: _("Slices whose relative positions differ by less are taken to show the same anatomy."),
    "resolution": lambda: _("Side of a pixel of the slices that are learned from; larger is faster and coarser."),
    "epochs": lambda: _("How often every slice is seen. More takes longer and learns more."),
    "batch": lambda: _("Slices that are learned from at a time. Smaller takes less memory."),
}
