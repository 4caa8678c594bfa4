"""The cases: every volume of the scene and of the chosen folders, with how far it is. Knows no widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from slicer.i18n import tr as _

from pcl_core.volumes.axes import Axis
from PCLLib import words
from PCLLib.case_states import Case
from PCLLib.label_classes import gathered
from PCLLib.scan_report import VolumeRow
from PCLLib.scene_volumes import case_key, volumes_of_scene
from PCLLib.segment_classes import SegmentClass, extended, matched
from PCLLib.segment_nodes import classes_in, labels_of, segments_of
from PCLLib.segment_roles import Role, annotation_of, choice_of, segmentations_of, was_edited
from PCLLib.slice_choice import drawn_slices, slice_count
from PCLLib.volume_display import key_of
from PCLLib.volume_nodes import geometry_of


@dataclass(frozen=True)
class _Drawn:
    """What is in an annotation: slices with something drawn, and what a person should know."""

    slices: tuple[int, ...]
    remark: str


class CaseBook:
    """Reads the cases off the scene. What it reads of voxels is kept until they change."""

    def __init__(self) -> None:
        self.axis: Axis = "auto"
        self._rows: tuple[VolumeRow, ...] = ()
        self._drawn: dict[str, tuple[object, _Drawn]] = {}
        self._edited: dict[str, tuple[object, bool]] = {}

    def set_rows(self, rows: Sequence[VolumeRow]) -> None:
        """Takes the volumes of the chosen folders."""
        self._rows = tuple(rows)

    def rows(self) -> tuple[VolumeRow, ...]:
        """The volumes of the chosen folders."""
        return self._rows

    def cases(self, classes: Sequence[SegmentClass]) -> tuple[Case, ...]:
        """All cases: those of the scene first, then the files that are not loaded.

        Args:
            classes: by which segments are matched; none takes those of the first annotated case.
        """
        nodes = volumes_of_scene()
        known = tuple(classes) or self.first_classes(nodes)
        keys = [key_of(node) for node in nodes]
        rows = {row.key: row for row in self._rows}
        cases = [self._of_node(node, known, rows.get(key or "")) for node, key in zip(nodes, keys, strict=True)]
        return (*cases, *(_of_row(row) for row in self._rows if row.key not in keys))

    def first_classes(self, nodes: Sequence[Any] | None = None) -> tuple[SegmentClass, ...]:
        """The classes of the first annotated case: names, colours, terminology and values of its segments."""
        for node in volumes_of_scene() if nodes is None else nodes:
            annotation = annotation_of(node)
            if annotation is not None and segments_of(annotation):
                return extended(gathered(classes_in(annotation)), segments_of(annotation))
        return ()

    def all_classes(self, classes: Sequence[SegmentClass]) -> tuple[SegmentClass, ...]:
        """The classes, and after them the segments of all annotations of the scene whose names are new."""
        for node in volumes_of_scene():
            annotation = annotation_of(node)
            if annotation is not None:
                classes = extended(classes, segments_of(annotation))
        return tuple(classes)

    def _of_node(self, node: Any, classes: Sequence[SegmentClass], row: VolumeRow | None) -> Case:
        geometry = geometry_of(node)
        count = slice_count(geometry, self.axis)
        annotation = annotation_of(node)
        drawn = self._read(annotation, node, classes) if annotation is not None else _Drawn((), "")
        predictions = segmentations_of(node, Role.PREDICTION)
        counted = tuple(choice_of(annotation).numbers(drawn.slices, count)) if drawn.slices else ()
        labels = row.labels if row is not None and annotation is None else None
        return Case(
            key=case_key(node),
            name=node.GetName(),
            row=row,
            slices=count,
            counted=tuple(range(count)) if labels is not None else counted,
            labels=labels,
            predicted=bool(predictions),
            edited=any(self._changed(one, node) for one in predictions),
            reviewed=bool(segmentations_of(node, Role.REVIEWED)),
            remark=drawn.remark,
        )

    def _read(self, annotation: Any, volume: Any, classes: Sequence[SegmentClass]) -> _Drawn:
        """What is in an annotation, as far as it is of the classes."""
        stamp = (*_stamp(annotation, volume), tuple(classes), self.axis)
        kept = self._drawn.get(annotation.GetID())
        if kept is not None and kept[0] == stamp:
            return kept[1]
        matching = matched(segments_of(annotation), classes)
        labels, overlapping = labels_of(annotation, volume, matching.values)
        remarks = []
        if matching.unknown:
            names = ", ".join(matching.unknown)
            remarks.append(_("Not learned, since no class is called so: {names}.").format(names=names))
        if overlapping:
            much = words.counted(overlapping, _("{n} voxel"), _("{n} voxels"))
            remarks.append(_("Segments overlap in {much}; the later one counts there.").format(much=much))
        found = _Drawn(tuple(drawn_slices(labels, geometry_of(volume), self.axis)), " ".join(remarks))
        self._drawn[annotation.GetID()] = (stamp, found)
        return found

    def _changed(self, prediction: Any, volume: Any) -> bool:
        stamp = _stamp(prediction, volume)
        kept = self._edited.get(prediction.GetID())
        if kept is not None and kept[0] == stamp:
            return kept[1]
        found = was_edited(prediction, volume)
        self._edited[prediction.GetID()] = (stamp, found)
        return found


def labels_and_slices(volume: Any, classes: Sequence[SegmentClass], axis: Axis) -> tuple[np.ndarray, list[int]]:
    """The label map of a volume's annotation on its grid, and the slices that count, from 0."""
    annotation = annotation_of(volume)
    labels, _overlapping = labels_of(annotation, volume, matched(segments_of(annotation), classes).values)
    geometry = geometry_of(volume)
    drawn = drawn_slices(labels, geometry, axis)
    return labels, choice_of(annotation).numbers(drawn, slice_count(geometry, axis))


def _of_row(row: VolumeRow) -> Case:
    counted = tuple(range(row.slices)) if row.labels is not None else ()
    return Case(
        key=row.key,
        name=row.id,
        row=row,
        loaded=False,
        slices=row.slices,
        counted=counted,
        labels=row.labels,
        remark=" ".join(row.warnings),
    )


def _stamp(node: Any, volume: Any) -> tuple[object, ...]:
    """Changes whenever a segment, its name, the volume's grid or a transform changes."""
    segmentation = node.GetSegmentation()
    parts: list[object] = [node.GetTransformNodeID(), volume.GetTransformNodeID(), volume.GetMTime()]
    for facts in segments_of(node):
        segment = segmentation.GetSegment(facts.id)
        image = segment.GetRepresentation(segmentation.GetSourceRepresentationName())
        parts += [facts.id, facts.name, segment.GetMTime(), image.GetMTime() if image is not None else 0]
    return tuple(parts)
