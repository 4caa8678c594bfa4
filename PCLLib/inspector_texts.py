"""What the inspector says."""

from __future__ import annotations

import html

from slicer.i18n import tr as _

from PCLLib.inspector import Inspector, Tile
from PCLLib.position_report import Outlier, PlacedVolume, PositionReport
from PCLLib.thumbnails import COLORS, Frame

# The engine compares each volume with the others only when there are so many.
_FEWEST = 4

# A line of a caption that is as long as any usual one.
LONGEST = "slice 100 of 100"


def millimetres(volume: PlacedVolume, number: int) -> str:
    """Where a slice lies, as the slice views say it: ``S -13.5 mm``."""
    return _("{letter} {value:.1f} mm").format(letter=volume.line.letter, value=volume.line.millimetres(number))


def kind(tile: Tile) -> str:
    """How a slice is related to what is compared with, in a word."""
    if tile.left_out:
        return _("left out")
    return {
        Frame.CHOSEN: _("compared with"),
        Frame.POSITIVE: _("positive"),
        Frame.NEGATIVE: _("negative"),
        Frame.AWAY: _("no slice here"),
        Frame.PLAIN: "",
    }[tile.frame]


def caption(tile: Tile) -> str:
    """Below a picture, but for the name: slice, position, millimetres, and how it is related."""
    lines = [
        _("slice {n} of {m}").format(n=tile.number + 1, m=tile.volume.count),
        _("at {position:.2f}").format(position=tile.position),
        millimetres(tile.volume, tile.number),
        kind(tile),
    ]
    return "\n".join(lines)


def legend(inspector: Inspector) -> str:
    """What the frames mean, as rich text."""
    center, t = inspector.compared_with, inspector.threshold
    low, high = max(0.0, center - t), min(1.0, center + t)
    good, bad = (_square(frame) for frame in (Frame.POSITIVE, Frame.NEGATIVE))
    positive = _("whole frame: positive, {low:.2f} to {high:.2f}").format(low=low, high=high)
    negative = _("dashed frame: negative, beyond t = {t:.2f}").format(t=t)
    return f"{good} {html.escape(positive)}<br>{bad} {html.escape(negative)}"


def _square(frame: Frame) -> str:
    red, green, blue = COLORS[frame]
    return f'<span style="color: #{red:02x}{green:02x}{blue:02x};">&#9632;</span>'


def compared(inspector: Inspector, name: str) -> str:
    """What the slices are compared with."""
    chosen = inspector.chosen
    volume = inspector.volume(chosen.volume) if chosen is not None else None
    if chosen is None or volume is None:
        return _("Click a picture to compare all others with it; double-click to open its volume.")
    return _("Compared with slice {n} of {name}, at {position:.2f}.").format(
        n=chosen.number + 1, name=name, position=inspector.compared_with
    )


def advice(inspector: Inspector) -> str:
    """The proposed threshold and why."""
    report = inspector.report
    if report is None:
        return ""
    if report.threshold is None:
        return _("No threshold: slices at the same position are no more alike than others. Do all show the same body part?")
    return _("Proposed threshold: t = {t:.2f}. {reason}").format(t=report.threshold, reason=report.reason)


def left_out(report: PositionReport) -> str:
    """Which volumes could not be looked at; empty when all were."""
    if not report.left_out:
        return ""
    path, reason = next(iter(report.left_out.items()))
    first = reason if path in reason else f"{path}: {reason}."
    if len(report.left_out) == 1:
        return _("Not shown, since it cannot be used: {first}").format(first=first)
    return _("{n} volumes are not shown, since they cannot be used; the first: {first}").format(
        n=len(report.left_out), first=first
    )


def outlier(name: str, one: Outlier) -> str:
    """What is wrong with a volume."""
    title = {"flipped": _("upside down"), "truncated": _("truncated"), "unlike": _("unlike the others")}.get(one.kind, one.kind)
    return _("{name}: {title}").format(name=name, title=title) + "\n" + one.reason


def outliers(count: int, volumes: int) -> str:
    """How many there are."""
    if volumes < _FEWEST:
        return _("With fewer than {n} volumes there is no telling which is unlike the others.").format(n=_FEWEST)
    if not count:
        return _("No volume is upside down, truncated or unlike the others.")
    return _("Found among {volumes} volumes. Look at each before you decide.").format(volumes=volumes)
