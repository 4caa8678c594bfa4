"""Dice as a table, a row a case and class; each says how the case was judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import qt
from slicer.i18n import tr as _

from PCLLib.finetune_result import FinetuneResult


class DiceTable:
    """Fills a QTableWidget. Cases and classes go down, so that any number of them fits a narrow panel."""

    def __init__(self, table: Any) -> None:
        self._table = table
        table.verticalHeader().setVisible(False)
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)

    def show(self, result: FinetuneResult | None) -> None:
        """Shows the rows of a result; the table is hidden when there is none."""
        rows = _rows(result) if result is not None else []
        self._table.setVisible(bool(rows))
        if result is None or not rows:
            return
        titles = [_("Case"), _("Class"), _("Dice"), *([_("No encoder")] if result.compared else [])]
        self._table.setColumnCount(len(titles))
        self._table.setHorizontalHeaderLabels(titles)
        header = self._table.horizontalHeader()
        header.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        for column in (0, 1):
            header.setSectionResizeMode(column, qt.QHeaderView.Stretch)
        self._table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            for column, text in enumerate(row[: len(titles)]):
                cell = qt.QTableWidgetItem(text)
                cell.setFlags(qt.Qt.ItemIsEnabled)
                cell.setToolTip(text)
                self._table.setItem(number, column, cell)


def _rows(result: FinetuneResult) -> list[tuple[str, str, str, str]]:
    rows = []
    for row in result.rows:
        case = _("{case}, {judged}").format(case=row.case, judged=row.judged.label())
        without = row.without or {}
        for name in dict.fromkeys([*row.dice, *without]):
            rows.append((case, name, _figure(row.dice, name), _figure(without, name)))
    return rows


def _figure(dice: Mapping[str, float], name: str) -> str:
    return f"{dice[name]:.2f}" if name in dice else _("none")
