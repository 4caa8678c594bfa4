"""Pictures for reports, as PNG bytes: curves of a training, and labels drawn on slices.

Nothing here has state: every picture is a figure of its own, drawn without a display.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from pcl_core.volumes.volume import NOT_ANNOTATED

# Colours that colour-blind people tell apart (Okabe and Ito, "Color universal design", 2008), the brightest ones first.
_PALETTE = ("#56b4e9", "#f0e442", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#0072b2")
_LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
_INK = "#333333"


@dataclass(frozen=True)
class Curve:
    """A line: ``x`` and ``y`` of the same length."""

    name: str
    x: Sequence[float]
    y: Sequence[float]

    @classmethod
    def from_rows(cls, name: str, rows: Sequence[Mapping[str, float]], figure: str = "loss", over: str = "step") -> Curve:
        """Takes a curve from rows of metrics.csv; rows without the figure are passed over."""
        known = [row for row in rows if figure in row and over in row]
        return cls(name, [row[over] for row in known], [row[figure] for row in known])


@dataclass(frozen=True)
class Level:
    """A value to compare a curve with, drawn as a dashed line."""

    name: str
    value: float


@dataclass(frozen=True, eq=False)
class Panel:
    """A slice with labels on it: ``image`` (row, column), ``labels`` of the same shape or None for the bare image."""

    image: np.ndarray
    labels: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class MontageRow:
    """Panels side by side, with a title on their left."""

    title: str
    panels: Sequence[Panel] = field(default_factory=tuple)


def colour_of(label: int) -> str:
    """The fixed colour of a class from 1 on, as ``#rrggbb``; classes beyond the seventh share colours."""
    return _PALETTE[(label - 1) % len(_PALETTE)]


def curves_png(curves: Sequence[Curve], title: str, y_name: str, x_name: str = "step", levels: Sequence[Level] = ()) -> bytes:
    """Draws curves into one diagram, each ``levels`` value as a dashed line with its name on it."""
    figure = Figure(figsize=(6.0, 3.6), layout="constrained")
    axes = figure.add_subplot()
    for curve, colour in zip(curves, _cycle(len(curves)), strict=True):
        marker = "o" if len(curve.x) < 2 else ""
        axes.plot(curve.x, curve.y, color=colour, linewidth=1.8, marker=marker, label=curve.name)
    for level in levels:
        axes.axhline(level.value, color="#888888", linestyle="--", linewidth=1.2)
        axes.annotate(
            level.name,
            (0.995, level.value),
            xycoords=("axes fraction", "data"),
            xytext=(0, 4),
            textcoords="offset points",
            horizontalalignment="right",
            color="#555555",
            fontsize=9,
        )
    axes.margins(y=0.12)
    axes.set_title(title, fontsize=11, color=_INK, loc="left")
    axes.set_xlabel(x_name, color=_INK)
    axes.set_ylabel(y_name, color=_INK)
    axes.grid(color="#e5e5e5", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    if len(curves) > 1:
        axes.legend(frameon=False, fontsize=9)
    return png_of(figure)


def overlay_png(panel: Panel, spacing: tuple[float, float] = (1.0, 1.0)) -> bytes:
    """Draws one slice with its labels; ``spacing`` is mm along (row, column)."""
    rows, columns = panel.image.shape
    height = 3.0 * rows * spacing[0] / (columns * spacing[1])
    figure = Figure(figsize=(3.0, min(max(height, 0.5), 12.0)))
    draw_slice(figure.add_axes((0, 0, 1, 1)), panel, spacing, window_of([panel]))
    return png_of(figure)


def montage_png(rows: Sequence[MontageRow], columns: Sequence[str], spacing: tuple[float, float] = (1.0, 1.0)) -> bytes:
    """Draws slices in a grid.

    Args:
        rows: such as base, middle and apex of a case; all panels share one grey window.
        columns: titles above the panels, such as image, truth and a method each.
        spacing: mm along (row, column) of the slices.

    Raises:
        ValueError: a row has another number of panels than there are columns.
    """
    panels = [panel for row in rows for panel in row.panels]
    window = window_of(panels)
    aspect = max(panel.image.shape[0] * spacing[0] / (panel.image.shape[1] * spacing[1]) for panel in panels)
    side, top, left = 2.1, 0.35, 0.5
    size = (left + side * len(columns), top + side * aspect * len(rows))
    figure = Figure(figsize=size)
    grid = figure.subplots(
        len(rows),
        len(columns),
        squeeze=False,
        gridspec_kw={"left": left / size[0], "right": 1, "bottom": 0, "top": 1 - top / size[1], "wspace": 0.03, "hspace": 0.03},
    )
    for row, line in zip(rows, grid, strict=True):
        for panel, axes in zip(row.panels, line, strict=True):
            draw_slice(axes, panel, spacing, window)
        line[0].annotate(
            row.title,
            (0, 0.5),
            xycoords="axes fraction",
            xytext=(-5, 0),
            textcoords="offset points",
            rotation=90,
            fontsize=10,
            color=_INK,
            horizontalalignment="right",
            verticalalignment="center",
            multialignment="center",
        )
    for axes, title in zip(grid[0], columns, strict=True):
        axes.set_title(title, fontsize=10, color=_INK, pad=5)
    return png_of(figure)


def window_of(panels: Sequence[Panel]) -> tuple[float, float]:
    """Grey values for black and white: the 1st and the 99.5th percentile of all panels together."""
    values = np.concatenate([panel.image.ravel() for panel in panels]).astype(float)
    values = values[np.isfinite(values)]
    low, high = np.percentile(values, (1, 99.5)) if values.size else (0.0, 1.0)
    return float(low), float(max(high, low + 1e-6))


def draw_slice(axes: Axes, panel: Panel, spacing: tuple[float, float], window: tuple[float, float]) -> None:
    """Draws a slice in grey, its classes as translucent areas with an opaque outline along the voxels' edges."""
    rows, columns = panel.image.shape
    extent = (0.0, columns * spacing[1], rows * spacing[0], 0.0)
    axes.imshow(panel.image, cmap="gray", vmin=window[0], vmax=window[1], extent=extent, interpolation="bilinear")
    if panel.labels is not None:
        fill = np.zeros((rows, columns, 4))
        for label in _classes(panel.labels):
            fill[panel.labels == label] = (*to_rgb(colour_of(label)), 0.28)
        axes.imshow(fill, extent=extent, interpolation="nearest")
        for label in _classes(panel.labels):
            _outline(axes, panel.labels == label, spacing, colour_of(label))
    axes.set_xlim(extent[:2])  # Outlines of the padded masks have widened the view.
    axes.set_ylim(extent[2:])
    axes.set_axis_off()


def _outline(axes: Axes, mask: np.ndarray, spacing: tuple[float, float], colour: str) -> None:
    # A border of background closes outlines at the edge of the picture.
    padded = np.pad(mask.astype(float), 1)
    y = (np.arange(padded.shape[0]) - 0.5) * spacing[0]
    x = (np.arange(padded.shape[1]) - 0.5) * spacing[1]
    axes.contour(x, y, padded, levels=[0.5], colors=[colour], linewidths=1.3)


def _classes(labels: np.ndarray) -> list[int]:
    return [int(label) for label in np.unique(labels) if label not in (0, NOT_ANNOTATED)]


def _cycle(count: int) -> list[str]:
    return [_LINES[k % len(_LINES)] for k in range(count)]


def png_of(figure: Figure) -> bytes:
    """A figure as the bytes of a PNG file, drawn without a display."""
    stream = io.BytesIO()
    FigureCanvasAgg(figure).print_figure(stream, dpi=110, format="png", facecolor="white")
    return stream.getvalue()
