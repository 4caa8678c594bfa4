"""Loss and Dice of a running fine-tuning as curves in one of Slicer's plot views."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _

from PCLLib.segment_classes import SegmentClass

_TABLE, _CHART = "PCL fine-tuning table", "PCL fine-tuning curves"
_GREY = (0.35, 0.35, 0.35)


class TrainingCurves:
    """A table, a series a curve and a chart in the scene. They are made when they are needed and vanish with the scene."""

    def __init__(self) -> None:
        self._table: Any = None
        self._chart: Any = None
        self._columns: list[str] = []
        self._series: list[Any] = []
        self._waiting: dict[str, tuple[str, tuple[float, float, float]]] = {}
        self._last: dict[str, float] = {}

    def begin(self, classes: Sequence[SegmentClass]) -> None:
        """Empties the curves for a new training."""
        self._remove()
        self._columns = ["loss", *(f"dice_{entry.value}" for entry in classes)]
        names = [_("Loss"), *(_("Dice {name}, held out").format(name=entry.name) for entry in classes)]
        colors = [_GREY, *(entry.color for entry in classes)]
        self._table = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableNode", _TABLE)
        for name in (_("Step"), *names):
            column = vtk.vtkDoubleArray()
            column.SetName(name)
            self._table.AddColumn(column)
        self._chart = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotChartNode", _CHART)
        self._waiting = dict(zip(self._columns, zip(names, colors, strict=True), strict=True))
        self._chart.SetTitle(_("Fine-tuning"))
        self._chart.SetXAxisTitle(_("Step"))
        self._last = {}

    def add(self, step: int, figures: Mapping[str, float]) -> None:
        """Adds a row; a figure that was not measured keeps its last value."""
        if self._table is None or not slicer.mrmlScene.IsNodePresent(self._table):
            return
        self._last |= {name: value for name, value in figures.items() if name in self._columns}
        table = self._table.GetTable()
        row = table.InsertNextBlankRow()
        table.SetValue(row, 0, vtk.vtkVariant(step))
        for column, name in enumerate(self._columns, 1):
            table.SetValue(row, column, vtk.vtkVariant(self._last.get(name, math.nan)))
        known = self._last.keys() & self._waiting.keys() if row > 0 else ()
        for name in sorted(known, reverse=True):  # a line takes two points
            self._series.append(self._curve(*self._waiting.pop(name)))
        table.Modified()
        self._table.Modified()

    @property
    def points(self) -> int:
        """How many rows there are."""
        if self._table is None or not slicer.mrmlScene.IsNodePresent(self._table):
            return 0
        return int(self._table.GetTable().GetNumberOfRows())

    @property
    def dice(self) -> dict[str, float]:
        """The latest Dice of the held-out case, by the engine's name of the column."""
        return {name: value for name, value in self._last.items() if name != "loss"}

    def show(self) -> None:
        """Shows the chart in a layout with a plot view."""
        if self._chart is not None and slicer.mrmlScene.IsNodePresent(self._chart):
            slicer.modules.plots.logic().ShowChartInLayout(self._chart)

    def forget(self) -> None:
        """The scene, and the nodes with it, are gone."""
        self._table = self._chart = None
        self._series = []

    def _curve(self, name: str, color: tuple[float, float, float]) -> Any:
        series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", name)
        series.SetAndObserveTableNodeID(self._table.GetID())
        series.SetXColumnName(_("Step"))
        series.SetYColumnName(name)
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
        series.SetColor(*color)
        self._chart.AddAndObservePlotSeriesNodeID(series.GetID())
        return series

    def _remove(self) -> None:
        for node in (*self._series, self._chart, self._table):
            if node is not None and slicer.mrmlScene.IsNodePresent(node):
                slicer.mrmlScene.RemoveNode(node)
