"""The inspector's page of outliers: a row each, with a picture, the reason, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
from slicer.i18n import tr as _

from PCLLib import inspector_texts as texts
from PCLLib.inspected import Inspected
from PCLLib.inspector import Inspector
from PCLLib.pixmaps import pixmap_of
from PCLLib.position_report import Outlier, PlacedVolume
from PCLLib.signals import Signal
from PCLLib.thumbnails import Frame

_ICON = 84


class OutlierPage:
    """Binds the widgets of the page.

    Signals:
        wanted: a volume that is to be opened, and the number of its slice.

    Args:
        ui: the widgets by their names.
        inspector: what is shown.
        inspected: the module's volumes; it says whether they can be left out and flipped.
    """

    def __init__(self, ui: Any, inspector: Inspector, inspected: Inspected) -> None:
        self.wanted = Signal[[PlacedVolume, int]]()
        self._ui, self._inspector, self._inspected = ui, inspector, inspected
        self._buttons: list[tuple[Any, Callable[[], bool], str, str]] = []
        table = ui.outlierTable
        table.setColumnCount(2)
        table.horizontalHeader().setVisible(False)
        table.verticalHeader().setVisible(False)
        table.horizontalHeader().setSectionResizeMode(0, qt.QHeaderView.Stretch)
        table.horizontalHeader().setSectionResizeMode(1, qt.QHeaderView.ResizeToContents)
        table.verticalHeader().setSectionResizeMode(qt.QHeaderView.ResizeToContents)
        table.setIconSize(qt.QSize(_ICON, _ICON))

    def renew(self) -> None:
        """There is another report, or none."""
        ui, inspector = self._ui, self._inspector
        found = inspector.report.outliers if inspector.report is not None else ()
        self._buttons = []
        ui.outlierTable.setRowCount(0)
        ui.outlierTable.setRowCount(len(found))
        for row, (volume, one) in enumerate(found):
            self._show_row(row, volume, one)
        ui.outlierTable.setVisible(bool(found))
        ui.outlierLabel.setText(texts.outliers(len(found), len(inspector.volumes)))
        number = ui.inspectorTabs.indexOf(ui.outlierPage)
        ui.inspectorTabs.setTabText(number, _("Outliers ({n})").format(n=len(found)))
        self.show()

    def show(self) -> None:
        """Shows what was decided about each."""
        for button, decided, do, undo in self._buttons:
            button.setText(undo if decided() else do)

    def _show_row(self, row: int, volume: PlacedVolume, one: Outlier) -> None:
        table, pictures = self._ui.outlierTable, self._inspector.pictures
        assert pictures is not None
        item = qt.QTableWidgetItem(texts.outlier(self._inspected.name_of(volume), one))
        item.setIcon(qt.QIcon(pixmap_of(pictures.mosaic([volume.first_row + one.slice], [Frame.PLAIN]))))
        place = _("Slice {n} of {m}.").format(n=one.slice + 1, m=volume.count)
        item.setToolTip(f"{volume.path}\n{place} {one.reason}")
        item.setFlags(qt.Qt.ItemIsEnabled)
        table.setItem(row, 0, item)
        table.setCellWidget(row, 1, self._actions(volume, one))

    def _actions(self, volume: PlacedVolume, one: Outlier) -> Any:
        """The buttons of a row."""
        inspector, inspected = self._inspector, self._inspected
        column = qt.QWidget()
        layout = qt.QVBoxLayout(column)
        layout.setContentsMargins(4, 4, 4, 4)
        if inspected.decides:
            out = self._switch(
                lambda: volume.id in inspector.left_out,
                _("Leave out"),
                _("Take back"),
                lambda on: inspected.leave_out(volume, on),
            )
            out.setToolTip(_("Do not learn from this volume."))
            layout.addWidget(out)
        if inspected.decides and one.kind == "flipped":
            flip = self._switch(
                lambda: volume.id in inspector.flipped, _("Flip"), _("Flip back"), lambda on: inspected.flip(volume, on)
            )
            flip.setToolTip(_("Count the positions of its slices from the other end. The file stays as it is."))
            layout.addWidget(flip)
        show = qt.QPushButton(_("Show"))
        show.setObjectName(f"show {volume.id}")
        show.setToolTip(_("Show this slice in the slice views."))
        show.clicked.connect(lambda *_arguments: self.wanted.emit(volume, one.slice))
        layout.addWidget(show)
        layout.addStretch(1)
        return column

    def _switch(self, decided: Callable[[], bool], do: str, undo: str, act: Callable[[bool], None]) -> Any:
        """A button that does something, or takes it back."""
        button = qt.QPushButton(do)
        button.clicked.connect(lambda *_arguments: act(not decided()))
        self._buttons.append((button, decided, do, undo))
        return button
