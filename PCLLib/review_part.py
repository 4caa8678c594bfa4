"""The section "Review" of the panel: accept, correct, learn from what was corrected, export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from pcl_core.errors import InputError
from PCLLib import segmentation_texts as texts
from PCLLib.export import classes_for, default_name, export_labels
from PCLLib.segment_roles import Role, annotation_of, prediction_of, role_of, segmentations_of, set_choice, set_role
from PCLLib.segmentation_desk import Desk
from PCLLib.signals import Signal
from PCLLib.slice_choice import Counting, SliceChoice


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
        ui.exportButton.setEnabled(idle and self._to_export() is not None)

    def _accept(self) -> None:
        node = self._prediction
        if node is not None:
            for earlier in segmentations_of(self._desk.volume, Role.REVIEWED):
                set_role(earlier, Role.ASIDE)
            set_role(node, Role.REVIEWED)
            self._desk.refresh.emit()

    def _correct(self) -> None:
        node = self._prediction
        if node is not None:
            self.correct.emit(node, self._desk.volume)

    def _mark(self) -> None:
        """The corrected segmentation is learned from; an earlier annotation is kept, but not learned from."""
        node, volume = self._prediction, self._desk.volume
        if node is None:
            return
        for earlier in segmentations_of(volume, Role.ANNOTATION):
            set_role(earlier, Role.ASIDE)
        set_role(node, Role.ANNOTATION)
        set_choice(node, SliceChoice(Counting.ALL))
        self._desk.refresh.emit()

    def _to_export(self) -> Any:
        """The prediction of the shown volume, or else its annotation."""
        volume = self._desk.volume
        if volume is None or not slicer.mrmlScene.IsNodePresent(volume):
            return None
        return prediction_of(volume) or annotation_of(volume)

    def _ask_export(self) -> None:
        node, volume = self._to_export(), self._desk.volume
        if node is None:
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
                self._export(node, volume, Path(paths[0]))

        dialog.finished.connect(finished)
        dialog.open()

    def _export(self, node: Any, volume: Any, path: Path) -> None:
        try:
            axis = self._desk.session.book.axis
            written = export_labels(node, volume, classes_for(node, self._desk.classes), path, axis)
        except InputError as error:
            self._desk.session.tell(texts.problem(error.message, error.hint))
        else:
            self._desk.session.tell(texts.exported(written))
