"""Draws the icons of the extension and of its modules: slices at close positions pulled together.

    python scripts/draw_icons.py

Writes PCL.png (the extension, 128 x 128) and PCLPretrain/Resources/Icons/PCLPretrain.png.
"""

from __future__ import annotations

from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, FancyBboxPatch, Polygon

ROOT = Path(__file__).parents[1]
PIXELS = 128
GROUND, SLICE, EDGE, NEAR, FAR, PULL = "#1d3557", "#f1faee", "#a8dadc", "#e63946", "#457b9d", "#ffd166"


def main() -> None:
    """Draws both icons."""
    extension = _canvas()
    _ground(extension)
    _stack(extension)
    _pull(extension)
    _save(extension, ROOT / "PCL.png")
    module = _canvas()
    _stack(module)
    _pull(module)
    _save(module, ROOT / "PCLPretrain" / "Resources" / "Icons" / "PCLPretrain.png")


def _canvas() -> Figure:
    figure = Figure(figsize=(1, 1), dpi=PIXELS)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.axis("off")
    figure.patch.set_alpha(0)
    return figure


def _ground(figure: Figure) -> None:
    box = FancyBboxPatch((4, 4), 92, 92, boxstyle="round,pad=0,rounding_size=18", color=GROUND, linewidth=0)
    figure.axes[0].add_patch(box)


def _stack(figure: Figure, count: int = 3) -> None:
    """Slices in perspective, from the lowest up; the organ in them grows with the position."""
    axes = figure.axes[0]
    for k in range(count):
        y = 14 + 26 * k
        corners = [(8, y), (52, y), (66, y + 19), (22, y + 19)]
        axes.add_patch(
            Polygon(corners, closed=True, facecolor=SLICE, edgecolor=FAR, linewidth=1.2, alpha=0.96, zorder=10 + 2 * k)
        )
        wide = 13 + 15 * k / (count - 1)
        near = k >= count - 2
        organ = Ellipse((37, y + 9.5), wide, wide * 0.42, angle=8, color=NEAR if near else FAR, zorder=11 + 2 * k)
        axes.add_patch(organ)


def _pull(figure: Figure) -> None:
    """Embeddings of two close slices are pulled together; that of a far one stays away."""
    axes = figure.axes[0]
    for y, color in ((81, NEAR), (53, NEAR), (22, FAR)):
        axes.add_patch(Ellipse((82, y), 13, 13, facecolor=color, edgecolor="white", linewidth=1.2, zorder=20))
    for tip, base in ((68.5, 73), (65.5, 61)):
        axes.add_patch(Polygon([(77, base), (87, base), (82, tip)], closed=True, color=PULL, linewidth=0, zorder=21))


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(figure).print_png(path, metadata={"Software": None})


if __name__ == "__main__":
    main()
