"""Figures as people say them: durations, sizes, counts."""

from __future__ import annotations

from collections.abc import Sequence

from slicer.i18n import tr as _


def duration(seconds: float) -> str:
    """A length of time, rounded to what matters: ``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 90:
        return _("{seconds} s").format(seconds=max(1, round(seconds)))
    minutes = round(seconds / 60)
    if minutes < 100:
        return _("{minutes} min").format(minutes=minutes)
    hours, rest = divmod(round(minutes / 10) * 10, 60)
    if rest:
        return _("{hours} h {minutes} min").format(hours=hours, minutes=rest)
    return _("{hours} h").format(hours=hours)


def size(count: float) -> str:
    """An amount of memory or disk space of ``count`` bytes: ``80 MB``, ``1.2 GB``."""
    megabytes = count / 2**20
    if megabytes < 1000:
        return _("{count} MB").format(count=max(1, round(megabytes)))
    gigabytes = megabytes / 1024
    return _("{count} GB").format(count=f"{gigabytes:.1f}" if gigabytes < 10 else round(gigabytes))


def counted(count: int, one: str, many: str) -> str:
    """``one`` for 1, ``many`` for every other number; ``{n}`` stands for the number in both."""
    return (one if count == 1 else many).format(n=count)


def listed(names: Sequence[str]) -> str:
    """The first five of some names, and how many more there are."""
    return ", ".join(names[:5]) + (_(" and {n} more").format(n=len(names) - 5) if len(names) > 5 else "")
