"""What a clinician should know about volumes before training on them: each finding is one short sentence."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from pcl_core.volumes.geometry import CanonicalView
from pcl_core.volumes.sampling import Sample
from pcl_core.volumes.volume import VolumeSource

# From this many volumes on, one can be unlike the others.
_ENOUGH = 4
# In-plane pixels whose sides differ by more are called not square; more slices than this are worth a look at the axis.
_SQUARE = 1.02
_MANY_SLICES = 1500
# An intensity range is unlike the others when it is wider or narrower than usual by this factor, or begins lower or higher by
# more than the usual width; in both cases also by more than 5 robust standard deviations (1.4826 times the median deviation).
_FACTOR = 5.0
_DEVIATIONS = 5.0 * 1.4826

PLANES = {"S": "axial", "A": "coronal", "L": "sagittal"}

# When more of the volumes than this are unlike the rest, that is said once of the folder.
_MIXED = 0.2

Findings = list[list[str]]


def of_grid(source: VolumeSource, view: CanonicalView) -> list[str]:
    """What one volume's header shows."""
    found = list(source.notes)
    row, column = view.spacing[1:]
    if max(row, column) > _SQUARE * min(row, column):
        found.append(f"Its in-plane pixels are not square ({row:.3g} x {column:.3g} mm).")
    if view.shape[0] == 1 and min(source.geometry.size) > 1:
        found.append("It has a single slice.")
    if view.shape[0] > _MANY_SLICES:
        found.append(f"It has {view.shape[0]} slices; is the slice axis right?")
    return found


def of_voxels(sample: Sample | None) -> list[str]:
    """What one volume's sampled voxels show."""
    if sample is None:
        return []
    if np.isnan(sample.low):
        return ["No voxel is a number."]
    found = [] if sample.numbers else ["Some voxels are not numbers (NaN or infinite)."]
    if sample.constant and sample.whole:
        found.append(f"All voxels are {sample.low:g}.")
    return found


def of_orientations(sources: Sequence[VolumeSource], views: Sequence[CanonicalView]) -> Findings:
    """Volumes that are stored, or sliced, otherwise than most."""
    found: Findings = [[] for _ in sources]
    _unlike(found, [source.geometry.orientation() for source in sources], "It is stored as {}, most others as {}.")
    _unlike(found, [PLANES[view.normal] for view in views], "Its slices are {}, those of most others {}.")
    return found


def _unlike(found: Findings, values: Sequence[str], sentence: str) -> None:
    (usual, count), *_ = Counter(values).most_common(1) or [("", 0)]
    if len(values) >= _ENOUGH and count > len(values) / 2:
        for entry, value in zip(found, values, strict=True):
            if value != usual:
                entry.append(sentence.format(value, usual))


def of_intensities(samples: Sequence[Sample | None]) -> tuple[Findings, str]:
    """Volumes whose 1st to 99th percentile lies elsewhere, or is wider or narrower, than that of most.

    Returns:
        the findings of each volume, or, where so many differ that none is the exception, one sentence about all.
    """
    found: Findings = [[] for _ in samples]
    known = [k for k, sample in enumerate(samples) if sample and sample.robust[1] > sample.robust[0]]
    if len(known) < _ENOUGH:
        return found, ""
    ranges = np.asarray([sample.robust for k in known if (sample := samples[k])])
    low, width = ranges[:, 0], ranges[:, 1] - ranges[:, 0]
    odd = _far(np.log(width), float(np.log(_FACTOR))) | _far(low, float(np.median(width)))
    if odd.mean() > _MIXED:
        return found, (
            f"The intensities of the volumes differ widely ({odd.sum()} of {len(odd)} are unlike the rest; between "
            f"{ranges[:, 1].min():.4g} and {ranges[:, 1].max():.4g} at the bright end); several modalities or units?"
        )
    usual = np.median(ranges, axis=0)
    for k, (first, last), far in zip(known, ranges, odd, strict=True):
        if far:
            found[k].append(
                f"Its intensities ({first:.4g} to {last:.4g}) are unlike those of the others ({usual[0]:.4g} to "
                f"{usual[1]:.4g}); another modality or unit?"
            )
    return found, ""


def _far(values: np.ndarray, least: float) -> np.ndarray:
    """Which values are farther from the median than ``least`` and than five robust standard deviations."""
    away = np.abs(values - np.median(values))
    return np.asarray(away > max(least, _DEVIATIONS * float(np.median(away))))


def of_copies(
    sources: Sequence[VolumeSource], samples: Sequence[Sample | None], whole: Callable[[VolumeSource], bytes | None]
) -> Findings:
    """Volumes with the same voxels as an earlier one.

    Args:
        sources: the volumes.
        samples: what was seen of each.
        whole: the digest of all voxels; asked for only where samples are alike and do not cover the whole volume.
    """
    found: Findings = [[] for _ in sources]
    alike: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for k, (source, sample) in enumerate(zip(sources, samples, strict=True)):
        if sample and sample.digest and not sample.constant:
            alike[source.geometry.size, sample.whole, sample.digest].append(k)
    for group in alike.values():
        first: dict[bytes | None, int] = {}
        for k in group if len(group) > 1 else ():
            sample = samples[k]
            digest = sample.digest if sample and sample.whole else whole(sources[k])
            if digest and first.setdefault(digest, k) != k:
                found[k].append(f"It holds the same voxels as {sources[first[digest]].id}.")
    return found
