"""The section "Review" of the panel: accept, correct, learn from what was corrected, export."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from pcl_core.errors import InputError
from PCLLib import segmentation_texts as texts
from PCLLib.annotations import as_one
from PCLLib.case_states import CaseState
from PCLLib.export import classes_for, default_name, export_labels
from PCLLib.keeping import accept, mark_annotated
from PCLLib.kept_part import KeptPart
from PCLLib.predictions import Click
from PCLLib.segment_roles import Role, annotations_of, prediction_of, role_of, segmentations_of
from PCLLib.segmentation_desk import Desk
from PCLLib.signals import Signal


class ReviewPart:
    """Binds the widgets of the section.

    Signals:
        correct: a segmentation is to be corrected, of a volume.

    Args:
        ui: the widgets by their names.
        desk: what is shown.
    """

    def __init__(self, ui: Any, desk: Desk) -> None:
        self.correct = Signal[[Any, Any]]()
        self._ui, self._desk = ui, desk
        self._kept = KeptPart(ui, desk)
        ui.acceptButton.clicked.connect(lambda *_arguments: self._accept())
        ui.correctButton.clicked.connect(lambda *_arguments: self._correct())
        ui.markButton.clicked.connect(lambda *_arguments: self._mark())
        ui.exportButton.clicked.connect(lambda *_arguments: self._ask_export())

    @property
    def _prediction(self) -> Any:
        volume = self._desk.volume
        return prediction_of(volume) if volume is not None and slicer.mrmlScene.IsNodePresent(volume) else None

    def render(self) -> None:
        """Shows what can be done with the shown volume."""
        ui, idle, node = self._ui, self._desk.session.states.idle, self._prediction
        case = self._desk.case_of(self._desk.volume)
        state = case.sentence() if case is not None else ""
        ui.reviewLabel.setText(_("{name}: {state}").format(name=case.name, state=state) if case is not None else "")
        ui.acceptButton.setEnabled(idle and node is not None and role_of(node) is Role.PREDICTION)
        for button in (ui.correctButton, ui.markButton):
            button.setEnabled(idle and node is not None)
        ui.exportButton.setEnabled(idle and bool(self._to_export()))
        self._kept.render()

    def _accept(self) -> None:
        node = self._prediction
        if node is not None:
            self._desk.session.segmenting.reviewed(Click(changed=accept(node, self._desk.volume)))

    def _correct(self) -> None:
        node = self._prediction
        if node is not None:
            self.correct.emit(node, self._desk.volume)

    def _mark(self) -> None:
        """The corrected segmentation is learned from; an earlier annotation is kept, but not learned from."""
        node, volume = self._prediction, self._desk.volume
        if node is not None:
            self._desk.session.segmenting.reviewed(Click(changed=mark_annotated(node, volume)))

    def _to_export(self) -> list[Any]:
        """What people stand behind first: the accepted segmentation of the shown volume, else its whole annotation.

        Else the prediction, else what is drawn so far; annotations may be several segmentations.
        """
        volume = self._desk.volume
        if volume is None or not slicer.mrmlScene.IsNodePresent(volume):
            return []
        accepted, drawn = segmentations_of(volume, Role.REVIEWED)[:1], annotations_of(volume)
        predicted = segmentations_of(volume, Role.PREDICTION)[:1]
        case = self._desk.case_of(volume)
        whole = drawn if case is not None and case.state is CaseState.ANNOTATED else []
        return accepted or whole or predicted or drawn

    def _ask_export(self) -> None:
        nodes, volume = self._to_export(), self._desk.volume
        if not nodes:
            return
        dialog = qt.QFileDialog(slicer.util.mainWindow(), _("Export the segmentation"))
        dialog.setObjectName("PCLExportQuestion")
        dialog.setAcceptMode(qt.QFileDialog.AcceptSave)
        dialog.setFileMode(qt.QFileDialog.AnyFile)
        dialog.setNameFilter(_("Label maps ({patterns})").format(patterns="*.nrrd *.nii.gz *.nii *.mha"))
        dialog.setDefaultSuffix("nrrd")
        dialog.selectFile(default_name(volume.GetName()))

        def finished(result: int) -> None:
            paths = list(dialog.selectedFiles()) if result else []
            dialog.deleteLater()
            if paths:
                self._export(nodes, volume, Path(paths[0]))

        dialog.finished.connect(finished)
        dialog.open()

    def _export(self, nodes: Sequence[Any], volume: Any, path: Path) -> None:
        try:
            with as_one(nodes, volume, self._desk.classes) as node:
                axis = self._desk.session.book.axis
                written = export_labels(node, volume, classes_for(node, self._desk.classes), path, axis)
        except InputError as error:
            self._desk.session.tell(texts.problem(error.message, error.hint))
        else:
            what = texts.what_was_exported(role_of(nodes[0]), [node.GetName() for node in nodes])
            self._desk.session.tell(texts.exported(written, what))
