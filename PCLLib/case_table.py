"""The cases as a table: a row a case, with a check box for those that can be learned from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import qt
from slicer.i18n import tr as _

from PCLLib import words
from PCLLib.case_states import Case, CaseState
from PCLLib.signals import Signal

_COLORS = {
    CaseState.NOT_ANNOTATED: "#6a6a6a",
    CaseState.PARTLY: "#8a5a00",
    CaseState.ANNOTATED: "#00695c",
    CaseState.PREDICTED: "#1a4f9c",
    CaseState.REVIEWED: "#4a2f8a",
}


class CaseTable:
    """Fills a QTableWidget.

    Signals:
        left_out_changed: a case whose check box was clicked, and whether it is not learned from any more.
        chosen: the case of the row that was clicked, or None.
        wanted: a case that was double-clicked.
    """

    def __init__(self, table: Any) -> None:
        self.left_out_changed = Signal[[Case, bool]]()
        self.chosen = Signal[[Case | None]]()
        self.wanted = Signal[[Case]]()
        self._table = table
        self._cases: tuple[Case, ...] = ()
        self._filling = False
        table.setColumnCount(2)
        table.setHorizontalHeaderLabels([_("Case"), _("State")])
        header = table.horizontalHeader()
        header.setSectionResizeMode(0, qt.QHeaderView.Stretch)
        header.setSectionResizeMode(1, qt.QHeaderView.Stretch)
        table.verticalHeader().setVisible(False)
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        table.itemChanged.connect(self._changed)
        table.itemSelectionChanged.connect(self._selected)
        table.cellDoubleClicked.connect(self._double_clicked)

    def show(self, cases: Sequence[Case], left_out: Collection[str]) -> None:
        """Shows the cases; the chosen one stays chosen."""
        before = self.current
        self._filling = True
        self._cases = tuple(cases)
        self._table.setRowCount(len(cases))
        for number, case in enumerate(cases):
            self._show_case(number, case, case.key not in left_out)
        keys = [case.key for case in cases]
        self._table.clearSelection()
        if before is not None and before.key in keys:
            self._table.selectRow(keys.index(before.key))
        self._filling = False
        self.chosen.emit(self.current)

    @property
    def current(self) -> Case | None:
        """The chosen case; None when there is none."""
        rows = {item.row() for item in self._table.selectedItems()}
        row = min(rows) if rows else -1
        return self._cases[row] if 0 <= row < len(self._cases) else None

    def choose(self, key: str) -> None:
        """Chooses a case."""
        for number, case in enumerate(self._cases):
            if case.key == key:
                self._table.selectRow(number)

    def _show_case(self, number: int, case: Case, used: bool) -> None:
        slices = words.counted(case.slices, _("{n} slice"), _("{n} slices"))
        tip = "\n".join(part for part in (case.name, slices, str(case.path or ""), case.notes(), case.remark) if part)
        name = self._cell(number, 0, case.name, tip)
        flags = qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable
        if case.annotated:
            name.setFlags(flags | qt.Qt.ItemIsUserCheckable)
            name.setCheckState(qt.Qt.Checked if used else qt.Qt.Unchecked)
        else:
            name.setFlags(flags)
        state = self._cell(number, 1, "\n".join(part for part in (case.sentence(), case.notes()) if part), tip)
        state.setFlags(flags)
        state.setForeground(qt.QBrush(qt.QColor(_COLORS[case.state])))

    def _cell(self, row: int, column: int, text: str, tip: str) -> Any:
        cell = qt.QTableWidgetItem(text)
        cell.setToolTip(tip)
        self._table.setItem(row, column, cell)
        return cell

    def _changed(self, item: Any) -> None:
        if not self._filling and item.column() == 0 and self._cases[item.row()].annotated:
            self.left_out_changed.emit(self._cases[item.row()], item.checkState() != qt.Qt.Checked)

    def _selected(self) -> None:
        if not self._filling:
            self.chosen.emit(self.current)

    def _double_clicked(self, row: int, _column: int) -> None:
        if row < len(self._cases):
            self.wanted.emit(self._cases[row])


def summary(cases: Sequence[Case], left_out: Collection[str]) -> str:
    """How many cases there are, and from how many will be learned."""
    if not cases:
        return _("Open volumes in Slicer, or add a folder of volumes.")
    used = [case for case in cases if case.annotated and case.key not in left_out]
    all_cases = words.counted(len(cases), _("{n} case"), _("{n} cases"))
    slices = words.counted(sum(len(case.counted) for case in used), _("{n} slice"), _("{n} slices"))
    return _("{all}; {used} with {slices} to learn from.").format(all=all_cases, used=len(used), slices=slices)
