"""Runs a function inside Qt's event loop, as everything runs in the application.

It matters: slicer.util.messageBox calls deleteLater() before exec(), which outside a loop destroys the box at once.
"""

from collections.abc import Callable

from PySide6 import QtCore


def run_in_event_loop(function: Callable[[], object]) -> None:
    """Calls `function` from the event loop and hands on what it raises."""
    loop = QtCore.QEventLoop()
    raised: list[BaseException] = []

    def call() -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001 - whatever it is, pytest's own outcomes too, it is raised again below
            raised.append(error)
        finally:
            loop.quit()

    QtCore.QTimer.singleShot(0, call)
    loop.exec()
    if raised:
        raise raised[0]
