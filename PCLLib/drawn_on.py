"""On which image a segmentation was drawn: a volume of a sequence shows one frame after another under one name."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import slicer

_IMAGE = "PCL.Image"


class DrawnOn:
    """Remembers in each segmentation which image it was first seen with. Digests are kept until the voxels change."""

    def __init__(self) -> None:
        self._digests: dict[str, tuple[int, str]] = {}

    def another(self, node: Any, volume: Any) -> bool:
        """Whether a segmentation, in which something is drawn, belongs to another image than its volume shows now."""
        digest = self._digest(volume)
        if node.GetAttribute(_IMAGE) is None:
            node.SetAttribute(_IMAGE, digest)
        return bool(node.GetAttribute(_IMAGE) != digest)

    def _digest(self, volume: Any) -> str:
        stamp = volume.GetImageData().GetMTime()
        kept = self._digests.get(volume.GetID())
        if kept is None or kept[0] != stamp:
            voxels = np.ascontiguousarray(slicer.util.arrayFromVolume(volume))
            kept = self._digests[volume.GetID()] = (stamp, hashlib.blake2b(voxels.data, digest_size=16).hexdigest())
        return kept[1]
