"""What the parts of PCLSegmentation's panel share: the session, the scene's parameters, and the cases as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import slicer

from PCLLib.case_states import Case
from PCLLib.finetune_beginning import axis_for
from PCLLib.finetune_settings import FinetuneSettings
from PCLLib.scene_volumes import case_key, leave_out
from PCLLib.segment_classes import SegmentClass, class_list, read_class_list, renamed, with_renaming
from PCLLib.segmentation_parameters import SegmentationParameters, settings_of
from PCLLib.segmentation_session import SegmentationSession
from PCLLib.signals import Signal


class Desk:
    """Holds what is shown; the parts of the panel read it, and ask for another look by ``refresh``.

    Signals:
        refresh: the cases have to be read again.
        volume_wanted: a volume node is to be shown.
        case_wanted: a case is to be loaded and shown.

    Args:
        session: the work.
    """

    def __init__(self, session: SegmentationSession) -> None:
        self.refresh = Signal[[]]()
        self.volume_wanted = Signal[[Any]]()
        self.case_wanted = Signal[[Case]]()
        self.session = session
        self.parameters: SegmentationParameters | None = None
        self.cases: tuple[Case, ...] = ()
        self.chosen: Case | None = None
        self.volume: Any = None

    @property
    def settings(self) -> FinetuneSettings | None:
        """The parameters as the session takes them; None when the scene is closed."""
        return settings_of(self.parameters) if self.parameters is not None else None

    @property
    def device(self) -> str:
        """auto, cpu or cuda."""
        return self.parameters.device.value if self.parameters is not None else "auto"

    @property
    def classes(self) -> tuple[SegmentClass, ...]:
        """The class list that holds now."""
        settings = self.settings
        if self.parameters is None or settings is None:
            return ()
        return self.session.classes_for(settings, read_class_list(self.parameters.classes))

    def rename_class(self, old: str, new: str) -> None:
        """Calls a class by another name, in this scene and in the models that are made of it."""
        if self.parameters is not None:
            names = with_renaming(self.session.segmenting.renamed, old, new)
            classes = class_list(renamed(self.classes, names))
            self.parameters.renamed = json.dumps(names, ensure_ascii=False)
            self.parameters.classes = classes

    @property
    def left_out(self) -> frozenset[str]:
        """The keys of the cases whose check boxes are cleared, or would be if they were annotated."""
        files = set(self.parameters.leftOut) if self.parameters is not None else set()
        return frozenset(case.key for case in self.cases if case.left_out or case.key in files)

    def leave_out(self, case: Case, on: bool) -> None:
        """Clears or sets the check box of one case; the marks of all others stay.

        A volume that came from a folder goes by its file, also when that folder is not among the chosen ones any more.
        """
        if self.parameters is None:
            return
        node = slicer.mrmlScene.GetNodeByID(case.key)
        if node is not None:
            leave_out(node, on)
        else:
            others = [key for key in self.parameters.leftOut if key != case.key]
            self.parameters.leftOut = [*others, case.key] if on else others
        self.refresh.emit()

    @property
    def to_learn_from(self) -> tuple[Case, ...]:
        """The annotated cases whose check boxes are set."""
        left_out = self.left_out
        return tuple(case for case in self.cases if case.annotated and case.key not in left_out)

    def case_of(self, volume: Any) -> Case | None:
        """The case of a volume node."""
        if volume is None:
            return None
        key = case_key(volume)
        return next((case for case in self.cases if case.key == key), None)

    def read(self) -> None:
        """Reads the cases again."""
        settings = self.settings
        if settings is not None:
            self.session.book.axis = axis_for(settings, self.classes)
            self.cases = self.session.book.cases(self.classes)
        else:
            self.cases = ()


def default_out(parameters: SegmentationParameters, documents: Path) -> Path:
    """Where models go unless a person says otherwise: beside the first folder of cases, or among the documents."""
    if parameters.folders:
        folder = Path(parameters.folders[0])
        return folder.with_name(f"{folder.name or 'volumes'}_models")
    return documents / "PCL models"
