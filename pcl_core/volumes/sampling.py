"""A look at some of a volume's voxels, so short that a thousand volumes take seconds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np

from pcl_core.volumes.beginnings import first_voxels
from pcl_core.volumes.dicom import read_dicom
from pcl_core.volumes.formats import NotReadableError
from pcl_core.volumes.lazy_nifti import is_packed, nifti_part
from pcl_core.volumes.reading import read_volume
from pcl_core.volumes.volume import VolumeSource

# Bytes of voxels that are looked at; the second figure when the first so many are all the same (air above the head).
_BUDGETS = (1 << 19, 1 << 22)
# Files whose voxels can only be read as a whole are read up to this size.
_LARGEST_WHOLE = 1 << 25


@dataclass(frozen=True)
class Sample:
    """What was seen of a volume's voxels.

    Attributes:
        low: smallest number seen; NaN when there is none.
        high: largest number seen; NaN when there is none.
        robust: 1st and 99th percentile of the numbers seen.
        numbers: whether no voxel seen is NaN or infinite.
        whole: whether all voxels were seen.
        digest: of the values seen; the same in copies of a volume, whatever their headers. Empty where another frame's were.
    """

    low: float
    high: float
    robust: tuple[float, float]
    numbers: bool
    whole: bool
    digest: bytes

    @property
    def constant(self) -> bool:
        """Whether all voxels seen are the same, or none is a number."""
        return not self.low < self.high


def sample(source: VolumeSource, thorough: bool = False) -> Sample | None:
    """Looks at about half a MiB of a volume's voxels, or at 4 MiB when those are all the same.

    Compressed files can only be read from their start; of others the middle is taken, of a DICOM series the middle slice.

    Args:
        source: the volume.
        thorough: look at all voxels.

    Returns:
        what was seen; None where a large file can only be read as a whole.

    Raises:
        NotReadableError: the part looked at cannot be read.
    """
    if thorough:
        return _describe(read_volume(source).voxels, True)
    if source.format == "dicom" and len(source.files) > 1:
        return _describe(read_dicom(_middle_slice(source)), False)
    seen = None
    for budget in _BUDGETS:
        voxels = _some_voxels(source, budget)
        if voxels is None:
            return None
        seen = _describe(voxels, voxels.size == np.prod(source.geometry.size))
        if seen.whole or not seen.constant:
            break
    if seen and source.frame and is_packed(source):  # the first frame was looked at
        return replace(seen, whole=False, digest=b"")
    return seen


def _some_voxels(source: VolumeSource, budget: int) -> np.ndarray | None:
    if source.format == "nifti":
        return nifti_part(source, budget)
    if source.format != "dicom" and not source.frame:
        try:
            voxels = first_voxels(source, budget)
        except OSError as error:
            raise NotReadableError(source.path, f"it cannot be read ({error.strerror or error})") from error
        if voxels is not None:
            return voxels
    return read_volume(source).voxels if source.path.stat().st_size <= _LARGEST_WHOLE else None


def _middle_slice(source: VolumeSource) -> VolumeSource:
    geometry = replace(source.geometry, size=(*source.geometry.size[:2], 1))
    return replace(source, files=(source.files[len(source.files) // 2],), geometry=geometry)


def _describe(voxels: np.ndarray, whole: bool) -> Sample:
    finite = voxels
    if voxels.dtype.kind == "f":
        finite = voxels[np.isfinite(voxels)]
        if not finite.size:
            finite = np.full(1, np.nan, voxels.dtype)
    few = finite.ravel()[:: max(1, finite.size // 20000)]
    low, high = np.percentile(few, (1, 99))
    digest = hashlib.blake2b(np.ascontiguousarray(voxels, np.float32).tobytes(), digest_size=16).digest()
    return Sample(
        low=float(finite.min()),
        high=float(finite.max()),
        robust=(float(low), float(high)),
        numbers=finite.size == voxels.size,
        whole=whole,
        digest=digest,
    )
