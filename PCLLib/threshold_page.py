"""The inspector's page of the threshold: similarity by position, and where the threshold should lie."""

from __future__ import annotations

from typing import Any

from slicer.i18n import tr as _

from PCLLib import inspector_texts as texts
from PCLLib.heat_map import draw_bar, draw_heat_map, limits, side_of
from PCLLib.inspected import Inspected
from PCLLib.inspector import Inspector
from PCLLib.pixmaps import pixmap_of


class ThresholdPage:
    """Binds the widgets of the page.

    Args:
        ui: the widgets by their names.
        inspector: what is shown.
        inspected: takes the threshold.
    """

    def __init__(self, ui: Any, inspector: Inspector, inspected: Inspected) -> None:
        self._ui, self._inspector, self._inspected = ui, inspector, inspected
        self.compared_by = ""
        ui.useThresholdButton.clicked.connect(lambda *_arguments: self._use())

    def show(self) -> None:
        """Shows the similarity by the positions that are gone by."""
        ui, inspector = self._ui, self._inspector
        report = inspector.report
        if report is None:
            return
        ui.heatTitleLabel.setText(
            _("How alike slices of different volumes are, by the positions of both; compared by {what}.").format(
                what=self.compared_by
            )
        )
        matrix = inspector.likeness
        side = side_of(matrix)
        low, high = limits(matrix)
        ui.heatLabel.setPixmap(pixmap_of(draw_heat_map(matrix, inspector.threshold)))
        ui.barLabel.setPixmap(pixmap_of(draw_bar(side)))
        ui.scaleLabel.setText(
            _("top: alike, {high:.2f}\n\nbottom: unlike, {low:.2f}\n\ngrey: no slices there").format(high=high, low=low)
        )
        ui.heatAxisLabel.setText(
            _("Lower left: position 0 of both. Upper right: 1. Between the white lines: positives by t = {t:.2f}.").format(
                t=inspector.threshold
            )
        )
        ui.adviceLabel.setText(texts.advice(inspector))
        ui.useThresholdButton.setVisible(self._inspected.decides)
        same = report.threshold is not None and abs(inspector.threshold - report.threshold) < 5e-4
        ui.useThresholdButton.setEnabled(report.threshold is not None and not same)
        if report.threshold is not None:
            text = _("Threshold {t:.2f} is used") if same else _("Use {t:.2f} as the threshold")
            ui.useThresholdButton.setText(text.format(t=report.threshold))

    def _use(self) -> None:
        report = self._inspector.report
        if report is not None and report.threshold is not None:
            self._inspected.use_threshold(report.threshold)
