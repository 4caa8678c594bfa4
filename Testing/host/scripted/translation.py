"""slicer.i18n: marks texts for translation; the bench shows them as they are written."""

__all__ = ["tr", "translate"]


def translate(context: str, text: str) -> str:
    """The text in the application's language."""
    return text


def tr(text: str) -> str:
    """The text in the application's language."""
    return text
