"""Cine data: the frames of 4-D files, and the copies of some of them that lie beside as files of their own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pcl_core.volumes.formats import stem_of
from pcl_core.volumes.volume import VolumeSource

_FRAME = re.compile(r"_frame(\d+)$")


def number_of_frame(source: VolumeSource) -> int | None:
    """The number, from 1, of a frame that is a file of its own (``patient001_frame12`` is 12); None for all else."""
    found = _FRAME.search(stem_of(source.path))
    return int(found[1]) if found and source.frame is None else None


def is_cine(source: VolumeSource) -> bool:
    """Whether the volume is a frame of ACDC's 4-D file of a patient."""
    return stem_of(source.path).endswith("_4d")


def copies_of_frames(sources: Sequence[VolumeSource], layout: str) -> frozenset[VolumeSource]:
    """The files that hold a frame which a 4-D file of the same patient holds, too.

    ACDC has the labelled frames, end-diastole and end-systole, twice: ``patient001_frame01`` is the first of ``patient001_4d``.

    Args:
        sources: images.
        layout: how they are named; only ACDC's layout has such copies.
    """
    if layout != "acdc":
        return frozenset()
    cine = {(one.patient, (one.frame or 0) + 1, one.geometry.size) for one in sources if is_cine(one)}
    return frozenset(one for one in sources if (one.patient, number_of_frame(one), one.geometry.size) in cine)


def each_once(sources: Sequence[VolumeSource], layout: str) -> tuple[VolumeSource, ...]:
    """The images without copies of frames, in their order: what an encoder is pretrained on."""
    copies = copies_of_frames(sources, layout)
    return tuple(source for source in sources if source not in copies)
