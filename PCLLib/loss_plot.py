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
        self._series: Any = None
        self._chart: Any = None

    def begin(self, earlier: Sequence[tuple[int, float]]) -> None:
        """Empties the curve for a new training; ``earlier`` are steps and losses of the part before it was resumed."""
        if not self._there:
            self._make()
        self._chart.RemoveAllPlotSeriesNodeIDs()
        self._table.GetTable().SetNumberOfRows(0)
        self._table.Modified()
        for step, loss in earlier:
            self.add(step, loss)

    def add(self, step: int, loss: float) -> None:
        """Adds a point. A line takes two: with the second one the curve is shown."""
        if not self._there:
            return
        table = self._table.GetTable()
        row = table.InsertNextBlankRow()
        table.SetValue(row, 0, vtk.vtkVariant(step))
        table.SetValue(row, 1, vtk.vtkVariant(loss))
        table.Modified()
        self._table.Modified()
        if self.points == 2:
            self._chart.AddAndObservePlotSeriesNodeID(self._series.GetID())
            self.show()

    def show(self) -> None:
        """Shows the chart in a layout with a plot view."""
        if self._there:
            slicer.modules.plots.logic().ShowChartInLayout(self._chart)

    @property
    def points(self) -> int:
        """How many points the curve has."""
        return int(self._table.GetTable().GetNumberOfRows()) if self._there else 0

    def forget(self) -> None:
        """The scene, and the nodes with it, are gone."""
        self._table = self._series = self._chart = None

    @property
    def _there(self) -> bool:
        nodes = (self._table, self._series, self._chart)
        return all(node is not None and slicer.mrmlScene.IsNodePresent(node) for node in nodes)

    def _make(self) -> None:
        self._table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", _TABLE)
        for name in (_("Step"), _("Loss")):
            column = vtk.vtkDoubleArray()
            column.SetName(name)
            self._table.AddColumn(column)
        self._series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", _SERIES)
        self._series.SetAndObserveTableNodeID(self._table.GetID())
        self._series.SetXColumnName(_("Step"))
        self._series.SetYColumnName(_("Loss"))
        self._series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        self._series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
        self._series.SetColor(0.12, 0.47, 0.71)
        self._chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", _CHART)
        self._chart.SetTitle(_("Loss of the pretraining"))
        self._chart.SetXAxisTitle(_("Step"))
        self._chart.SetYAxisTitle(_("Loss"))
        self._chart.SetLegendVisibility(False)
