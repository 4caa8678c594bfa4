"""Other segmentations of the shown case, in the section "Review": those that gave way are brought back, others put aside."""

from __future__ import annotations

from typing import Any

import slicer
from slicer.i18n import tr as _

from PCLLib import overlay
from PCLLib.keeping import bring_back, kept_of, put_aside
from PCLLib.predictions import Click
from PCLLib.segment_roles import Role, annotations_of, former_role_of, role_of
from PCLLib.segmentation_desk import Desk


class KeptPart:
    """Binds the list and its button.

    Args:
        ui: the widgets by their names.
        desk: what is shown.
    """

    def __init__(self, ui: Any, desk: Desk) -> None:
        self._ui, self._desk = ui, desk
        self._nodes: list[Any] = []
        self._filling = False
        ui.keptComboBox.currentIndexChanged.connect(self._name_button)
        ui.keptButton.clicked.connect(lambda *_arguments: self._change())

    def render(self) -> None:
        """Shows what there is beside the result; nothing when there is nothing else."""
        ui, before = self._ui, self._chosen
        self._nodes = self._others()
        self._filling = True
        ui.keptComboBox.clear()
        for node in self._nodes:
            ui.keptComboBox.addItem(_described(node))
        if before in self._nodes:
            ui.keptComboBox.setCurrentIndex(self._nodes.index(before))
        self._filling = False
        for widget in (ui.keptComboBox, ui.keptButton):
            widget.setVisible(bool(self._nodes))
            widget.setEnabled(self._desk.session.states.idle)
        self._name_button()

    def _others(self) -> list[Any]:
        """What can be brought back, and after it what can be put aside: annotations that are learned from as one."""
        volume = self._desk.volume
        if volume is None or not slicer.mrmlScene.IsNodePresent(volume):
            return []
        drawn = annotations_of(volume)
        return [*kept_of(volume), *(drawn if len(drawn) > 1 else [])]

    @property
    def _chosen(self) -> Any:
        number = self._ui.keptComboBox.currentIndex
        return self._nodes[number] if 0 <= number < len(self._nodes) else None

    def _name_button(self, *_arguments: object) -> None:
        node = self._chosen
        if self._filling or node is None:
            return
        back = role_of(node) is Role.ASIDE
        self._ui.keptButton.setText(_("Bring back") if back else _("Put aside"))
        self._ui.keptButton.setToolTip(
            _("Show this segmentation again, as what it was before; what took its place is kept, hidden.")
            if back
            else _("Do not learn from this segmentation; it is kept, hidden.")
        )

    def _change(self) -> None:
        node, volume = self._chosen, self._desk.volume
        if node not in self._others():  # it was removed since it was listed
            self._desk.refresh.emit()
        elif role_of(node) is Role.ASIDE:
            click = Click(changed=bring_back(node, volume))
            overlay.show_only(volume, node, self._ui.opacitySliderWidget.value)
            self._desk.session.segmenting.reviewed(click)
        else:
            self._desk.session.segmenting.reviewed(Click(changed=[put_aside(node, volume)]))


def _described(node: Any) -> str:
    """A segmentation for people: its name, and what it is or was."""
    if role_of(node) is not Role.ASIDE:
        return _("{name} (learned from)").format(name=node.GetName())
    text = {
        Role.PREDICTION: _("{name} (prediction, kept)"),
        Role.REVIEWED: _("{name} (accepted, kept)"),
    }.get(former_role_of(node), _("{name} (annotation, kept)"))
    return text.format(name=node.GetName())
