"""Arrays as pictures of Qt."""

from __future__ import annotations

from typing import Any

import numpy as np
import qt

from PCLLib.thumbnails import ppm


def pixmap_of(image: np.ndarray) -> Any:
    """A QPixmap of (rows, columns, 3) bytes of red, green, blue."""
    pixmap = qt.QPixmap()
    pixmap.loadFromData(qt.QByteArray(ppm(image)))
    return pixmap
