"""The section "Fine-tune" of the panel: what to begin with, how long, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PCLLib import words
from PCLLib.dice_table import DiceTable
from PCLLib.finetune_beginning import begin_problem
from PCLLib.segment_classes import SegmentClass, class_list
from PCLLib.segmentation_desk import Desk
from PCLLib.segmentation_parameters import BeginWith
from PCLLib.segmentation_states import Doing
from PCLLib.training_curves import TrainingCurves

# An estimate starts a process of some seconds; it waits until a person has stopped changing settings.
_PATIENCE_MS = 1500
# One that another click ended is begun again when nothing was clicked for so long.
_QUIET_MS = 10_000
# A proposal longer than this is cut to it: a person waits for it.
_LONGEST_S = 3600.0


class FinetunePart:
    """Binds the widgets of the section.

    Args:
        ui: the widgets by their names.
        desk: what is shown.
    """

    def __init__(self, ui: Any, desk: Desk) -> None:
        self.curves = TrainingCurves()
        self._ui, self._desk = ui, desk
        self._dice = DiceTable(ui.diceTable)
        self._asked: object = None
        self._layout: int | None = None
        self._pause = qt.QTimer()
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PATIENCE_MS)
        self._pause.timeout.connect(self._estimate)
        session = desk.session
        session.began.connect(self._begin)
        session.measured.connect(self._measured)
        session.classes_fixed.connect(self._keep_classes)
        session.states.changed.connect(self._give_layout_back)
        ui.finetuneButton.clicked.connect(lambda *_arguments: self._start())
        ui.curveButton.clicked.connect(lambda *_arguments: self.curves.show())
        ui.openButton.clicked.connect(lambda *_arguments: self._open())

    def stop(self) -> None:
        """The scene is closed."""
        self._pause.stop()
        self._asked = None
        self.curves.forget()

    def reconsider(self) -> None:
        """Cases or settings may have changed: estimates again when they matter for that."""
        settings, cases = self._desk.settings, self._desk.to_learn_from
        if settings is None or not cases or not self._desk.session.states.idle:
            return
        asked = (settings.begin, settings.encoder, settings.model, settings.device, cases[0].key)
        session = self._desk.session
        ended = not session.estimated and "estimate" not in session.jobs and not self._pause.active
        if asked != self._asked or ended:
            self._pause.setInterval(_PATIENCE_MS if asked != self._asked else _QUIET_MS)
            self._asked = asked
            self._pause.start()

    def _estimate(self) -> None:
        settings = self._desk.settings
        if settings is not None:
            self._desk.session.estimate(settings, self._desk.to_learn_from, self._desk.classes)

    # What is shown

    def render(self) -> None:
        """Shows settings, estimate and result."""
        ui, session, parameters = self._ui, self._desk.session, self._desk.parameters
        idle = session.states.idle
        for widget in (ui.beginComboBox, ui.encoderPathLineEdit, ui.outPathLineEdit, ui.minutesSpinBox, ui.deviceComboBox):
            widget.setEnabled(idle)
        for widget in (ui.leaveOneOutCheckBox, ui.compareCheckBox):
            widget.setEnabled(idle)
        begin = parameters.begin if parameters is not None else BeginWith.NOTHING
        for widget in (ui.encoderLabel, ui.encoderPathLineEdit, ui.compareCheckBox):
            widget.setVisible(begin is BeginWith.ENCODER)
        reason = self._why_not()
        ui.finetuneButton.setEnabled(idle and not reason)
        ui.finetuneButton.setToolTip(reason)
        ui.estimateLabel.setText(self._estimate_text(reason) if idle else "")
        ui.estimateLabel.setVisible(bool(ui.estimateLabel.text))
        ui.resultFrame.setVisible(idle and session.result is not None)
        self._dice.show(session.result)
        if session.result is not None:
            ui.resultLabel.setText(session.result.sentence())

    def _why_not(self) -> str:
        """Why nothing can be learned; empty when it can."""
        settings = self._desk.settings
        unlearned = [name for case in self._desk.cases for name in case.unlearned]
        if not self._desk.to_learn_from and unlearned:
            text = _(
                'What is drawn has a name that is no class: "{name}". See the buttons under Cases, or rename the segments.'
            )
            return text.format(name=unlearned[0])
        if settings is None or not self._desk.to_learn_from:
            return _("Annotate a case first, or set the check box of one.")
        if settings.begin == "encoder" and not self._parameter("encoder"):
            return _("Choose the encoder file, or begin with nothing.")
        if settings.begin == "model" and not self._parameter("model"):
            return _("There is no model yet to go on from.")
        if not self._parameter("out"):
            return _("Choose a folder for the models.")
        return begin_problem(settings)

    def _parameter(self, name: str) -> str:
        return str(getattr(self._desk.parameters, name, ""))

    def _estimate_text(self, reason: str) -> str:
        session, settings = self._desk.session, self._desk.settings
        if reason:
            return reason
        cases = len(self._desk.to_learn_from)
        lines = []
        if cases < 3 and settings is not None and not settings.leave_one_out:
            lines.append(_("With fewer than three cases none is held out, so no Dice is told."))
        if session.speed is not None and settings is not None:
            seconds = 60 * settings.minutes if settings.minutes else session.speed.total(settings, cases)
            on_gpu = not session.speed.device.startswith("cpu")
            where = session.speed.device if on_gpu else _("the processor")
            lines.append(_("About {time} on {where}.").format(time=words.duration(seconds), where=where))
            if not settings.minutes and seconds > _LONGEST_S:
                lines.append(_("Set the time to 60 min or less if that is too long; the model is then somewhat worse."))
        elif "estimate" in session.jobs:
            lines.append(_("The time is being estimated ..."))
        return " ".join(lines)

    # What happens

    def _start(self) -> None:
        self._desk.refresh.emit()  # what was drawn just now counts
        settings = self._desk.settings
        if settings is not None and not self._why_not():
            self._pause.stop()
            self._desk.session.start(settings, self._desk.to_learn_from, self._desk.classes)

    def _begin(self) -> None:
        self._layout = slicer.app.layoutManager().layout
        self.curves.begin(self._desk.classes)
        self.curves.show()

    def _give_layout_back(self, doing: Doing) -> None:
        """The training is over: its curves make room for what was there before."""
        layout, self._layout = self._layout, None if doing is Doing.IDLE else self._layout
        if doing is Doing.IDLE and layout is not None:
            slicer.app.layoutManager().setLayout(layout)

    def _keep_classes(self, classes: tuple[SegmentClass, ...]) -> None:
        if self._desk.parameters is not None:
            self._desk.parameters.classes = class_list(classes)

    def _measured(self, step: int, figures: Mapping[str, float]) -> None:
        self.curves.add(step, figures)

    def dice_sentence(self) -> str:
        """Dice of the held-out case as it is now, a class; empty before it was measured."""
        names = {f"dice_{entry.value}": entry.name for entry in self._desk.classes}
        parts = [f"{names[key]} {value:.2f}" for key, value in self.curves.dice.items() if key in names]
        if not parts or self._desk.session.doing is not Doing.TRAINING:
            return ""
        return _("Dice of the held-out case: {figures}").format(figures=", ".join(parts))

    def _open(self) -> None:
        result = self._desk.session.result
        if result is not None:
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(Path(result.model).parent)))
