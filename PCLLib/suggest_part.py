"""The section "Annotate next" of PCLSegmentation's panel: ranked cases, each with the few slices to draw."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _

from pcl_core.volumes.axes import Axis
from PCLLib.case_book import CaseBook
from PCLLib.case_states import Case
from PCLLib.engine_run import EngineRun
from PCLLib.events import Failed, Progress
from PCLLib.results import progress_sentence
from PCLLib.segmentation_desk import Desk
from PCLLib.segmentation_inspection import SegmentationInspection
from PCLLib.slice_views import SliceViews
from PCLLib.suggestions import Suggestion, read_suggestions, write_drawn

SUGGEST = "suggest"
_FILE = "suggestions.json"


@dataclass(frozen=True)
class _Row:
    """What a row of the table leads to."""

    case: Case
    slice: int


class SuggestPart:
    """Binds the widgets of the section.

    Args:
        ui: the widgets by their names.
        desk: what is shown.
        inspection: the cases as the engine's inputs.
    """

    def __init__(self, ui: Any, desk: Desk, inspection: SegmentationInspection) -> None:
        self._ui, self._desk, self._inspection = ui, desk, inspection
        self.run = EngineRun(desk.session.jobs, SUGGEST)
        self._views = SliceViews()
        self._rows: list[_Row] = []
        self._problem = ""
        self._axis: Axis = self._views.axis
        self._anything_drawn = False
        self._found = False
        table = ui.suggestTable
        table.setColumnCount(1)
        table.horizontalHeader().setVisible(False)
        table.verticalHeader().setVisible(False)
        table.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.Stretch)
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        table.cellClicked.connect(lambda row, _column: self._jump(row))
        ui.suggestButton.clicked.connect(lambda *_arguments: self._ask_or_cancel())
        self.run.changed.connect(self.render)
        self.run.progressed.connect(self._show_progress)
        self.run.done.connect(self._show)
        self.run.failed.connect(self._failed)
        desk.session.changed.connect(self.render)
        self.render()

    def clear(self) -> None:
        """The scene is closed."""
        self._rows, self._problem, self._found = [], "", False
        self._ui.suggestTable.setRowCount(0)
        self.run.forget()
        self.render()

    # What a person does

    def _ask_or_cancel(self) -> None:
        if self.run.running:
            self.run.cancel()
        else:
            installer = self._desk.session.installer
            installer.ask(self._ask, lambda: None)

    def _ask(self) -> None:
        self._problem = ""
        self._ui.suggestLabel.setText(_("Starting ..."))
        self.run.start(self._words)

    def _words(self, folder: Path) -> list[object]:
        session = self._desk.session
        model = session.segmenting.model
        encoder, axis = self._inspection.encoder_beside(model), self._inspection.axis_of(model)
        self._axis = axis
        words: list[object] = ["suggest", *self._inspection.inputs(folder), *self._inspection.counting(axis)]
        words += ["--device", self._desk.device]
        words += ["--encoder", encoder] if encoder is not None else []
        words += ["--model", model.path] if model is not None else []
        book = CaseBook()  # slices are counted across the engine's axis, which may be another than the table's
        book.axis = axis
        book.set_rows(session.book.rows())
        annotated = [case for case in book.cases(self._desk.classes) if case.annotated]
        # How many slices a volume has that is not loaded, the table knows across the axis of its folder only.
        drawn = {self._inspection.name_for_engine(case): () if case.labels else case.counted for case in annotated}
        known = {name: slices for name, slices in drawn.items() if name is not None}
        self._anything_drawn = bool(known)
        return [*words, "--drawn", write_drawn(folder / "drawn.json", known), "--json", folder / _FILE]

    def _jump(self, row: int) -> None:
        if row >= len(self._rows):
            return
        wanted = self._rows[row]
        try:
            node = self._inspection.open_case(wanted.case)
        except RuntimeError:
            return  # the panel has said so
        self._views.jump(node, wanted.slice)

    # What comes of it

    def _show(self, folder: Path) -> None:
        found = [(one, self._inspection.case_of(one.path, one.part)) for one in read_suggestions(folder / _FILE)]
        there = [(one, case) for one, case in found if case is not None]
        self._found = True
        self._views.axis = self._axis
        self._rows = []
        texts: list[tuple[str, bool]] = []
        for rank, (one, case) in enumerate(there, 1):
            texts += self._texts(rank, one, case.name)
            self._rows += [_Row(case, one.slices[0]), _Row(case, one.slices[0]), *(_Row(case, number) for number in one.slices)]
        table = self._ui.suggestTable
        table.setRowCount(len(texts))
        for row, (text, title) in enumerate(texts):
            item = qt.QTableWidgetItem(text)
            item.setFlags(qt.Qt.ItemIsEnabled)
            item.setToolTip(_("Click to see it in the slice views."))
            font = item.font()
            font.setBold(title)
            item.setFont(font)
            table.setItem(row, 0, item)
        self.render()

    def _texts(self, rank: int, one: Suggestion, name: str) -> list[tuple[str, bool]]:
        """The rows of a case: the case with the reason, and its slices."""
        reason = one.reason(rank == 1 and not self._anything_drawn)
        slices = [
            _("      slice {n} of {m}, at {position:.2f}").format(
                n=number + 1, m=one.count, position=min(1.0, max(0.0, position))
            )
            for number, position in zip(one.slices, one.positions, strict=True)
        ]
        return [(f"{rank}. {name}", True), (reason, False), *((text, False) for text in slices)]

    def _failed(self, last: Failed) -> None:
        self._problem = f"{last.message} {last.hint}".strip()
        self.render()

    # What is shown

    def render(self) -> None:
        """Shows what can be done."""
        ui, running = self._ui, self.run.running
        reason = self._inspection.why_not()
        ui.suggestButton.setText(_("Cancel") if running else _("What to annotate next?"))
        ui.suggestButton.setEnabled(running or not reason)
        ui.suggestProgressBar.setVisible(running)
        ui.suggestTable.setVisible(bool(self._rows))
        if not running:
            ui.suggestProgressBar.setRange(0, 0)
            nothing = _("Every case has something drawn.") if self._found and not self._rows else ""
            hint = _("Click a row to see the slice; then press Annotate.") if self._rows else nothing
            ui.suggestLabel.setText(self._problem or hint or reason)
        ui.suggestLabel.setVisible(bool(ui.suggestLabel.text))

    def _show_progress(self, progress: Progress) -> None:
        self._ui.suggestProgressBar.setRange(0, max(1, progress.total))
        self._ui.suggestProgressBar.setValue(progress.done)
        self._ui.suggestLabel.setText(progress_sentence(progress))
        self._ui.suggestLabel.setVisible(True)
