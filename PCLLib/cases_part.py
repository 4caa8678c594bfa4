"""The section "Cases" of the panel: the table, folders, labels that exist already, and which slices count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PCLLib import case_table
from PCLLib import segmentation_texts as texts
from PCLLib.case_states import Case
from PCLLib.case_table import CaseTable
from PCLLib.label_import import ImportLabelsError, import_labels
from PCLLib.questions import Questions
from PCLLib.scene_volumes import node_of
from PCLLib.segment_classes import class_list, matched
from PCLLib.segment_nodes import segments_of
from PCLLib.segment_roles import annotation_of, annotations_of, choice_of, set_choice
from PCLLib.segmentation_desk import Desk
from PCLLib.signals import Signal
from PCLLib.slice_choice import Counting, SliceChoice

_LABELS = "*.nrrd *.nii *.nii.gz *.mha *.mhd *.dcm"


class CasesPart:
    """Binds the widgets of the section.

    Signals:
        annotate: a case is to be drawn in.

    Args:
        ui: the widgets by their names.
        desk: what is shown.
        questions: whom to ask for folders and files.
    """

    def __init__(self, ui: Any, desk: Desk, questions: Questions) -> None:
        self.annotate = Signal[[Case]]()
        self._ui, self._desk, self._questions = ui, desk, questions
        self._table = CaseTable(ui.caseTable)
        self._filling = False
        self._renaming: tuple[str, str] | None = None
        for counting in Counting:
            ui.countingComboBox.addItem(counting.label())
        self._table.left_out_changed.connect(desk.leave_out)
        self._table.chosen.connect(self._choose)
        self._table.wanted.connect(self.show_case)
        desk.case_wanted.connect(self._show_and_choose)
        ui.addFolderButton.clicked.connect(lambda *_arguments: self._ask_folder())
        ui.removeFolderButton.clicked.connect(lambda *_arguments: self._remove_folders())
        ui.annotateButton.clicked.connect(lambda *_arguments: self._annotate())
        ui.importButton.clicked.connect(lambda *_arguments: self._ask_labels())
        ui.renameButton.clicked.connect(lambda *_arguments: self._rename_class())
        ui.classesButton.clicked.connect(lambda *_arguments: self._add_classes())
        ui.countingComboBox.currentIndexChanged.connect(self._count)
        ui.firstSpinBox.valueChanged.connect(self._count)
        ui.lastSpinBox.valueChanged.connect(self._count)

    def show(self) -> None:
        """Shows the cases of the desk."""
        left_out = self._desk.left_out
        self._table.show(self._desk.cases, left_out)
        self._ui.tableLabel.setText(case_table.summary(self._desk.cases, left_out))

    def choose(self, key: str) -> None:
        """Chooses the row of a case."""
        self._table.choose(key)

    def render(self) -> None:
        """Shows what can be done with the chosen case."""
        ui, case, idle = self._ui, self._desk.chosen, self._desk.session.states.idle
        ui.caseTable.setEnabled(idle)
        ui.addFolderButton.setEnabled(idle)
        parameters = self._desk.parameters
        ui.removeFolderButton.setEnabled(idle and parameters is not None and bool(parameters.folders))
        ui.annotateButton.setEnabled(idle and case is not None)
        ui.importButton.setEnabled(idle and case is not None)
        classes = self._desk.classes
        new = [entry.name for entry in self._desk.session.book.all_classes(classes)[len(classes) :]] if classes else []
        ui.classesButton.setVisible(bool(new))
        ui.classesButton.setEnabled(idle)
        ui.classesButton.setText(_("New class: {names}").format(names=", ".join(new[:2]) + (" ..." if len(new) > 2 else "")))
        self._render_counting(case)

        self._renaming = self._desk.session.book.renamed_class(classes) if new else None
        ui.renameButton.setVisible(self._renaming is not None)
        ui.renameButton.setEnabled(idle)
        if self._renaming is not None:
            ui.renameButton.setText(_('Call the class "{old}" "{new}"').format(old=self._renaming[0], new=self._renaming[1]))

    def _render_counting(self, case: Case | None) -> None:
        ui = self._ui
        shown = case is not None and case.annotated
        choice = self._choice(case)
        for widget in (ui.countingLabel, ui.countingComboBox):
            widget.setVisible(shown)
        for widget in (ui.rangeLabel, ui.firstSpinBox, ui.lastSpinBox):
            widget.setVisible(shown and choice.counting is Counting.RANGE)
        for widget in (ui.countingComboBox, ui.firstSpinBox, ui.lastSpinBox):
            widget.setEnabled(self._desk.session.states.idle)
        if case is None or not shown:
            return
        self._filling = True
        ui.countingComboBox.setCurrentIndex(list(Counting).index(choice.counting))
        for box, value in ((ui.firstSpinBox, choice.first), (ui.lastSpinBox, choice.last)):
            box.setMaximum(max(1, case.slices))
            box.setValue(value)
        self._filling = False

    def _choice(self, case: Case | None) -> SliceChoice:
        if case is None or not case.loaded:
            return SliceChoice(Counting.ALL)
        try:
            return choice_of(*annotations_of(node_of(case)))
        except RuntimeError:
            return SliceChoice(Counting.DRAWN)

    # What a person does

    def show_case(self, case: Case) -> None:
        """Loads a case when that is needed, with its labels, and shows it."""
        volume = self._loaded(case)
        if volume is not None:
            self._desk.volume_wanted.emit(volume)

    def _show_and_choose(self, case: Case) -> None:
        self.show_case(case)
        self.choose(case.key)

    def _loaded(self, case: Case) -> Any:
        try:
            volume = node_of(case)
            if case.labels is not None and annotation_of(volume) is None:
                import_labels(case.labels, volume, self._desk.classes, case.row)
        except RuntimeError:
            self._desk.session.tell(
                texts.problem(_("Slicer could not load {name}.").format(name=case.name), str(case.path or ""))
            )
            return None
        except ImportLabelsError as error:
            self._desk.session.tell(texts.problem(str(error)))
        self._desk.refresh.emit()
        return volume

    def _choose(self, case: Case | None) -> None:
        self._desk.chosen = case
        self.render()

    def _ask_folder(self) -> None:
        self._questions.choose_folder(_("Folder of volumes"), self.add_folder)

    def add_folder(self, folder: Path) -> None:
        """Adds the volumes of a folder to the cases."""
        parameters = self._desk.parameters
        if parameters is None:
            return
        if str(folder) not in parameters.folders:
            parameters.folders = [*parameters.folders, str(folder)]
        self._desk.session.folders.choose([Path(one) for one in parameters.folders], again=Path(str(folder)))

    def _remove_folders(self) -> None:
        if self._desk.parameters is not None:
            self._desk.parameters.folders = []
            self._desk.session.folders.choose([])

    def _annotate(self) -> None:
        if self._desk.chosen is not None:
            self.annotate.emit(self._desk.chosen)

    def _add_classes(self) -> None:
        """Segments whose names are new become classes of the next fine-tuning."""
        if self._desk.parameters is not None:
            self._desk.parameters.classes = class_list(self._desk.session.book.all_classes(self._desk.classes))
            self._desk.refresh.emit()

    def _rename_class(self) -> None:
        """Segments were renamed: the class is called as they are, in the models that are made of it, too."""
        if self._renaming is not None:
            self._desk.rename_class(*self._renaming)
            self._desk.refresh.emit()

    def _ask_labels(self) -> None:
        case = self._desk.chosen
        if case is None:
            return
        dialog = qt.QFileDialog(slicer.util.mainWindow(), _("Labels of {name}").format(name=case.name))
        dialog.setObjectName("PCLLabelsQuestion")
        dialog.setFileMode(qt.QFileDialog.ExistingFile)
        dialog.setNameFilter(_("Labels and segmentations ({patterns})").format(patterns=_LABELS))

        def finished(result: int) -> None:
            paths = list(dialog.selectedFiles()) if result else []
            dialog.deleteLater()
            if paths:
                self._import(case, Path(paths[0]))

        dialog.finished.connect(finished)
        dialog.open()

    def _import(self, case: Case, path: Path) -> None:
        volume = self._loaded(case)
        if volume is None:
            return
        classes = self._desk.classes
        try:
            node = import_labels(path, volume, classes, case.row)
            unknown = matched(segments_of(node), classes).unknown if classes else ()
            message = texts.imported_unknown(unknown, classes) if unknown else None
        except ImportLabelsError as error:
            message = texts.problem(str(error), _("Choose another file."))
        self._desk.session.tell(message)
        self._desk.refresh.emit()
        self._desk.volume_wanted.emit(volume)

    def _count(self, *_arguments: object) -> None:
        case = self._desk.chosen
        if self._filling or case is None:
            return
        ui = self._ui
        counting = list(Counting)[ui.countingComboBox.currentIndex]
        before = self._choice(case)
        first, last = ui.firstSpinBox.value, ui.lastSpinBox.value
        if counting is Counting.RANGE and before.counting is not Counting.RANGE and case.counted:
            first, last = case.counted[0] + 1, case.counted[-1] + 1
        volume = self._loaded(case)
        annotations = annotations_of(volume) if volume is not None else []
        for annotation in annotations:
            set_choice(annotation, SliceChoice(counting, first, last))
        if annotations:
            self._desk.refresh.emit()
