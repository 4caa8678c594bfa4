"""The checked cases as files that the engine fine-tunes on."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from pcl_core.volumes import data_sets
from pcl_core.volumes.axes import Axis
from pcl_core.volumes.volume import NOT_ANNOTATED
from pcl_core.volumes.writing import write_volume
from PCLLib.case_book import labels_and_slices
from PCLLib.case_states import Case
from PCLLib.label_classes import described
from PCLLib.label_import import ImportLabelsError, classes_of_file, import_labels
from PCLLib.scene_volumes import node_of, patient_of
from PCLLib.segment_classes import SegmentClass, plain_name, write_class_list
from PCLLib.segment_roles import annotation_of
from PCLLib.volume_nodes import geometry_of, write_volume_node


@dataclass(frozen=True)
class TrainingSet:
    """Where the files lie, and who is who.

    Attributes:
        folder: of all of it.
        names: what people call a case, by the engine's name of it.
        layout: that the engine is told: label values above a byte are those of a data set that it knows.
    """

    folder: Path
    names: Mapping[str, str]
    layout: str = "folder"

    @property
    def words(self) -> list[object]:
        """The arguments of ``finetune`` that name the files."""
        return [
            self.folder / "images",
            self.folder / "labels",
            "--layout",
            self.layout,
            "--annotated-slices",
            self.folder / "annotated_slices.json",
            "--class-list",
            self.folder / "classes.json",
            "--patients",
            self.folder / "patients.json",
        ]


def write_training_set(
    folder: Path,
    cases: Sequence[Case],
    classes: Sequence[SegmentClass],
    axis: Axis,
    advanced: Callable[[int], None] = lambda _number: None,
) -> TrainingSet:
    """Writes images, label maps, the slices that count, and the class list. Volumes that were loaded for it are removed again.

    Args:
        folder: that is there and empty.
        cases: annotated ones.
        classes: of the model to be.
        axis: across which slices are counted.
        advanced: is called with the number of cases that are written.

    Raises:
        RuntimeError: Slicer cannot load a file.
        ImportLabelsError: a label file cannot be read, or has labels that are none of the classes.
        InputError: a file cannot be written, or an annotation is gone.
        NotAVolumeError: a volume has no voxels any more.
        OSError: likewise.
    """
    for case in cases:
        _require_classes(case, classes)
    names: dict[str, str] = {}
    slices: dict[str, list[int]] = {}
    for number, case in enumerate(cases, 1):
        name = file_name(number, case.name)
        names[name] = case.name
        before = _nodes()
        try:
            slices[name] = _write_case(case, folder, name, classes, axis)
        finally:  # what the table says of it may be of yesterday: what was open before stays open
            for node in [node for key, node in _nodes().items() if key not in before]:
                slicer.mrmlScene.RemoveNode(node)
        advanced(number)
    (folder / "annotated_slices.json").write_text(json.dumps(slices), encoding="utf-8")
    (folder / "patients.json").write_text(json.dumps(_patients(dict(zip(names, cases, strict=True)))), encoding="utf-8")
    write_class_list(folder / "classes.json", classes)
    return TrainingSet(folder, names, layout_of(classes))


def layout_of(classes: Sequence[SegmentClass]) -> str:
    """The layout that the engine is told: that of the data set whose label values these are, where it has values of its own."""
    values = tuple(entry.value for entry in classes)
    data_set = data_sets.labels_of(values) if max(values, default=0) > NOT_ANNOTATED else None
    return "folder" if data_set is None else data_set.name


def _require_classes(case: Case, classes: Sequence[SegmentClass]) -> None:
    """A label file that nobody has looked at yet must not become background where it says otherwise."""
    if case.labels is None:
        return
    known = {plain_name(entry.name) for entry in classes}
    strange = [entry for entry in classes_of_file(case.labels, case.row, classes) if plain_name(entry.name) not in known]
    if strange:
        raise ImportLabelsError(
            _("{path} has labels that are none of the classes {known}: {values}. Open the case to see what they are.").format(
                path=case.labels, known=", ".join(entry.name for entry in classes), values=described(strange)
            )
        )


def _write_case(case: Case, folder: Path, name: str, classes: Sequence[SegmentClass], axis: Axis) -> list[int]:
    volume = node_of(case)
    annotation = annotation_of(volume)
    if annotation is None and case.labels is not None:
        annotation = import_labels(case.labels, volume, classes, case.row)
    labels, slices = labels_and_slices(volume, classes, axis)
    write_volume_node(volume, folder / "images" / f"{name}.nrrd", compressed=False)
    write_volume(folder / "labels" / f"{name}.nrrd", labels, geometry_of(volume))
    return slices


def _nodes() -> dict[str, Any]:
    """The segmentations and volumes of the scene by their ids."""
    kinds = ("vtkMRMLSegmentationNode", "vtkMRMLVolumeNode")
    return {node.GetID(): node for kind in kinds for node in slicer.util.getNodesByClass(kind)}


def _patients(cases: Mapping[str, Case]) -> dict[str, str]:
    """Whose the cases are, by the engine's names of them: frames and series of one patient must not part company.

    A volume of the scene, of which nothing is known, is a patient of its own. The names are of plain letters, since folders
    are called so.
    """
    known = [patient_of(case) or None for case in cases.values()]
    numbers = {patient: number for number, patient in enumerate(dict.fromkeys(known), 1)}
    return {
        name: name if patient is None else f"patient-{numbers[patient]:03d}" for name, patient in zip(cases, known, strict=True)
    }


def file_name(number: int, name: str) -> str:
    """Unique, of plain letters, and such that no rule takes it for the name of a label map."""
    plain = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40]
    return f"{number:03d}-{plain or _('case')}-volume"
