"""The inspector of slice positions, as both modules show it: looks at the volumes, and shows slices, threshold and outliers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import slicer
from slicer.i18n import tr as _

from pcl_core.volumes.axes import Axis
from PCLLib import inspector_texts as texts
from PCLLib.engine_run import EngineRun
from PCLLib.events import Failed, Progress
from PCLLib.inspected import Inspected
from PCLLib.inspector import Inspector
from PCLLib.job_group import JobGroup
from PCLLib.outlier_page import OutlierPage
from PCLLib.position_report import PlacedVolume, PositionReport
from PCLLib.results import progress_sentence
from PCLLib.slice_views import SliceViews
from PCLLib.slices_page import SlicesPage
from PCLLib.threshold_page import ThresholdPage
from PCLLib.thumbnails import Thumbnails

POSITIONS = "positions"
_UI = Path(__file__).parent / "Resources" / "UI" / "PCLInspector.ui"
_REPORT, _PICTURES = "positions.json", "pictures.npy"


class InspectorWidget:
    """Puts the inspector into a section of a panel.

    Args:
        section: a widget with a layout.
        inspected: the module's volumes.
        jobs: run the engine.
        installed: calls its argument when all packages are there, after asking for them.
    """

    def __init__(
        self, section: Any, inspected: Inspected, jobs: JobGroup, installed: Callable[[Callable[[], None]], None]
    ) -> None:
        widget = slicer.util.loadUI(str(_UI))
        section.layout().addWidget(widget)
        self.ui = ui = slicer.util.childWidgetVariables(widget)
        self.inspector = inspector = Inspector()
        self.views = SliceViews()
        self.run = EngineRun(jobs, POSITIONS)
        self._inspected, self._installed = inspected, installed
        self._problem, self._proposed = "", ""
        self._encoder: Path | None = None
        self._mover: Any = None
        self.slices = SlicesPage(ui, inspector, inspected)
        self.threshold = ThresholdPage(ui, inspector, inspected)
        self.outliers = OutlierPage(ui, inspector, inspected)
        ui.framesComboBox.addItem(_("relative (slice m of n)"))
        ui.framesComboBox.addItem(_("common frame"))
        self._connect()
        self._renew()

    def _connect(self) -> None:
        ui, inspector = self.ui, self.inspector
        ui.lookButton.clicked.connect(lambda *_arguments: self._look_or_cancel())
        ui.framesComboBox.currentIndexChanged.connect(lambda index: inspector.place_by(index == 1))
        inspector.renewed.connect(self._renew)
        inspector.changed.connect(self._show)
        inspector.moved.connect(self._moved)
        self.run.changed.connect(self.render)
        self.run.progressed.connect(self._show_progress)
        self.run.done.connect(self._found)
        self.run.failed.connect(self._failed)
        self.views.moved.connect(self._view_moved)
        self.slices.wanted.connect(self.open)
        self.outliers.wanted.connect(self.open)

    def clear(self) -> None:
        """The volumes are others, or the scene is closed: ends what runs, and leaves no file behind."""
        self._problem = ""
        if self.inspector.report is not None:
            self.inspector.show(None, None)
        self.inspector.move(0.5)
        self.ui.framesComboBox.setCurrentIndex(0)
        self.ui.inspectorTabs.setCurrentIndex(0)
        self.run.forget()
        self.render()

    # What a person does

    def _look_or_cancel(self) -> None:
        if self.run.running:
            self.run.cancel()
        else:
            self._installed(self.look)

    def look(self) -> None:
        """Looks at the volumes; what was found before stays until something new is."""
        self._problem = ""
        self.ui.lookLabel.setText(_("Starting ..."))
        typed = self.ui.compareEncoderPathLineEdit.currentPath.strip()
        self._encoder = encoder = Path(typed) if typed else None

        def words(folder: Path) -> list[object]:
            said = ["positions", *self._inspected.words(folder)]
            said += ["--encoder", encoder] if encoder is not None else []
            return [*said, "--json", folder / _REPORT, "--pictures", folder / _PICTURES]

        self.run.start(words)

    def open(self, volume: PlacedVolume, number: int) -> None:
        """Opens a volume, and shows one of its slices in the slice views."""
        try:
            node = self._inspected.open(volume)
        except RuntimeError:
            self._problem = _("Slicer could not load {name}.").format(name=self._inspected.name_of(volume))
            self.render()
            return
        self.views.jump(node, number)
        self.inspector.move_to(volume, number)

    # What comes of it

    def _found(self, folder: Path) -> None:
        report = PositionReport.read(folder / _REPORT)
        self.views.axis = cast(Axis, report.axis)
        by = _("the pictures") if self._encoder is None else _("the encoder {name}").format(name=self._encoder)
        self.threshold.compared_by = by
        self.inspector.show(report, Thumbnails.open(folder / _PICTURES))

    def _failed(self, last: Failed) -> None:
        self._problem = f"{last.message} {last.hint}".strip()
        self.render()

    def _view_moved(self, node: Any, number: int) -> None:
        volume = self._inspected.volume_of(node, self.inspector.volumes)
        if volume is not None and number < volume.count:
            self._mover = node  # its view is where it is wanted, and stays as it is turned
            self.inspector.move_to(volume, number)
            self._mover = None

    def _moved(self) -> None:
        self.slices.show()
        for node in self.views.shown():
            volume = self._inspected.volume_of(node, self.inspector.volumes)
            if volume is not None and node is not self._mover:
                self.views.jump(node, self.inspector.tile_of(volume).number)

    # What is shown

    def render(self) -> None:
        """Shows what can be done, and what the module says of its volumes."""
        ui, running = self.ui, self.run.running
        reason = self._inspected.why_not()
        ui.lookButton.setText(_("Cancel") if running else _("Look at the positions"))
        ui.lookButton.setEnabled(running or not reason)
        ui.compareEncoderPathLineEdit.setEnabled(not running)
        ui.lookProgressBar.setVisible(running)
        if not running:
            ui.lookProgressBar.setRange(0, 0)  # of the next run nobody knows at first how far it is
            report = self.inspector.report
            ui.lookLabel.setText(self._problem or (reason if report is None else texts.left_out(report)))
        elif self._problem:
            ui.lookLabel.setText(self._problem)
        ui.lookLabel.setVisible(bool(ui.lookLabel.text))
        found = self.inspector.report is not None
        for widget in (ui.framesLabel, ui.framesComboBox, ui.inspectorTabs):
            widget.setVisible(found)
        self._propose_encoder()
        self.inspector.mark(*self._inspected.marks())
        self.inspector.set_threshold(self._inspected.threshold())

    def _propose_encoder(self) -> None:
        proposed = str(self._inspected.encoder() or "")
        if proposed != self._proposed:
            self._proposed = proposed
            self.ui.compareEncoderPathLineEdit.setCurrentPath(proposed)

    def _renew(self) -> None:
        if self.inspector.report is None:
            self.views.stop()
        else:
            self.views.start()
        self.slices.renew()
        self.outliers.renew()
        self.threshold.show()
        self.render()

    def _show(self) -> None:
        self.slices.show()
        self.outliers.show()
        self.threshold.show()

    def _show_progress(self, progress: Progress) -> None:
        self.ui.lookProgressBar.setRange(0, max(1, progress.total))
        self.ui.lookProgressBar.setValue(progress.done)
        self.ui.lookLabel.setText(progress_sentence(progress))
        self.ui.lookLabel.setVisible(True)
