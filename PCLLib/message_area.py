"""The place in a panel where it says what happened and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PCLLib.messages import Message, Tone

# Dark text on a light ground in both of Slicer's styles.
_GROUNDS = {Tone.NOTE: "#e8f0fa", Tone.WARNING: "#fff3d6", Tone.ERROR: "#fde2e0"}


class MessageArea:
    """Shows a message in a frame with two labels and buttons for what it offers; hidden when there is none."""

    def __init__(self, frame: Any, text: Any, hint: Any, buttons: Sequence[Any]) -> None:
        self._frame, self._text, self._hint, self._buttons = frame, text, hint, buttons
        self._message: Message | None = None
        for number, button in enumerate(buttons):
            button.clicked.connect(lambda *_arguments, number=number: self._take(number))
        frame.hide()

    def show(self, message: Message | None) -> None:
        """Shows a message; None hides the area."""
        self._message = message
        self._frame.setVisible(message is not None)
        if message is None:
            return
        name = self._frame.objectName
        ground = _GROUNDS[message.tone]
        self._frame.setStyleSheet(f"#{name} {{ background: {ground}; }} #{name} QLabel {{ color: #202020; }}")
        self._text.setText(message.text)
        self._hint.setText(message.hint)
        self._hint.setVisible(bool(message.hint))
        for number, button in enumerate(self._buttons):
            offered = number < len(message.actions)
            button.setVisible(offered)
            if offered:
                button.setText(message.actions[number].text)

    def _take(self, number: int) -> None:
        if self._message is not None and number < len(self._message.actions):
            self._message.actions[number].do()
