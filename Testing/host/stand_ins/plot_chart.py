"""Draws a plot chart node with VTK's charts, as Slicer's plot view does."""

from typing import Any

import slicer
import vtk

AXES = {"X": vtk.vtkAxis.BOTTOM, "Y": vtk.vtkAxis.LEFT}


def draw(chart: vtk.vtkChartXY, node: Any) -> None:
    """Fills `chart` with the series of a vtkMRMLPlotChartNode; with None it is left empty."""
    chart.ClearPlots()
    if node is None:
        chart.SetTitle("")
        return
    chart.SetTitle(node.GetTitle() or "" if node.GetTitleVisibility() else "")
    chart.SetShowLegend(bool(node.GetLegendVisibility()))
    for name, place in AXES.items():
        axis = chart.GetAxis(place)
        visible = getattr(node, f"Get{name}AxisTitleVisibility")()
        axis.SetTitle(getattr(node, f"Get{name}AxisTitle")() or "" if visible else "")
        axis.SetGridVisible(bool(node.GetGridVisibility()))
        axis.SetLogScale(bool(getattr(node, f"Get{name}AxisLogScale")()))
        if not getattr(node, f"Get{name}AxisRangeAuto")():
            low, high = getattr(node, f"Get{name}AxisRange")()
            axis.SetBehavior(vtk.vtkAxis.FIXED)
            axis.SetRange(low, high)
        else:
            axis.SetBehavior(vtk.vtkAxis.AUTO)
    for index in range(node.GetNumberOfPlotSeriesNodes()):
        series = node.GetNthPlotSeriesNode(index)
        if series is not None and series.GetTableNode() is not None:
            _draw_series(chart, series)
    chart.RecalculateBounds()


def _draw_series(chart: vtk.vtkChartXY, series: Any) -> None:
    source = series.GetTableNode().GetTable()
    y = source.GetColumnByName(series.GetYColumnName() or "")
    if y is None or not isinstance(y, vtk.vtkDataArray):
        return
    kinds = slicer.vtkMRMLPlotSeriesNode
    is_bar = series.GetPlotType() in (kinds.PlotTypeBar, kinds.PlotTypeScatterBar)
    plot = chart.AddPlot(vtk.vtkChart.BAR if is_bar else vtk.vtkChart.LINE)
    x = source.GetColumnByName(series.GetXColumnName() or "")
    uses_x = isinstance(x, vtk.vtkDataArray) and series.GetPlotType() in (kinds.PlotTypeScatter, kinds.PlotTypeScatterBar)
    table = vtk.vtkTable()
    table.AddColumn(x if uses_x else _numbers(y.GetNumberOfTuples()))
    table.AddColumn(y)
    plot.SetInputData(table, 0, 1)
    plot.SetLabel(series.GetName())
    plot.SetColorF(*series.GetColor())
    plot.SetOpacity(series.GetOpacity())
    if is_bar:
        return
    plot.SetWidth(series.GetLineWidth())
    plot.GetPen().SetLineType(series.GetLineStyle())
    plot.SetMarkerStyle(series.GetMarkerStyle())
    plot.SetMarkerSize(series.GetMarkerSize())


def _numbers(count: int) -> vtk.vtkDoubleArray:
    indexes = vtk.vtkDoubleArray()
    indexes.SetName("index")
    for index in range(count):
        indexes.InsertNextValue(index)
    return indexes
