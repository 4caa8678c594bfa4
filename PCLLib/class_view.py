"""The classes of a result: which are shown, and how much there is of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import qt
from slicer.i18n import tr as _

from PCLLib import overlay
from PCLLib.segment_nodes import segments_of


class ClassView:
    """Fills a QTableWidget with the segments of a segmentation node; check boxes show and hide them."""

    def __init__(self, table: Any) -> None:
        self._table = table
        self._node: Any = None
        self._filling = False
        table.setColumnCount(2)
        table.setHorizontalHeaderLabels([_("Class"), _("Volume")])
        header = table.horizontalHeader()
        header.setSectionResizeMode(0, qt.QHeaderView.Stretch)
        header.setSectionResizeMode(1, qt.QHeaderView.ResizeToContents)
        table.verticalHeader().setVisible(False)
        table.itemChanged.connect(self._changed)

    def show(self, node: Any, millilitres: Mapping[str, float]) -> None:
        """Shows the segments of a node; None empties the table."""
        self._filling = True
        self._node = node
        segments = segments_of(node) if node is not None else ()
        self._table.setRowCount(len(segments))
        for row, segment in enumerate(segments):
            name = qt.QTableWidgetItem(segment.name)
            name.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsUserCheckable)
            name.setCheckState(qt.Qt.Checked if overlay.is_visible(node, segment.id) else qt.Qt.Unchecked)
            name.setToolTip(_("Clear the check box to hide this class."))
            red, green, blue = (round(255 * part) for part in segment.color)
            name.setIcon(_square(qt.QColor(red, green, blue)))
            self._table.setItem(row, 0, name)
            amount = millilitres.get(segment.name)
            text = "" if amount is None else _("{amount} ml").format(amount=f"{amount:.2f}" if amount < 10 else f"{amount:.1f}")
            volume = qt.QTableWidgetItem(text)
            volume.setFlags(qt.Qt.ItemIsEnabled)
            self._table.setItem(row, 1, volume)
        self._filling = False

    def _changed(self, item: Any) -> None:
        if self._filling or self._node is None or item.column() != 0:
            return
        segment = segments_of(self._node)[item.row()]
        overlay.set_visible(self._node, segment.id, item.checkState() == qt.Qt.Checked)


def _square(color: Any) -> Any:
    picture = qt.QPixmap(12, 12)
    picture.fill(color)
    return qt.QIcon(picture)
