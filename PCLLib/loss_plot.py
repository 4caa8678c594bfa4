"""The loss of a running training as a curve in one of Slicer's plot views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

_TABLE, _SERIES, _CHART = "PCL loss table", "PCL loss", "PCL loss curve"


class LossPlot:
    """A table, a series and a chart in the scene. They are made when they are needed and vanish with the scene."""

    def __init__(self) -> None:
        self._table: Any = None
        self._chart: Any = None

    def begin(self, earlier: Sequence[tuple[int, float]]) -> None:
        """Empties the curve for a new training; ``earlier`` are steps and losses of the part before it was resumed."""
        self._make()
        table = self._table.GetTable()
        table.SetNumberOfRows(0)
        for step, loss in earlier:
            self._append(step, loss)
        self._table.Modified()

    def add(self, step: int, loss: float) -> None:
        """Adds a point; the first one shows the chart."""
        if self._table is None or not slicer.mrmlScene.IsNodePresent(self._table):
            return
        self._append(step, loss)
        self._table.GetTable().Modified()
        self._table.Modified()

    def show(self) -> None:
        """Shows the chart in a layout with a plot view."""
        if self._chart is not None and slicer.mrmlScene.IsNodePresent(self._chart):
            slicer.modules.plots.logic().ShowChartInLayout(self._chart)

    @property
    def points(self) -> int:
        """How many points the curve has."""
        if self._table is None or not slicer.mrmlScene.IsNodePresent(self._table):
            return 0
        return int(self._table.GetTable().GetNumberOfRows())

    def forget(self) -> None:
        """The scene, and the nodes with it, are gone."""
        self._table = self._chart = None

    def _append(self, step: int, loss: float) -> None:
        table = self._table.GetTable()
        row = table.InsertNextBlankRow()
        table.SetValue(row, 0, vtk.vtkVariant(step))
        table.SetValue(row, 1, vtk.vtkVariant(loss))

    def _make(self) -> None:
        if self._table is not None and slicer.mrmlScene.IsNodePresent(self._table):
            return
        self._table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", _TABLE)
        for name in (_("Step"), _("Loss")):
            column = vtk.vtkDoubleArray()
            column.SetName(name)
            self._table.AddColumn(column)
        series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", _SERIES)
        series.SetAndObserveTableNodeID(self._table.GetID())
        series.SetXColumnName(_("Step"))
        series.SetYColumnName(_("Loss"))
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
        series.SetColor(0.12, 0.47, 0.71)
        self._chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", _CHART)
        self._chart.AddAndObservePlotSeriesNodeID(series.GetID())
        self._chart.SetTitle(_("Loss of the pretraining"))
        self._chart.SetXAxisTitle(_("Step"))
        self._chart.SetYAxisTitle(_("Loss"))
        self._chart.SetLegendVisibility(False)
