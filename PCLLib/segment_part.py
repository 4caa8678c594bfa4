"""The section "Segment" of the panel: one click segments the shown volume; what is shown of the result."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PCLLib import overlay
from PCLLib import segmentation_texts as texts
from PCLLib.case_book import content_stamp
from PCLLib.class_view import ClassView
from PCLLib.questions import Questions
from PCLLib.scene_volumes import volumes_of_scene, why_no_case
from PCLLib.segment_nodes import mask_of, segments_of
from PCLLib.segment_roles import prediction_of
from PCLLib.segment_run import SegmentReport
from PCLLib.segmentation_desk import Desk
from PCLLib.volume_nodes import geometry_of

_LATER_MS = 50


class SegmentPart:
    """Binds the widgets of the section.

    Args:
        ui: the widgets by their names.
        desk: what is shown.
        questions: whom to ask for folders.
    """

    def __init__(self, ui: Any, desk: Desk, questions: Questions) -> None:
        self._ui, self._desk, self._questions = ui, desk, questions
        self._classes = ClassView(ui.classTable)
        self._filling = False
        self._unlike: tuple[object, list[str]] = (None, [])
        self._millilitres: dict[str, tuple[object, Mapping[str, float]]] = {}
        self._later = qt.QTimer()
        self._later.setSingleShot(True)
        self._later.setInterval(_LATER_MS)
        self._later.timeout.connect(self._show_3d)
        self._surface: Any = None
        self._shown: Any = None  # in the slice views, when they were last looked at
        desk.session.segmenting.segmented.connect(self._segmented)
        ui.segmentButton.clicked.connect(lambda *_arguments: self._segment())
        ui.undoButton.clicked.connect(lambda *_arguments: self._undo())
        ui.segmentAllButton.clicked.connect(lambda *_arguments: self._segment_all())
        ui.segmentFolderButton.clicked.connect(lambda *_arguments: self._ask_folder())
        ui.volumeComboBox.setMRMLScene(slicer.mrmlScene)
        ui.volumeComboBox.connect("currentNodeChanged(vtkMRMLNode*)", self._volume_chosen)
        ui.opacitySliderWidget.valueChanged.connect(self._opacity)

    def stop(self) -> None:
        """The scene is closed."""
        self._later.stop()
        self._surface = self._shown = None
        self._millilitres = {}
        self._classes.show(None, {})

    # What is shown

    def show_volume(self, volume: Any) -> None:
        """Shows a volume with its segmentation, and makes it the one that Segment works on."""
        self._desk.volume = volume
        self._filling = True
        self._ui.volumeComboBox.setCurrentNode(volume)
        self._filling = False
        if volume is not None:
            self._into_views(volume)
        self.show_result()
        node = self.result
        if node is not None:
            overlay.set_opacity(node, self._ui.opacitySliderWidget.value)
            if not overlay.has_surfaces(node):
                self._show_3d_soon(node)
        self._desk.session.changed.emit()

    def _into_views(self, volume: Any) -> None:
        overlay.show_volume_node(volume)
        overlay.show_of(volume)
        self._shown = overlay.shown_volume()

    def follow(self) -> None:
        """Takes the volume that a person has shown in the slice views, by whatever way; else keeps the one that it has."""
        volume, shown, usable = self._desk.volume, overlay.shown_volume(), volumes_of_scene()
        if shown in usable and (shown is not self._shown or not self._is_there(volume)):
            volume = shown
        elif not self._is_there(volume):
            volume = usable[-1] if usable else None
        self._shown = shown
        if volume is not None and volume is not self._desk.volume:
            overlay.show_of(volume)
        self._desk.volume = volume
        self._filling = True
        self._ui.volumeComboBox.setCurrentNode(volume)
        self._filling = False

    @staticmethod
    def _is_there(volume: Any) -> bool:
        return volume is not None and bool(slicer.mrmlScene.IsNodePresent(volume))

    def show_result(self) -> None:
        """Shows the classes of the shown volume's result."""
        node = self.result
        if node is None:
            self._classes.show(None, {})
            return
        stamp = content_stamp(node, self._desk.volume)
        kept = self._millilitres.get(node.GetID())
        if kept is None or kept[0] != stamp:
            kept = self._millilitres[node.GetID()] = (stamp, millilitres_of(node, self._desk.volume))
        self._classes.show(node, kept[1])

    @property
    def result(self) -> Any:
        """The shown volume's prediction, or None."""
        volume = self._desk.volume
        return prediction_of(volume) if self._is_there(volume) else None

    def render(self) -> None:
        """Shows what can be done."""
        ui, session = self._ui, self._desk.session
        idle, there = session.states.idle, session.segmenting.model is not None
        for widget in (ui.modelPathLineEdit, ui.volumeComboBox, ui.confidenceCheckBox):
            widget.setEnabled(idle)
        reason = "" if there else _("Fine-tune a model first, or choose the file of one.")
        volume_reason = reason or self._why_not()
        ui.segmentButton.setEnabled(idle and not volume_reason)
        ui.segmentButton.setToolTip(volume_reason or _("Segment the shown volume into a new segmentation."))
        ui.segmentAllButton.setEnabled(idle and not reason and any(case.to_be_segmented for case in self._desk.cases))
        ui.segmentFolderButton.setEnabled(idle and not reason)
        ui.undoButton.setEnabled(idle and session.segmenting.last_click is not None)
        sentence = texts.unlike(self._unlike_sentences())
        ui.unlikeLabel.setText(sentence)
        ui.unlikeLabel.setVisible(bool(sentence))
        ui.unlikeLabel.setStyleSheet("background: #fff3d6; color: #202020; padding: 4px;")
        has_result = self.result is not None
        for widget in (ui.classTable, ui.opacityLabel, ui.opacitySliderWidget):
            widget.setVisible(has_result)

    def _why_not(self) -> str:
        """Why the shown volume cannot be segmented; empty when it can."""
        volume = self._desk.volume
        if not self._is_there(volume):
            return _("Open a volume first.")
        if self._desk.case_of(volume) is not None:
            return ""
        return why_no_case(volume) or _("{name} is not among the cases yet.").format(name=volume.GetName())

    def _unlike_sentences(self) -> list[str]:
        volume, model = self._desk.volume, self._desk.session.segmenting.model
        if model is None or not self._is_there(volume):
            return []
        stamp = (volume.GetID(), volume.GetMTime(), model.path)
        if self._unlike[0] != stamp:
            self._unlike = (stamp, self._desk.session.segmenting.unlike(volume))
        return self._unlike[1]

    # What a person does

    def _volume_chosen(self, node: Any) -> None:
        if not self._filling:
            self.show_volume(node)

    def _segment(self) -> None:
        case = self._desk.case_of(self._desk.volume)
        if case is not None:
            self._desk.session.segmenting.segment([case], self._desk.device, self._ui.confidenceCheckBox.checked)

    def _segment_all(self) -> None:
        self._desk.refresh.emit()  # what was drawn just now is not segmented
        session = self._desk.session
        cases = [case for case in self._desk.cases if case.to_be_segmented]
        unlike = [case for case in cases if session.segmenting.unlike_case(case)]
        session.segmenting.segment_all(cases, unlike, self._desk.device, self._ui.confidenceCheckBox.checked)

    def _ask_folder(self) -> None:
        def chosen(folder: Path) -> None:
            self._questions.choose_folder(
                _("Where the label files go"),
                lambda out: self._desk.session.segmenting.segment_folder(folder, out, self._desk.device),
            )

        self._questions.choose_folder(_("Folder of volumes to segment"), chosen)

    def _undo(self) -> None:
        self._desk.session.segmenting.undo()
        node = self.result
        if node is not None:
            overlay.show_only(self._desk.volume, node, self._ui.opacitySliderWidget.value)
        elif self._is_there(self._desk.volume):
            overlay.show_of(self._desk.volume)
        self.show_result()

    def _opacity(self, value: float) -> None:
        node = self.result
        if node is not None:
            overlay.set_opacity(node, value)

    # What comes of it

    def _segmented(self, report: SegmentReport) -> None:
        if not report.nodes:
            return
        for node, volume, found in report.nodes:
            self._millilitres[node.GetID()] = (content_stamp(node, volume), found)
        node, volume, _found = report.nodes[-1]
        self._desk.volume = volume
        self._into_views(volume)
        overlay.show_only(volume, node, self._ui.opacitySliderWidget.value)
        if report.click.maps:
            overlay.show_confidence(report.click.maps[-1])
        self.follow()
        self.show_result()
        self._show_3d_soon(node)

    def _show_3d_soon(self, node: Any) -> None:
        """Surfaces take their time; the overlay does not wait for them."""
        self._surface = node
        self._later.start()

    def _show_3d(self) -> None:
        node, self._surface = self._surface, None
        if node is not None and slicer.mrmlScene.IsNodePresent(node):
            overlay.show_in_3d(node)


def millilitres_of(node: Any, volume: Any) -> dict[str, float]:
    """The volume of each segment in ml, by its name."""
    unit = geometry_of(volume).voxel_volume / 1000
    return {segment.name: float(mask_of(node, segment.id, volume).sum()) * unit for segment in segments_of(node)}
