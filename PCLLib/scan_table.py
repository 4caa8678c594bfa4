"""The report of a folder as a table: a row a volume, with a check box to leave it out; bad files with the reason."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import qt
from slicer.i18n import tr as _

from PCLLib import words
from PCLLib.scan_report import BadFile, ScanReport, VolumeRow
from PCLLib.signals import Signal

_BAD = "#b00020"
_DOUBTFUL = "#8a5a00"


class ScanTable:
    """Fills a QTableWidget.

    Signals:
        left_out_changed: the ids of the volumes that are left out.
        wanted: a volume that was double-clicked.
    """

    def __init__(self, table: Any) -> None:
        self.left_out_changed = Signal[[list[str]]]()
        self.wanted = Signal[[VolumeRow]]()
        self._table = table
        self._rows: tuple[VolumeRow, ...] = ()
        self._filling = False
        table.setColumnCount(3)
        table.setHorizontalHeaderLabels([_("Volume"), _("Slices"), _("Remarks")])
        header = table.horizontalHeader()
        header.setSectionResizeMode(0, qt.QHeaderView.Stretch)
        header.setSectionResizeMode(1, qt.QHeaderView.ResizeToContents)
        header.setSectionResizeMode(2, qt.QHeaderView.Stretch)
        table.verticalHeader().setVisible(False)
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        table.itemChanged.connect(self._changed)
        table.cellDoubleClicked.connect(self._double_clicked)

    def show(self, report: ScanReport | None, left_out: Collection[str]) -> None:
        """Shows a report; None empties the table."""
        self._filling = True
        self._rows = report.volumes if report else ()
        bad = report.bad if report else ()
        self._table.setRowCount(len(self._rows) + len(bad))
        for number, row in enumerate(self._rows):
            self._show_volume(number, row, row.id not in left_out)
        for number, file in enumerate(bad, len(self._rows)):
            self._show_bad(number, file)
        self._filling = False

    def mark(self, left_out: Collection[str], flipped: Collection[str]) -> None:
        """Shows which volumes are left out, and which are flipped."""
        self._filling = True
        for number, row in enumerate(self._rows):
            name, remark = self._table.item(number, 0), self._table.item(number, 2)
            name.setCheckState(qt.Qt.Unchecked if row.id in left_out else qt.Qt.Checked)
            said = [*([_("Flipped.")] if row.id in flipped else []), *row.warnings]
            remark.setText(" ".join(said) or _("Good"))
        self._filling = False

    def _show_volume(self, number: int, row: VolumeRow, used: bool) -> None:
        size = " × ".join(map(str, row.size))
        spacing = " × ".join(f"{value:.3g}" for value in row.spacing)
        facts = _("{size} voxels of {spacing} mm; {plane} slices\n{path}").format(
            size=size, spacing=spacing, plane=row.plane, path=row.path
        )
        name = self._cell(number, 0, row.id, f"{row.id}\n{facts}")
        name.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable | qt.Qt.ItemIsUserCheckable)
        name.setCheckState(qt.Qt.Checked if used else qt.Qt.Unchecked)
        self._cell(number, 1, str(row.slices), facts)
        remark = self._cell(number, 2, " ".join(row.warnings) or _("Good"), " ".join(row.warnings) or facts)
        if row.warnings:
            remark.setForeground(qt.QBrush(qt.QColor(_DOUBTFUL)))

    def _show_bad(self, number: int, file: BadFile) -> None:
        reason = _("Cannot be used: {reason}").format(reason=file.reason)
        for column, text in enumerate((file.path.name, "", reason)):
            cell = self._cell(number, column, text, f"{file.path}\n{reason}")
            cell.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable)
            cell.setForeground(qt.QBrush(qt.QColor(_BAD)))

    def _cell(self, row: int, column: int, text: str, tip: str) -> Any:
        cell = qt.QTableWidgetItem(text)
        cell.setToolTip(tip)
        self._table.setItem(row, column, cell)
        return cell

    def _changed(self, _item: object) -> None:
        if self._filling:
            return
        kept = [self._table.item(number, 0).checkState() == qt.Qt.Checked for number in range(len(self._rows))]
        self.left_out_changed.emit([row.id for row, keep in zip(self._rows, kept, strict=True) if not keep])

    def _double_clicked(self, row: int, _column: int) -> None:
        if row < len(self._rows):
            self.wanted.emit(self._rows[row])


def summary(report: ScanReport, left_out: Collection[str]) -> str:
    """How many volumes and slices will be learned from, and how many files cannot be used."""
    if not report.volumes:
        return words.counted(len(report.bad), _("One file, which cannot be used."), _("{n} files, none of which can be used."))
    kept = report.kept(left_out)
    text = _("{used} of {all} volumes, {slices} slices.").format(
        used=len(kept), all=len(report.volumes), slices=sum(row.slices for row in kept)
    )
    if report.bad:
        text += " " + _("{count} cannot be used.").format(count=len(report.bad))
    return " ".join([text, *report.warnings])
