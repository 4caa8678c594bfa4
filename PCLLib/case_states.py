"""How far a case is, in words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from slicer.i18n import tr as _

from PCLLib.scan_report import VolumeRow


class CaseState(Enum):
    """How far a case is."""

    NOT_ANNOTATED = "not annotated"
    PARTLY = "partly annotated"
    ANNOTATED = "annotated"
    PREDICTED = "predicted"
    REVIEWED = "reviewed"


@dataclass(frozen=True)
class Case:
    """One volume of the table.

    Attributes:
        key: of the row that it was loaded from, or the id of its volume node when it came from no chosen folder.
        name: shown to people.
        row: what is known of its file or DICOM series; None for a volume of the scene.
        loaded: whether its volume is in the scene.
        slices: how many it has.
        counted: slices from which is learned, from 0; empty without an annotation.
        predicted: whether a prediction is there that nobody has accepted.
        edited: whether somebody has changed that prediction.
        reviewed: whether a prediction was accepted.
        labels: a label file that belongs to its file and was not loaded yet.
        left_out: whether the node says that it is not to be learned from; of cases of folders the parameters say so.
        remark: what a person should know about it, on request.
        unlearned: names of what is drawn, when no class is called so and nothing else is drawn.
        kept: names of its segmentations that gave way to others, and are kept, hidden.
        note: what a person has to know about it, beside its state.
    """

    key: str
    name: str
    row: VolumeRow | None = None
    loaded: bool = True
    slices: int = 0
    counted: tuple[int, ...] = ()
    predicted: bool = False
    edited: bool = False
    reviewed: bool = False
    labels: Path | None = None
    left_out: bool = False
    remark: str = ""
    unlearned: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    note: str = ""

    @property
    def path(self) -> Path | None:
        """Of its file or DICOM folder; None for a volume of the scene."""
        return None if self.row is None else self.row.path

    @property
    def annotated(self) -> bool:
        """Whether something of it can be learned from."""
        return bool(self.counted)

    @property
    def state(self) -> CaseState:
        """How far it is. What a person drew says more than what was predicted."""
        if self.annotated:
            return CaseState.ANNOTATED if len(self.counted) == self.slices else CaseState.PARTLY
        if self.reviewed:
            return CaseState.REVIEWED
        return CaseState.PREDICTED if self.predicted else CaseState.NOT_ANNOTATED

    @property
    def to_be_segmented(self) -> bool:
        """Whether "Segment all" does it: nobody has annotated or reviewed it, nor changed a prediction of it."""
        open_ones = (CaseState.NOT_ANNOTATED, CaseState.PARTLY, CaseState.PREDICTED)
        return self.state in open_ones and not self.edited and not self.kept

    def notes(self) -> str:
        """What a person has to know beside the state; empty when that is nothing."""
        lines = [self.note]
        if self.unlearned and self.state is not CaseState.NOT_ANNOTATED:
            lines.append(self._no_class())
        if self.predicted and self.state is CaseState.REVIEWED:
            lines.append(_("A newer prediction is there, too, which nobody has accepted; Export writes the accepted one."))
        if self.predicted and self.state is CaseState.ANNOTATED:
            lines.append(_("A prediction is there, too, which nobody has accepted; Export does not write it."))
        if self.kept:
            lines.append(_('Kept, hidden: "{names}".').format(names=_('", "').join(self.kept)))
        return "\n".join(line for line in lines if line)

    def sentence(self) -> str:
        """The state in words."""
        texts = {
            CaseState.NOT_ANNOTATED: self._no_class() if self.unlearned else _("Not annotated"),
            CaseState.PARTLY: _("Partly annotated ({n} of {m} slices)").format(n=len(self.counted), m=self.slices),
            CaseState.ANNOTATED: _("Annotated"),
            CaseState.PREDICTED: _("Predicted, changed by hand") if self.edited else _("Predicted"),
            CaseState.REVIEWED: _("Reviewed"),
        }
        return texts[self.state]

    def _no_class(self) -> str:
        names = _('" or "').join(self.unlearned)
        return _('Drawn, but no class is called "{names}"').format(names=names)
