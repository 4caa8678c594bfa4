"""The sections of PCLSegmentation's panel that look at all cases at once: slice positions, and what to annotate next."""

from __future__ import annotations

from typing import Any

from PCLLib.inspector_widget import InspectorWidget
from PCLLib.segmentation_desk import Desk
from PCLLib.segmentation_inspection import SegmentationInspection
from PCLLib.suggest_part import SuggestPart


class LookingPart:
    """Binds both sections.

    Args:
        ui: the widgets by their names.
        desk: the cases.
    """

    def __init__(self, ui: Any, desk: Desk) -> None:
        session = desk.session
        self.inspector = InspectorWidget(
            ui.inspectorSection,
            SegmentationInspection(desk),
            session.jobs,
            lambda then: session.installer.ask(then, lambda: None),
        )
        self.suggest = SuggestPart(ui, desk, SegmentationInspection(desk))

    def clear(self) -> None:
        """The scene is closed."""
        self.inspector.clear()
        self.suggest.clear()

    def render(self) -> None:
        """Shows what can be done."""
        self.inspector.render()
        self.suggest.render()
