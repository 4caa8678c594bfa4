"""What PCLPretrain's widgets show of the session and of the parameters."""

from __future__ import annotations

from typing import Any

import slicer
from slicer.i18n import tr as _

from PCLLib import scan_table
from PCLLib.events import Progress
from PCLLib.message_area import MessageArea
from PCLLib.parameters import PretrainParameters
from PCLLib.plan_form import PlanForm
from PCLLib.pretrain_session import PretrainSession
from PCLLib.results import progress_sentence
from PCLLib.scan_table import ScanTable
from PCLLib.states import State

NUMBERS = ("threshold", "resolution", "epochs", "batch")


class PretrainView:
    """Fills the widgets of PCLPretrain.ui; what a person does with them goes elsewhere.

    Args:
        ui: the widgets by their names.
        session: the work.

    Attributes:
        table: the volumes of the folder.
        form: the numbers of the plan, proposed or set by a person.
        parameters: of the scene; None while there is none.
    """

    def __init__(self, ui: Any, session: PretrainSession) -> None:
        self.ui = ui
        self.session = session
        self.table = ScanTable(ui.scanTable)
        self.form = PlanForm({name: getattr(ui, f"{name}SpinBox") for name in NUMBERS})
        self.parameters: PretrainParameters | None = None
        self._messages = MessageArea(
            ui.messageFrame, ui.messageLabel, ui.hintLabel, (ui.firstOfferButton, ui.secondOfferButton)
        )
        self._shown_state: State | None = None

    def render(self) -> None:
        """Shows the state of the session."""
        ui, session = self.ui, self.session
        view, parameters = session.states.view, self.parameters
        device = parameters.device.value if parameters is not None else "auto"
        ui.deviceLabel.setText(session.graphics.sentence(device))
        for widget in (ui.folderPathLineEdit, ui.outPathLineEdit, ui.scanTable, ui.advancedButton, ui.epochsSpinBox):
            widget.setEnabled(view.inputs)
        ui.scanButton.setEnabled(view.inputs and parameters is not None and bool(parameters.folder))
        self._messages.show(session.message)
        ui.estimateLabel.setText(self._estimate_text())
        ui.estimateLabel.setVisible(bool(ui.estimateLabel.text))
        self._render_buttons()
        for widget in (ui.progressBar, ui.progressLabel):
            widget.setVisible(view.progress)
        self._render_progress_start()
        ui.resultFrame.setVisible(view.result)
        if session.result is not None:
            ui.resultLabel.setText(session.result.sentence())
        there = hasattr(slicer.modules, "pclsegmentation")
        ui.useButton.setEnabled(there)
        ui.useButton.setToolTip("" if there else _("The module PCLSegmentation is not there."))
        self._render_summary()

    def _render_buttons(self) -> None:
        ui, session = self.ui, self.session
        view = session.states.view
        texts = {State.RUNNING: _("Cancel"), State.SCANNING: _("Cancel"), State.CANCELLING: _("Cancelling ...")}
        ui.startButton.setText(texts.get(session.state, _("Start pretraining")))
        reason = self.why_not()
        ui.startButton.setEnabled(view.cancel or (view.start and not reason))
        ui.startButton.setToolTip(reason if view.inputs else "")
        ui.resumeButton.setVisible(session.can_resume)

    def why_not(self) -> str:
        """Why nothing can be started; empty when it can."""
        report, parameters = self.session.report, self.parameters
        if report is None or parameters is None:
            return _("Choose a folder of volumes first.")
        if not report.kept(parameters.leftOut):
            return _("No volume is left to learn from.")
        if not parameters.out:
            return _("Choose an output folder first.")
        return ""

    def _estimate_text(self) -> str:
        session = self.session
        if not session.states.idle or session.report is None or not session.report.volumes:
            return ""
        if session.estimating.running:
            return _("Time and memory are being estimated ...")
        estimate = session.estimating.estimate
        return estimate.sentence() if estimate and session.state is not State.DONE else ""

    def _render_progress_start(self) -> None:
        """Before the first report nobody knows how far it is: the bar only moves."""
        ui, state = self.ui, self.session.state
        texts = {
            State.SCANNING: _("Looking at the folder ..."),
            State.RUNNING: _("Starting ..."),
            State.CANCELLING: _("The step that runs is finished and kept ..."),
            State.INSTALLING: _("Packages are being installed ..."),
        }
        if state in texts and state is not self._shown_state:
            ui.progressBar.setRange(0, 0)
            ui.progressLabel.setText(texts[state])
        self._shown_state = state

    def _render_summary(self) -> None:
        report, parameters = self.session.report, self.parameters
        left_out = parameters.leftOut if parameters is not None else []
        self.table.mark(left_out, parameters.flipped if parameters is not None else [])
        self.ui.tableLabel.setText(scan_table.summary(report, left_out) if report else "")

    def show_report(self) -> None:
        """Shows the volumes of the folder."""
        parameters = self.parameters
        self.table.show(self.session.report, parameters.leftOut if parameters is not None else [])

    def show_numbers(self) -> None:
        """Shows the numbers of the plan."""
        parameters = self.parameters
        if parameters is not None:
            self.form.show(self.session.estimating.proposal, {name: getattr(parameters, name) for name in NUMBERS})

    def show_progress(self, progress: Progress) -> None:
        """Shows how far the work is."""
        if self.session.state is State.CANCELLING:
            return
        self.ui.progressBar.setRange(0, max(1, progress.total))
        self.ui.progressBar.setValue(progress.done)
        self.ui.progressLabel.setText(progress_sentence(progress))
