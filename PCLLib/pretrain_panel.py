"""The panel of PCLPretrain: shows the session, and turns what a person does into parameters and calls of the session."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import qt
import slicer
import vtk
from slicer.i18n import tr as _

from PCLLib import handover
from PCLLib.log_drawer import LogDrawer
from PCLLib.loss_plot import LossPlot
from PCLLib.messages import Message, Tone
from PCLLib.output_folder import proposed
from PCLLib.parameters import PretrainParameters, settings_of
from PCLLib.pretrain_inspection import PretrainInspection
from PCLLib.pretrain_session import PretrainSession
from PCLLib.pretrain_view import NUMBERS, PretrainView
from PCLLib.scan_report import VolumeRow
from PCLLib.states import State
from PCLLib.volume_display import show_volume

# A path is looked at when nobody has typed for so long.
_TYPING_MS = 500
# Parameters that are chosen from a list, each by the combo box of its name.
_CHOICES = ("method", "preset", "axis", "position", "weighting", "device")


class PretrainPanel:
    """Binds the widgets of PCLPretrain.ui, a session and the parameters of the scene.

    Args:
        ui: the widgets by their names.
        session: the work.
    """

    def __init__(self, ui: Any, session: PretrainSession) -> None:
        self.ui = ui
        self.session = session
        self.view = PretrainView(ui, session)
        self.plot = LossPlot()
        self._parameters: PretrainParameters | None = None
        self._observer: int | None = None
        self._gui: int | None = None
        self._log = LogDrawer(ui.logTextEdit, ui.copyLogButton)
        self._typing = qt.QTimer()
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._filling = False
        self._axis = ""
        self.inspection = PretrainInspection(ui.inspectorSection, session, lambda: self._parameters)
        self._connect()
        self.render()

    def _connect(self) -> None:
        ui, session = self.ui, self.session
        for box in (ui.folderPathLineEdit, ui.outPathLineEdit):
            box.comboBox().editTextChanged.connect(self._path_typed)  # currentPathChanged does not tell of a cleared path
        self._typing.timeout.connect(self._paths_changed)
        ui.scanButton.clicked.connect(self._look_again)
        ui.startButton.clicked.connect(self._start_or_cancel)
        ui.resumeButton.clicked.connect(self._resume)
        ui.proposalsButton.clicked.connect(self._follow_proposals)
        ui.useButton.clicked.connect(self._use_encoder)
        ui.curveButton.clicked.connect(lambda *_arguments: self.plot.show())
        ui.openButton.clicked.connect(self._open_folder)
        self.view.table.left_out_changed.connect(self._left_out)
        self.view.table.wanted.connect(self._show_volume)
        self.view.form.set_by_person.connect(self._set_number)
        session.changed.connect(self.render)
        session.scanned.connect(self._show_report)
        session.estimating.proposed.connect(self.view.show_numbers)
        session.progressed.connect(self.view.show_progress)
        session.training.began.connect(self.plot.begin)
        session.training.measured.connect(self.plot.add)
        session.logged.connect(self._log.add)
        session.finished.connect(self._keep_encoder)
        session.settings_wanted.connect(self._take_settings)

    # Parameters of the scene

    def set_parameters(self, parameters: PretrainParameters | None) -> None:
        """Takes the parameters of a scene; None when it is closed."""
        if self._parameters is not None:
            if self._gui is not None:
                self._parameters.disconnectGui(self._gui)  # type: ignore[attr-defined]  # the wrapper adds it
            if self._observer is not None:
                self._parameters.RemoveObserver(self._observer)  # type: ignore[attr-defined]
        self._parameters, self._gui, self._observer = parameters, None, None
        self.view.parameters = parameters
        if parameters is None:
            return
        combos = {name: getattr(self.ui, f"{name}ComboBox") for name in _CHOICES}
        self._gui = parameters.connectParametersToGui(combos)  # type: ignore[attr-defined]
        self._observer = parameters.AddObserver(vtk.vtkCommand.ModifiedEvent, self._parameters_changed)  # type: ignore[attr-defined]
        self._parameters_changed()

    def close_scene(self) -> None:
        """Forgets what belongs to the scene, and ends what runs."""
        self._typing.stop()
        self.set_parameters(None)
        self._axis = ""
        self.plot.forget()
        self.session.clear()

    def _parameters_changed(self, *_arguments: object) -> None:
        """Shows the parameters; a folder that came with a scene is looked at."""
        parameters = self._parameters
        if parameters is None or self._filling:
            return
        self._fill_paths(parameters)
        self.view.show_numbers()
        settings = settings_of(parameters)
        looked_at = self.session.folder
        if not parameters.folder:
            if self.session.state is not State.NO_FOLDER:
                self.session.clear()
        elif self.session.states.idle and (str(settings.folder) != str(looked_at) or settings.axis != self._axis):
            if self._axis and str(settings.folder) == str(looked_at):
                self._forget_flips()
                settings = settings_of(parameters)
            self._axis = settings.axis
            self.session.choose(settings, ask=False)
        self.session.reconsider(settings)
        self.render()

    def _forget_flips(self) -> None:
        """Slices across another axis run another way."""
        self._filling = True
        if self._parameters is not None:
            self._parameters.flipped = []
        self._filling = False

    def _fill_paths(self, parameters: PretrainParameters) -> None:
        self._filling = True
        for box, path in ((self.ui.folderPathLineEdit, parameters.folder), (self.ui.outPathLineEdit, parameters.out)):
            if box.currentPath != path:
                box.setCurrentPath(path)
        self._filling = False

    # What a person does

    def _path_typed(self, *_arguments: object) -> None:
        if not self._filling:
            self._typing.start()

    def _paths_changed(self) -> None:
        parameters = self._parameters
        if parameters is None:
            return
        if not self.session.states.idle:
            self._typing.start()  # what was typed just before the work began counts after it
            return
        folder, out = self.ui.folderPathLineEdit.currentPath.strip(), self.ui.outPathLineEdit.currentPath.strip()
        chosen = folder != parameters.folder
        if chosen:
            followed = not out or (bool(parameters.folder) and out == str(proposed(Path(parameters.folder))))
            out = str(proposed(Path(folder))) if folder and followed else out
        self._filling = True  # several parameters change together, and the person is there to be asked
        parameters.folder, parameters.out = folder, out
        if chosen:
            parameters.leftOut, parameters.flipped = [], []
        self._filling = False
        if chosen and folder:
            self._axis = parameters.axis.value
            self.session.choose(settings_of(parameters))
        self._parameters_changed()

    def _look_again(self, *_arguments: object) -> None:
        self._take_typed()
        if self._parameters is not None and self.session.states.idle:
            self.session.choose(settings_of(self._parameters))

    def _left_out(self, ids: list[str]) -> None:
        if self._parameters is not None:
            self._parameters.leftOut = ids

    def _set_number(self, name: str, value: float) -> None:
        if self._parameters is not None:
            setattr(self._parameters, name, int(value) if name in ("epochs", "batch") else float(value))

    def _follow_proposals(self, *_arguments: object) -> None:
        for name in NUMBERS:
            self._set_number(name, 0)

    def _start_or_cancel(self, *_arguments: object) -> None:
        if self.session.states.view.cancel:
            self.session.cancel()
            return
        self._take_typed()
        if self._parameters is not None and not self.view.why_not() and self.session.states.view.start:
            self.session.start(settings_of(self._parameters))

    def _resume(self, *_arguments: object) -> None:
        self._take_typed()
        if self.session.can_resume:
            self.session.resume()

    def _take_typed(self) -> None:
        """A path that was typed a moment ago counts before what is clicked after it."""
        if self._typing.active:
            self._typing.stop()
            self._paths_changed()

    def _show_volume(self, row: VolumeRow) -> None:
        try:
            show_volume(row)
        except RuntimeError as error:
            text = _("Slicer could not load {path}.").format(path=row.path)
            self.session.tell(Message(text, str(error), Tone.ERROR))

    def _take_settings(self, values: Mapping[str, object]) -> None:
        """Takes settings that an offer of the session needs."""
        if self._parameters is not None:
            for name, value in values.items():
                if hasattr(self._parameters, name):
                    kind = type(getattr(self._parameters, name))
                    setattr(self._parameters, name, kind(value))

    # What the session says

    def render(self) -> None:
        """Shows the state of the session."""
        self.view.render()
        self.inspection.widget.render()

    def _show_report(self) -> None:
        self.view.show_report()
        if self.session.report is not None:
            self._filling = True
            self.ui.folderPathLineEdit.addCurrentPathToHistory()
            self._filling = False

    def _keep_encoder(self, encoder: Path) -> None:
        if self._parameters is not None:
            self._parameters.encoder = str(encoder)
            handover.offer_encoder(self._parameters.parameterNode, encoder)  # type: ignore[attr-defined]

    def _use_encoder(self, *_arguments: object) -> None:
        slicer.util.selectModule("PCLSegmentation")

    def _open_folder(self, *_arguments: object) -> None:
        if self.session.result is not None:
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(self.session.result.encoder.parent)))
