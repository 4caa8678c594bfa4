"""What a dialog said when a test answered it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SeenDialog:
    """Title, text, details and the texts of the buttons."""

    title: str
    text: str
    details: str = ""
    buttons: tuple[str, ...] = ()
