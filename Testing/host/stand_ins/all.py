"""All stand-ins by the name of the class they stand in for."""

from types import ModuleType

from PySide6 import QtCore

from Testing.host.stand_ins import (
    ctk_buttons,
    ctk_choices,
    ctk_dialogs,
    ctk_numbers,
    ctk_paths,
    qmrml_base,
    qmrml_nodes,
    qmrml_plots_and_tables,
    qmrml_segment_editor,
    qmrml_segments,
    qmrml_views,
    qslicer_application,
    qslicer_io,
    qslicer_layout,
    qslicer_modules,
    qslicer_window,
)

MODULES: tuple[ModuleType, ...] = (
    ctk_buttons,
    ctk_choices,
    ctk_dialogs,
    ctk_paths,
    ctk_numbers,
    qmrml_base,
    qmrml_nodes,
    qmrml_plots_and_tables,
    qmrml_segment_editor,
    qmrml_segments,
    qmrml_views,
    qslicer_modules,
    qslicer_application,
    qslicer_io,
    qslicer_layout,
    qslicer_window,
)
PREFIXES = ("ctk", "qMRML", "qSlicer")


def stand_ins() -> dict[str, type]:
    """The PySide6 classes that bear a real class's name."""
    found: dict[str, type] = {}
    for module in MODULES:
        for name, value in vars(module).items():
            if name.startswith(PREFIXES) and isinstance(value, type) and issubclass(value, QtCore.QObject):
                found[name] = value
    return found
