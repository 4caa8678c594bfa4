"""The cases: every volume of the scene and of the chosen folders, with how far it is. Knows no widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from slicer.i18n import tr as _

from pcl_core.errors import InputError
from pcl_core.volumes.axes import Axis
from PCLLib import words
from PCLLib.annotations import joined
from PCLLib.case_states import Case
from PCLLib.drawn_on import DrawnOn
from PCLLib.keeping import kept_of
from PCLLib.label_classes import gathered
from PCLLib.scan_report import VolumeRow
from PCLLib.scene_volumes import case_key, is_left_out, volumes_of_scene
from PCLLib.segment_classes import SegmentClass, extended, matched
from PCLLib.segment_nodes import classes_in, is_drawn, segments_of
from PCLLib.segment_roles import Role, annotations_of, choice_of, segmentations_of, was_edited
from PCLLib.slice_choice import drawn_slices, slice_count
from PCLLib.volume_display import key_of, loaded_from, part_clones
from PCLLib.volume_nodes import geometry_of


@dataclass(frozen=True)
class _Drawn:
    """What is in the annotations of a volume: slices with something drawn, and what a person should know."""

    slices: tuple[int, ...] = ()
    remark: str = ""
    note: str = ""
    unlearned: tuple[str, ...] = ()


class CaseBook:
    """Reads the cases off the scene. What it reads of voxels is kept until they change."""

    def __init__(self) -> None:
        self.axis: Axis = "auto"
        self._rows: tuple[VolumeRow, ...] = ()
        self._drawn: dict[str, tuple[object, _Drawn]] = {}
        self._drawn_on = DrawnOn()
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
        part_clones()
        nodes = volumes_of_scene()
        known = tuple(classes) or self.first_classes(nodes)
        keys = [key_of(node) for node in nodes]
        rows = {row.key: row for row in self._rows}
        cases = [self._of_node(node, known, rows.get(key or "")) for node, key in zip(nodes, keys, strict=True)]
        return (*cases, *(_of_row(row) for row in self._rows if row.key not in keys))

    def first_classes(self, nodes: Sequence[Any] | None = None) -> tuple[SegmentClass, ...]:
        """The classes of the first annotated case: names, colours, terminology and values of its segments."""
        for node in volumes_of_scene() if nodes is None else nodes:
            valued = gathered(entry for one in reversed(annotations_of(node)) for entry in classes_in(one))
            found = _with_segments(node, valued)
            if found:
                return found
        return ()

    def all_classes(self, classes: Sequence[SegmentClass]) -> tuple[SegmentClass, ...]:
        """The classes, and after them the segments of all annotations of the scene whose names are new."""
        for node in volumes_of_scene():
            classes = _with_segments(node, classes)
        return tuple(classes)

    def renamed_class(self, classes: Sequence[SegmentClass]) -> tuple[str, str] | None:
        """A class whose segments are all gone, and the one new name that came: somebody has renamed it, as it seems.

        None where it cannot be told, or where label files that are not loaded may hold the class.
        """
        facts = [facts for volume in volumes_of_scene() for one in annotations_of(volume) for facts in segments_of(one)]
        absent = matched(facts, classes).absent
        new = extended(classes, facts)[len(classes) :]
        unread = any(row.labels is not None and loaded_from(row.key) is None for row in self._rows)
        return (absent[0], new[0].name) if len(absent) == len(new) == 1 and not unread else None

    def _of_node(self, node: Any, classes: Sequence[SegmentClass], row: VolumeRow | None) -> Case:
        geometry = geometry_of(node)
        count = slice_count(geometry, self.axis)
        annotations = annotations_of(node)
        drawn = self._read(annotations, node, classes) if annotations else _Drawn()
        predictions, accepted = segmentations_of(node, Role.PREDICTION), segmentations_of(node, Role.REVIEWED)
        results = [*predictions, *accepted]
        counted = tuple(choice_of(*annotations).numbers(drawn.slices, count)) if drawn.slices else ()
        labels = row.labels if row is not None and not annotations else None
        return Case(
            key=case_key(node),
            name=node.GetName(),
            row=row,
            slices=count,
            counted=tuple(range(count)) if labels is not None else counted,
            labels=labels,
            predicted=bool(predictions),
            edited=any(self._changed(one, node) for one in predictions),
            reviewed=bool(accepted),
            remark=drawn.remark,
            kept=tuple(one.GetName() for one in kept_of(node)),
            left_out=row is None and is_left_out(node),
            unlearned=() if drawn.slices else drawn.unlearned,
            note="\n".join(part for part in (drawn.note, self._elsewhere([*annotations, *results], node)) if part),
        )

    def _read(self, annotations: Sequence[Any], volume: Any, classes: Sequence[SegmentClass]) -> _Drawn:
        """What is in the annotations of a volume, as far as it is of the classes."""
        stamp = (*((one.GetName(), content_stamp(one, volume)) for one in annotations), tuple(classes), self.axis)
        kept = self._drawn.get(volume.GetID())
        if kept is not None and kept[0] == stamp:
            return kept[1]
        one = joined(annotations, volume, classes)
        remarks = []
        if one.unknown:
            names = ", ".join(one.unknown)
            remarks.append(_("Not learned, since no class is called so: {names}.").format(names=names))
        if one.overlapping:
            much = words.counted(one.overlapping, _("{n} voxel"), _("{n} voxels"))
            remarks.append(_("Segments overlap in {much}; the later one counts there.").format(much=much))
        slices = tuple(drawn_slices(one.labels, geometry_of(volume), self.axis))
        found = _Drawn(slices, " ".join(remarks), one.note(), one.unlearned)
        self._drawn[volume.GetID()] = (stamp, found)
        return found

    def _elsewhere(self, segmentations: Sequence[Any], volume: Any) -> str:
        """What a person has to know when the volume shows another image than the one that was drawn on; else empty."""
        drawn = [node for node in segmentations if any(is_drawn(node, one.id) for one in segments_of(node))]
        names = [node.GetName() for node in drawn if self._drawn_on.another(node, volume)]
        if not names:
            return ""
        return _(
            'The image has changed since "{names}" was made on it. If it is a frame of a sequence, show that frame again '
            "before you learn from it, accept or export it."
        ).format(names=_('", "').join(names))

    def _changed(self, prediction: Any, volume: Any) -> bool:
        stamp = content_stamp(prediction, volume)
        kept = self._edited.get(prediction.GetID())
        if kept is not None and kept[0] == stamp:
            return kept[1]
        found = was_edited(prediction, volume)
        self._edited[prediction.GetID()] = (stamp, found)
        return found


def labels_and_slices(volume: Any, classes: Sequence[SegmentClass], axis: Axis) -> tuple[np.ndarray, list[int]]:
    """The label map of a volume's annotations on its grid, and the slices that count, from 0.

    Raises:
        InputError: there is no annotation; it may have been removed since the table was read.
    """
    annotations = annotations_of(volume)
    if not annotations:
        raise InputError(_("There is no annotation of {name} any more.").format(name=volume.GetName()))
    labels = joined(annotations, volume, classes).labels
    geometry = geometry_of(volume)
    drawn = drawn_slices(labels, geometry, axis)
    return labels, choice_of(*annotations).numbers(drawn, slice_count(geometry, axis))


def _with_segments(volume: Any, classes: Sequence[SegmentClass]) -> tuple[SegmentClass, ...]:
    """The classes, and after them the new names of a volume's annotations, the earliest first."""
    for annotation in reversed(annotations_of(volume)):
        classes = extended(classes, segments_of(annotation))
    return tuple(classes)


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


def content_stamp(node: Any, volume: Any) -> tuple[object, ...]:
    """Changes whenever what a segmentation node holds does: a segment, its name, the volume's grid or a transform changes."""
    segmentation = node.GetSegmentation()
    parts: list[object] = [node.GetTransformNodeID(), volume.GetTransformNodeID(), volume.GetMTime()]
    for facts in segments_of(node):
        segment = segmentation.GetSegment(facts.id)
        image = segment.GetRepresentation(segmentation.GetSourceRepresentationName())
        parts += [facts.id, facts.name, segment.GetMTime(), image.GetMTime() if image is not None else 0]
    return tuple(parts)
