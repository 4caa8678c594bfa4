"""SimpleITK, loaded with the first file and not before: that takes 0.3 s, by which Slicer would start later."""

from __future__ import annotations

from typing import Any


def simple_itk() -> Any:
    """The package."""
    import SimpleITK  # noqa: PLC0415 (see above)

    return SimpleITK
