"""Everything that the engine and pip say, in a drawer that is closed until somebody wants to know."""

from __future__ import annotations

from typing import Any

import qt


class LogDrawer:
    """Shows lines in a QPlainTextEdit and copies them all at the push of a button."""

    def __init__(self, text: Any, copy_button: Any) -> None:
        self._text = text
        copy_button.clicked.connect(self._copy)

    def add(self, line: str) -> None:
        """Adds a line at the end."""
        self._text.appendPlainText(line)

    def _copy(self, *_arguments: object) -> None:
        qt.QApplication.clipboard().setText(self._text.toPlainText())
