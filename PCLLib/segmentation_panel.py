"""The panel of PCLSegmentation: binds its sections, the session and the parameters of the scene."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import qt
import slicer
import vtk
from slicer.i18n import tr as _

from PCLLib import handover
from PCLLib.case_states import Case
from PCLLib.cases_part import CasesPart
from PCLLib.editor_part import EditorPart
from PCLLib.events import Progress
from PCLLib.finetune_part import FinetunePart
from PCLLib.log_drawer import LogDrawer
from PCLLib.looking_part import LookingPart
from PCLLib.message_area import MessageArea
from PCLLib.questions import Questions
from PCLLib.results import progress_sentence
from PCLLib.review_part import ReviewPart
from PCLLib.scene_volumes import case_key
from PCLLib.scene_watch import SceneWatch
from PCLLib.segment_part import SegmentPart
from PCLLib.segmentation_desk import Desk, default_out
from PCLLib.segmentation_parameters import BeginWith, SegmentationParameters
from PCLLib.segmentation_session import SegmentationSession
from PCLLib.segmentation_states import Doing

# A path is looked at when nobody has typed for so long.
_TYPING_MS = 500


class SegmentationPanel:
    """Binds the widgets of PCLSegmentation.ui, a session and the parameters of the scene.

    Args:
        ui: the widgets by their names.
        session: the work.
        questions: whom to ask.
    """

    def __init__(self, ui: Any, session: SegmentationSession, questions: Questions) -> None:
        self.ui = ui
        self.session = session
        self.desk = Desk(session)
        self._observer: int | None = None
        self._gui: int | None = None
        self._filling = False
        self._doing: Doing | None = None
        self._model: object = None
        self._messages = MessageArea(
            ui.messageFrame, ui.messageLabel, ui.hintLabel, (ui.firstOfferButton, ui.secondOfferButton)
        )
        self._log = LogDrawer(ui.logTextEdit, ui.copyLogButton)
        self.cases = CasesPart(ui, self.desk, questions)
        self.finetune = FinetunePart(ui, self.desk)
        self.segment = SegmentPart(ui, self.desk, questions)
        self.review = ReviewPart(ui, self.desk)
        self.editor = EditorPart(ui, self.desk)
        self.looking = LookingPart(ui, self.desk)
        self._watch = SceneWatch()
        self._typing = qt.QTimer()
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._connect()
        self.render()

    def _connect(self) -> None:
        ui, session, desk = self.ui, self.session, self.desk
        for box in (ui.encoderPathLineEdit, ui.outPathLineEdit, ui.modelPathLineEdit):
            # currentPathChanged tells neither of a cleared path nor of one that does not fit the name filters
            box.comboBox().editTextChanged.connect(self._path_typed)
        self._typing.timeout.connect(self._paths_changed)
        ui.cancelButton.clicked.connect(lambda *_arguments: session.cancel())
        self._watch.changed.connect(self.refresh)
        session.changed.connect(self.render)
        session.cases_changed.connect(self.refresh)
        session.progressed.connect(self._show_progress)
        session.logged.connect(self._log.add)
        session.model_made.connect(self._keep_model)
        desk.refresh.connect(self.refresh)
        desk.volume_wanted.connect(self.segment.show_volume)
        self.cases.annotate.connect(self._annotate)
        self.review.correct.connect(self._correct)

    # Parameters of the scene

    def set_parameters(self, parameters: SegmentationParameters | None) -> None:
        """Takes the parameters of a scene; None when it is closed."""
        before = self.desk.parameters
        if before is not None:
            if self._gui is not None:
                before.disconnectGui(self._gui)  # type: ignore[attr-defined]  # the wrapper adds it
            if self._observer is not None:
                before.RemoveObserver(self._observer)  # type: ignore[attr-defined]
        self.desk.parameters, self._gui, self._observer = parameters, None, None
        if parameters is None:
            return
        ui = self.ui
        bound = {
            "begin": ui.beginComboBox,
            "device": ui.deviceComboBox,
            "minutes": ui.minutesSpinBox,
            "leaveOneOut": ui.leaveOneOutCheckBox,
            "compare": ui.compareCheckBox,
            "confidence": ui.confidenceCheckBox,
            "opacity": ui.opacitySliderWidget,
        }
        self._gui = parameters.connectParametersToGui(bound)  # type: ignore[attr-defined]
        self._observer = parameters.AddObserver(vtk.vtkCommand.ModifiedEvent, self._parameters_changed)  # type: ignore[attr-defined]
        self._watch.start()
        if parameters.folders:
            self.session.folders.choose([Path(folder) for folder in parameters.folders])
        self._parameters_changed()
        self.refresh()

    def take_encoder(self) -> None:
        """Takes the encoder that PCL Pretrain has just made, unless a person chose another way."""
        encoder = handover.offered_encoder(slicer.mrmlScene)
        parameters = self.desk.parameters
        if encoder is not None and parameters is not None and not parameters.encoder:
            parameters.encoder = str(encoder)
            if parameters.begin is BeginWith.NOTHING:
                parameters.begin = BeginWith.ENCODER

    def close_scene(self) -> None:
        """Forgets what belongs to the scene, and ends what runs."""
        self._typing.stop()
        self._watch.stop()
        self.set_parameters(None)
        self.finetune.stop()
        self.segment.stop()
        self.editor.stop()
        self.looking.clear()
        self.desk.volume = self.desk.chosen = None
        self._model = None
        self.session.clear()

    def _parameters_changed(self, *_arguments: object) -> None:
        parameters = self.desk.parameters
        if parameters is None or self._filling:
            return
        if not parameters.out:
            documents = Path(str(qt.QStandardPaths.writableLocation(qt.QStandardPaths.DocumentsLocation)))
            self._filling = True
            parameters.out = str(default_out(parameters, documents))
            self._filling = False
        self._fill_paths(parameters)
        self.refresh()

    def _follow_model(self, parameters: SegmentationParameters) -> None:
        """Reads the file of the model when another is chosen, and when it comes, goes or is written anew."""
        model, renamed = _stamp(parameters.model), json.loads(parameters.renamed or "{}")
        if model != self._model or renamed != self.session.segmenting.renamed:
            self._model = model
            self.session.segmenting.renamed = renamed
            self.session.segmenting.use_model(Path(parameters.model) if parameters.model else None)
            self.session.segmenting.warm(self.desk.device)

    def _fill_paths(self, parameters: SegmentationParameters) -> None:
        ui = self.ui
        self._filling = True
        for box, path in (
            (ui.encoderPathLineEdit, parameters.encoder),
            (ui.outPathLineEdit, parameters.out),
            (ui.modelPathLineEdit, parameters.model),
        ):
            if box.currentPath != path:
                box.setCurrentPath(path)
        self._filling = False

    def _path_typed(self, *_arguments: object) -> None:
        if not self._filling:
            self._typing.start()

    def _paths_changed(self) -> None:
        parameters, ui = self.desk.parameters, self.ui
        if parameters is None:
            return
        self._filling = True  # several parameters change together
        parameters.encoder = ui.encoderPathLineEdit.currentPath.strip()
        parameters.out = ui.outPathLineEdit.currentPath.strip()
        parameters.model = ui.modelPathLineEdit.currentPath.strip()
        self._filling = False
        self._parameters_changed()

    # What a person does

    def _annotate(self, case: Case) -> None:
        self.cases.show_case(case)
        volume = self.desk.volume
        if volume is not None and case_key(volume) == case.key:
            self.editor.annotate(volume)

    def _correct(self, node: Any, volume: Any) -> None:
        self.editor.edit(node, volume)

    def _keep_model(self, model: Path) -> None:
        if self.desk.parameters is not None:
            self._filling = True
            self.desk.parameters.begin = BeginWith.MODEL
            self._filling = False
            self.desk.parameters.model = str(model)

    # What the session says

    def refresh(self) -> None:
        """Reads the model and the cases again when they have changed, and shows everything."""
        if self.desk.parameters is not None:
            self._follow_model(self.desk.parameters)
        if self.desk.parameters is None:
            self.desk.cases = ()
        elif self.session.states.idle or self.session.doing is Doing.LOOKING:
            self.desk.read()
        self.segment.follow()
        self.cases.show()
        self.segment.show_result()
        self.finetune.reconsider()
        self.render()

    def render(self) -> None:
        """Shows the state of the session."""
        ui, session = self.ui, self.session
        ui.deviceLabel.setText(session.graphics.sentence(self.desk.device))
        self._messages.show(session.message)
        busy = not session.states.idle
        for widget in (ui.progressBar, ui.progressLabel):
            widget.setVisible(busy)
        ui.cancelButton.setVisible(session.states.can_cancel or session.doing is Doing.CANCELLING)
        ui.cancelButton.setEnabled(session.states.can_cancel)
        if session.doing is not self._doing:
            self._doing = session.doing
            ui.progressBar.setRange(0, 0)
            ui.progressLabel.setText(_beginning(session.doing))
        self.cases.render()
        self.finetune.render()
        self.segment.render()
        self.review.render()
        self.looking.render()

    def _show_progress(self, progress: Progress) -> None:
        if self.session.doing in (Doing.CANCELLING, Doing.IDLE):
            return
        self.ui.progressBar.setRange(0, max(1, progress.total))
        self.ui.progressBar.setValue(progress.done)
        lines = [progress_sentence(progress), self.finetune.dice_sentence()]
        self.ui.progressLabel.setText("\n".join(line for line in lines if line))


def _stamp(model: str) -> tuple[str, int]:
    """The path of a model, and when its file was written; 0 when there is none."""
    try:
        return model, Path(model).stat().st_mtime_ns if model else 0
    except OSError:
        return model, 0


def _beginning(doing: Doing) -> str:
    """What is shown before anybody knows how far it is."""
    return {
        Doing.IDLE: "",
        Doing.LOOKING: _("Looking at the folder ..."),
        Doing.INSTALLING: _("Packages are being installed ..."),
        Doing.TRAINING: _("Starting ..."),
        Doing.SEGMENTING: _("Segmenting ..."),
        Doing.FOLDER: _("Starting ..."),
        Doing.CANCELLING: _("Being cancelled; what is done is kept ..."),
    }[doing]
