"""Small real DICOM series."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813 (its own usual name)


def write_dicom(
    folder: Path,
    array: np.ndarray,
    positions: Sequence[float] | None = None,
    direction: np.ndarray | None = None,
    series: str = "1.2.3",
    prefix: str = "image",
    **tags: str,
) -> Path:
    """Writes one file a plane of an array (z, y, x), 4 mm apart, of pixels of 1 x 2 mm; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    direction = np.eye(3) if direction is None else direction
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for k, plane in enumerate(array):
        image = sitk.GetImageFromArray(plane[None])
        image.SetSpacing((1.0, 2.0, 4.0))
        origin = np.array([5.0, 6.0, 7.0]) + direction[:, 2] * (4.0 * k if positions is None else positions[k])
        facts = {
            "0020|000e": series,
            "0020|0013": str(k + 1),
            "0008|0060": "MR",
            "0010|0020": "ANON-7",
            "0020|0032": "\\".join(f"{value:.10g}" for value in origin),
            "0020|0037": "\\".join(f"{value:.10g}" for value in (*direction[:, 0], *direction[:, 1])),
            **{f"{name[1:5]}|{name[5:]}": value for name, value in tags.items()},
        }
        for tag, value in facts.items():
            image.SetMetaData(tag, value)
        # Names run against positions, so that sorting by name is wrong.
        writer.SetFileName(str(folder / f"{prefix}{len(array) - k:03d}.dcm"))
        writer.Execute(image)
    return folder
