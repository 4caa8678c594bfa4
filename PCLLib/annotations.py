"""Several annotations of one volume, learned from as one: people draw LV in one segmentation and RV in another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer
from slicer.i18n import tr as _

from PCLLib.segment_classes import SegmentClass, extended, matched
from PCLLib.segment_nodes import is_drawn, labels_of, new_segmentation, segments_of
from PCLLib.segment_roles import choice_of, set_choice
from PCLLib.volume_nodes import geometry_of


@dataclass(frozen=True)
class Joined:
    """What is drawn in the annotations of a volume.

    Attributes:
        labels: (z, y, x) on the grid of the volume, of 8 bits, or 16 for larger values.
        overlapping: voxels in which several segments lie.
        unknown: names of segments that are no class.
        unlearned: those of them in which something is drawn.
        names: of the segmentations in which a class is drawn, the earliest first.
        twice: for each class that is drawn in several, the name of the class and of the segmentation that counts for it.
    """

    labels: np.ndarray
    overlapping: int
    unknown: tuple[str, ...]
    unlearned: tuple[str, ...]
    names: tuple[str, ...]
    twice: tuple[tuple[str, str], ...]

    def note(self) -> str:
        """What a person has to know; empty for one segmentation."""
        if len(self.names) < 2:
            return ""
        together = _("Drawn in {n} segmentations, learned as one: {names}.")
        counts = _('Of "{structure}" only that in {name} counts.')
        lines = [together.format(n=len(self.names), names=", ".join(self.names))]
        return " ".join([*lines, *(counts.format(structure=structure, name=name) for structure, name in self.twice)])


@contextmanager
def as_one(annotations: Sequence[Any], volume: Any, classes: Sequence[SegmentClass]) -> Iterator[Any]:
    """One segmentation node that holds what several do; made for the moment, unless it is one anyway.

    Args:
        annotations: segmentation nodes, the latest first.
        volume: volume node.
        classes: whose values come first; segments that are no class follow.
    """
    if len(annotations) == 1:
        yield annotations[0]
        return
    for node in reversed(annotations):
        classes = extended(classes, segments_of(node))
    one = joined(annotations, volume, classes)
    drawn = set(np.unique(one.labels))
    made = new_segmentation(volume.GetName(), volume, one.labels, [entry for entry in classes if entry.value in drawn])
    set_choice(made, choice_of(*annotations))
    try:
        yield made
    finally:
        slicer.mrmlScene.RemoveNode(made)


def joined(annotations: Sequence[Any], volume: Any, classes: Sequence[SegmentClass]) -> Joined:
    """The annotations of a volume as one label map.

    A class that is drawn in several is taken whole from the latest of them: two drawings of one structure are two
    versions of it. Where different classes lie in one voxel the later segmentation has the last word, as the later
    segment has in one.

    Args:
        annotations: segmentation nodes, the latest first.
        volume: volume node.
        classes: by which segments are matched.
    """
    labels = np.zeros(geometry_of(volume).shape, np.uint8)
    overlapping = 0
    unknown: list[str] = []
    unlearned: list[str] = []
    names: list[str] = []
    counts: dict[int, str] = {}
    twice: list[int] = []
    for node in annotations:
        matching = matched(segments_of(node), classes)
        unknown += [name for name in matching.unknown if name not in unknown]
        others = [one.name for one in segments_of(node) if one.id not in matching.values and is_drawn(node, one.id)]
        unlearned += [name for name in others if name not in unlearned]
        drawn = {segment: value for segment, value in matching.values.items() if is_drawn(node, segment)}
        twice += [value for value in drawn.values() if value in counts and value not in twice]
        found, inside = labels_of(node, volume, {one: value for one, value in drawn.items() if value not in counts})
        overlapping += inside + int(((labels > 0) & (found > 0)).sum())
        labels = np.where(labels > 0, labels, found)
        names += [node.GetName()] if drawn else []
        counts |= {value: node.GetName() for value in drawn.values() if value not in counts}
    structures = {entry.value: entry.name for entry in classes}
    counting = tuple((structures[value], counts[value]) for value in twice)
    return Joined(labels, overlapping, tuple(unknown), tuple(unlearned), tuple(reversed(names)), counting)
