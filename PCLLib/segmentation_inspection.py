"""The cases of PCLSegmentation as the engine's inputs and back, for the inspector and for "Annotate next"."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _

from pcl_core.volumes.axes import Axis
from PCLLib.case_states import Case
from PCLLib.position_report import PlacedVolume
from PCLLib.scene_volumes import node_of
from PCLLib.segmentation_desk import Desk
from PCLLib.training_set import file_name
from PCLLib.volume_display import loaded_from
from PCLLib.volume_nodes import write_volume_node
from PCLLib.weight_files import WeightFile, WeightFileError


class SegmentationInspection:
    """What the inspector is told of the cases.

    Args:
        desk: the cases, and who shows them.
    """

    decides = False

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._files: dict[str, Path] = {}  # what the engine was handed, by the key of the case

    def why_not(self) -> str:
        """Why there is nothing to look at now."""
        session = self._desk.session
        if session.installer.needed and not session.states.idle:
            return _("Wait until what runs is over.")
        if len(self._desk.cases) < 2:
            return _("Open two or more volumes, or add a folder of them.")
        return ""

    # Out

    def words(self, folder: Path) -> Sequence[object]:
        """Volumes of the scene are written out; those of chosen folders are read where they are."""
        return [*self.inputs(folder), *self.counting(self._desk.session.book.axis), "--device", self._desk.device]

    def counting(self, axis: Axis) -> list[object]:
        """The options by which the engine counts slices as the table does.

        The cases are one set, as in a fine-tuning: what the axis "auto" is does not follow from the names in the first folder.
        """
        return ["--axis", axis, "--layout", "folder"]

    def inputs(self, folder: Path) -> list[object]:
        """The inputs of the engine.

        Args:
            folder: for the volumes of the scene.

        Raises:
            RuntimeError, InputError, OSError: a volume cannot be written.
        """
        self._files = {row.key: row.path for row in self._desk.session.book.rows()}
        in_folders = set(self._files.values())
        for number, case in enumerate(self._desk.cases, 1):
            if case.key not in self._files:
                path = folder / "volumes" / f"{file_name(number, case.name)}.nrrd"
                write_volume_node(node_of(case), path, compressed=False)
                self._files[case.key] = path
        written: list[object] = [folder / "volumes"] if (folder / "volumes").is_dir() else []
        parameters = self._desk.parameters
        folders = parameters.folders if parameters is not None else []
        return [*written, *(one for one in folders if any(path.is_relative_to(one) for path in in_folders))]

    def name_for_engine(self, case: Case) -> str | None:
        """What the engine knows a case of the last inputs by: its file, and its number when the file holds several volumes."""
        path, part = self._files.get(case.key), _part_of(case)
        if path is None or part is None:
            return None if path is None else str(path)
        return f"{path}#{part}"

    def encoder(self) -> Path | None:
        """The encoder that a fine-tuning begins with."""
        about = self._weights()
        return about.path if about is not None else None

    def encoder_beside(self, model: WeightFile | None) -> Path | None:
        """That encoder, unless it takes slices across another axis than a model: both can then not be counted alike."""
        about = self._weights()
        if about is None or (model is not None and model.plan.slices.axis != about.plan.slices.axis):
            return None
        return about.path

    def threshold(self) -> float:
        """The threshold that the encoder was trained by."""
        about = self._weights()
        return about.plan.pretrain.threshold if about is not None else 0.0

    def axis_of(self, model: WeightFile | None) -> Axis:
        """Across which slices the engine counts, given the model and the encoder that it is handed."""
        about = model if model is not None else self._weights()
        return about.plan.slices.axis if about is not None else self._desk.session.book.axis

    def _weights(self) -> WeightFile | None:
        parameters = self._desk.parameters
        if parameters is None or not parameters.encoder:
            return None
        try:
            return WeightFile.read(Path(parameters.encoder), "encoder")
        except WeightFileError:
            return None

    # Back

    def case_of(self, path: Path, part: int | None) -> Case | None:
        """The case of one of the last inputs, by its file and its number among several; None when it is gone.

        Its id may be another one here, where the engine was given several folders.
        """
        cases = (case for case in self._desk.cases if self._files.get(case.key) == path and _part_of(case) == part)
        return next(cases, None)

    def marks(self) -> tuple[Collection[str], Collection[str]]:
        """Nothing is decided here: a segmentation does not depend on positions."""
        return (), ()

    def name_of(self, volume: PlacedVolume) -> str:
        """The name in the table of cases."""
        case = self.case_of(volume.path, volume.part)
        return case.name if case is not None and case.path is None else volume.id

    def node_of(self, volume: PlacedVolume) -> Any:
        """The volume node; None while the case is not loaded."""
        case = self.case_of(volume.path, volume.part)
        return None if case is None else loaded_from(case.key) or slicer.mrmlScene.GetNodeByID(case.key)

    def volume_of(self, node: Any, volumes: Sequence[PlacedVolume]) -> PlacedVolume | None:
        """The volume of a node."""
        case = self._desk.case_of(node)
        if case is None:
            return None
        path, part = self._files.get(case.key), _part_of(case)
        return next((one for one in volumes if one.path == path and one.part == part), None)

    def open(self, volume: PlacedVolume) -> Any:
        """Shows the case as a double click in the table does."""
        case = self.case_of(volume.path, volume.part)
        if case is None:
            raise RuntimeError(volume.id)
        return self.open_case(case)

    def open_case(self, case: Case) -> Any:
        """Loads a case when it is not there yet, and shows it. Raises RuntimeError when Slicer cannot load it."""
        self._desk.case_wanted.emit(case)
        return node_of(case)

    def leave_out(self, volume: PlacedVolume, on: bool) -> None:
        """Is not offered."""

    def flip(self, volume: PlacedVolume, on: bool) -> None:
        """Is not offered."""

    def use_threshold(self, value: float) -> None:
        """Is not offered."""


def _part_of(case: Case) -> int | None:
    return None if case.row is None else case.row.part
