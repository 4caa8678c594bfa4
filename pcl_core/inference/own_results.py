"""Which label files are results as they were written: such a file may be replaced, any other holds somebody's work."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

from pcl_core.volumes.simple_itk import simple_itk
from pcl_core.volumes.volume import VolumeSource

# In the header of a result.
_KEY = "PCL_result"


def mark_of(source: VolumeSource, labels: np.ndarray) -> dict[str, str]:
    """What the header of a result holds: a digest of the volume's path and of its label values (z, y, x)."""
    digest = hashlib.blake2b(f"{source.path.absolute()}\n{source.id}\n{labels.shape}\n".encode(), digest_size=16)
    digest.update(np.ascontiguousarray(labels, np.uint16).data)
    return {_KEY: digest.hexdigest()}


def is_own_result(path: Path, source: VolumeSource) -> bool:
    """Whether a label file is a result of this volume that nobody has changed since, by whatever model."""
    sitk = simple_itk()
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError:
        return False
    if not image.HasMetaDataKey(_KEY):
        return False
    return {_KEY: image.GetMetaData(_KEY)} == mark_of(source, sitk.GetArrayFromImage(image))
