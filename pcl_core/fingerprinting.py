"""Takes the fingerprint of a set of volumes from their headers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pcl_core.errors import InputError
from pcl_core.plan import Fingerprint
from pcl_core.volumes.axes import Axis
from pcl_core.volumes.checks import PLANES
from pcl_core.volumes.geometry import canonical_view
from pcl_core.volumes.volume import VolumeSource


def take_fingerprint(
    sources: Sequence[VolumeSource], axis: Axis = "auto", ranges: Sequence[tuple[float, float]] = ()
) -> Fingerprint:
    """The facts that a plan follows from.

    Args:
        sources: at least one.
        axis: slice axis.
        ranges: lowest and highest sampled intensity of the volumes that were sampled.

    Raises:
        InputError: there is no volume.
    """
    if not sources:
        raise InputError("There is no volume to plan for.", "Choose a folder with volumes.")
    views = [canonical_view(source.geometry, axis) for source in sources]
    spacing = np.median([view.spacing for view in views], axis=0)
    extents = [max(view.shape[k] * view.spacing[k] for k in (1, 2)) for view in views]
    slices = [view.shape[0] for view in views]
    return Fingerprint(
        volumes=len(views),
        slices=sum(slices),
        slices_per_volume=float(np.median(slices)),
        spacing_mm=(float(spacing[0]), float(spacing[1]), float(spacing[2])),
        extent_mm=float(np.percentile(extents, 95, method="higher")),
        largest_extent_mm=float(max(extents)),
        intensity=_pair(*np.median(ranges, axis=0)) if ranges else None,
        intensity_width=_pair(np.ptp(ranges, axis=1).min(), np.ptp(ranges, axis=1).max()) if ranges else None,
        planes=tuple(sorted({PLANES[view.normal] for view in views})),
    )


def _pair(one: float, other: float) -> tuple[float, float]:
    """Two of NumPy's numbers as plain ones, which JSON can hold."""
    return float(one), float(other)
