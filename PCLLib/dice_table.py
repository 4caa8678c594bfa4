"""Dice a case and a class as a table; each row says how the case was judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import qt
from slicer.i18n import tr as _

from PCLLib.finetune_result import FinetuneResult


class DiceTable:
    """Fills a QTableWidget."""

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
        classes = list(dict.fromkeys(name for row in result.rows for name in (*row.dice, *(row.without or {}))))
        self._table.setColumnCount(1 + len(classes))
        self._table.setHorizontalHeaderLabels([_("Dice"), *classes])
        header = self._table.horizontalHeader()
        header.setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        header.setSectionResizeMode(0, qt.QHeaderView.Stretch)
        self._table.setRowCount(len(rows))
        for number, (name, dice) in enumerate(rows):
            for column, text in enumerate([name, *(_figure(dice, one) for one in classes)]):
                cell = qt.QTableWidgetItem(text)
                cell.setFlags(qt.Qt.ItemIsEnabled)
                cell.setToolTip(text)
                self._table.setItem(number, column, cell)


def _rows(result: FinetuneResult) -> list[tuple[str, Mapping[str, float]]]:
    rows: list[tuple[str, Mapping[str, float]]] = []
    for row in result.rows:
        name = _("{case}, {judged}").format(case=row.case, judged=row.judged.label())
        rows.append((name, row.dice))
        if row.without is not None:
            rows.append((_("{name}, without the encoder").format(name=name), row.without))
    return rows


def _figure(dice: Mapping[str, float], name: str) -> str:
    return f"{dice[name]:.2f}" if name in dice else _("none")
