"""The inspector in PCLPretrain: its volumes are those of the folder, and what is decided goes into the parameters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

from PCLLib.inspector_widget import InspectorWidget
from PCLLib.parameters import PretrainParameters, settings_of
from PCLLib.position_report import PlacedVolume
from PCLLib.pretrain_calls import write_names
from PCLLib.pretrain_session import PretrainSession
from PCLLib.scan_report import VolumeRow
from PCLLib.volume_display import key_of, loaded_from, show_volume


class PretrainInspection:
    """What the inspector is told of the volumes of a folder.

    Args:
        section: of the panel, a widget with a layout.
        session: the work.
        parameters: those of the scene; None when it is closed.
    """

    decides = True

    def __init__(self, section: Any, session: PretrainSession, parameters: Callable[[], PretrainParameters | None]) -> None:
        self._session, self._parameters = session, parameters
        self.widget = InspectorWidget(
            section, self, session.jobs, lambda then: session.installer.ask(then, lambda: session.tell(None))
        )
        session.scanned.connect(self.widget.clear)
        session.estimating.proposed.connect(self.widget.render)

    def why_not(self) -> str:
        """Why there is nothing to look at now."""
        report, parameters = self._session.report, self._parameters()
        if parameters is None or report is None or len(report.volumes) < 2:
            return _("Choose a folder with two or more volumes first.")
        if sum(row.id not in parameters.leftOut for row in report.volumes) < 2:
            return _("Check two or more volumes first.")
        return ""

    def words(self, folder: Path) -> Sequence[object]:
        """The folder, and which of its volumes were flipped or left out."""
        parameters, report = self._parameters(), self._session.report
        assert parameters is not None
        assert report is not None
        settings = settings_of(parameters)
        flipped = write_names(folder / "flipped.txt", report, settings.flipped)
        left_out = write_names(folder / "left_out.txt", report, settings.left_out)
        choice = ["--flip-from", flipped, "--exclude-from", left_out]
        return [settings.folder, "--axis", settings.axis, "--device", settings.device, *choice]

    def encoder(self) -> Path | None:
        """The encoder of the last finished run on these volumes."""
        result = self._session.result
        return result.encoder if result is not None else None

    def threshold(self) -> float:
        """The threshold that is set, or the plan's."""
        parameters, proposal = self._parameters(), self._session.estimating.proposal
        proposed = proposal.threshold if proposal is not None else 0.0
        return parameters.threshold or proposed if parameters is not None else proposed

    def marks(self) -> tuple[Collection[str], Collection[str]]:
        """What was decided."""
        parameters = self._parameters()
        return (parameters.leftOut, parameters.flipped) if parameters is not None else ((), ())

    def name_of(self, volume: PlacedVolume) -> str:
        """The name in the table."""
        return volume.id

    def node_of(self, volume: PlacedVolume) -> Any:
        """The node that was loaded from its file."""
        row = self._row(volume)
        return None if row is None else loaded_from(row.key)

    def volume_of(self, node: Any, volumes: Sequence[PlacedVolume]) -> PlacedVolume | None:
        """The volume of a node."""
        report, key = self._session.report, key_of(node)
        row = next((row for row in report.volumes if row.key == key), None) if report is not None else None
        return next((one for one in volumes if row is not None and one.id == row.id), None)

    def open(self, volume: PlacedVolume) -> Any:
        """Shows the volume as a double click in the table does."""
        row = self._row(volume)
        if row is None:
            raise RuntimeError(volume.id)
        return show_volume(row)

    def _row(self, volume: PlacedVolume) -> VolumeRow | None:
        """The volume in the report of the folder."""
        report = self._session.report
        return next((row for row in report.volumes if row.id == volume.id), None) if report is not None else None

    def leave_out(self, volume: PlacedVolume, on: bool) -> None:
        """Clears or sets the volume's check box."""
        parameters = self._parameters()
        if parameters is not None:
            parameters.leftOut = _with(parameters.leftOut, volume.id, on)

    def flip(self, volume: PlacedVolume, on: bool) -> None:
        """Notes it for the pretraining."""
        parameters = self._parameters()
        if parameters is not None:
            parameters.flipped = _with(parameters.flipped, volume.id, on)

    def use_threshold(self, value: float) -> None:
        """Sets the threshold of the pretraining."""
        parameters = self._parameters()
        if parameters is not None:
            parameters.threshold = value


def _with(names: Sequence[str], name: str, on: bool) -> list[str]:
    rest = [one for one in names if one != name]
    return [*rest, name] if on else rest
