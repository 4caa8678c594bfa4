"""Which classes the values of label files are: by the names that go with the file, and by the values where there are none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from slicer.i18n import tr as _

from pcl_core.volumes.itk import header_reader
from PCLLib.segment_classes import SegmentClass, joined, plain_name

# Colours that most people can tell apart (after Okabe and Ito 2008).
_COLORS = (
    (0.00, 0.45, 0.70), (0.90, 0.62, 0.00), (0.84, 0.37, 0.00), (0.00, 0.62, 0.45), (0.80, 0.47, 0.65), (0.34, 0.71, 0.91),
)  # fmt: skip


def classes_of_values(
    values: Sequence[int], names: Mapping[int, str], classes: Sequence[SegmentClass]
) -> tuple[SegmentClass, ...]:
    """What the values of a label file are.

    Args:
        values: that occur in the file.
        names: what the file's own description calls its values; others have no name.
        classes: that are known already.

    Returns:
        one a value, with the value of the file: the known class of that name; for a value without a name the known class of
        that value; otherwise a new one.
    """
    by_name = {plain_name(entry.name): entry for entry in classes}
    by_value = {entry.value: entry for entry in classes}
    named = {plain_name(names[value]) for value in values if value in names}
    found = []
    for number, value in enumerate(values):
        name = names.get(value)
        known = by_name.get(plain_name(name)) if name is not None else by_value.get(value)
        if known is None or (name is None and plain_name(known.name) in named):
            found.append(SegmentClass(value, name or _unnamed(value), _COLORS[number % len(_COLORS)]))
        else:
            found.append(replace(known, value=value))
    return tuple(found)


def names_of_segments(path: Path) -> dict[int, str]:
    """Names of the label values of a .seg.nrrd file of one layer, by its header. Raises InputError when it has none."""
    reader = header_reader(path, "nrrd")
    about = {key: reader.GetMetaData(key) for key in reader.GetMetaDataKeys()}
    names: dict[int, str] = {}
    for number in range(len(about)):
        segment = f"Segment{number}"
        if f"{segment}_LabelValue" not in about:
            break
        name = about.get(f"{segment}_Name") or about.get(f"{segment}_ID", segment)
        names[int(about[f"{segment}_LabelValue"])] = name
    return names


def gathered(found: Iterable[SegmentClass]) -> tuple[SegmentClass, ...]:
    """One list of the classes of several files, by name; the first has its value, a later one of the same value another."""
    classes: tuple[SegmentClass, ...] = ()
    for entry in found:
        if plain_name(entry.name) in {plain_name(one.name) for one in classes}:
            continue
        taken = entry.value in {one.value for one in classes}
        classes = joined(classes, [entry]) if taken else (*classes, entry)
    return classes


def described(classes: Iterable[SegmentClass]) -> str:
    """``2 (spleen), 3``: the values of a file, with their names where they have some."""
    return ", ".join(
        str(entry.value) if entry.name == _unnamed(entry.value) else f"{entry.value} ({entry.name})" for entry in classes
    )


def _unnamed(value: int) -> str:
    return str(_("class {value}").format(value=value))
