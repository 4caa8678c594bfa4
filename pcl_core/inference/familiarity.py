"""Whether a volume is like those that a model was trained on, before it is segmented. Needs no PyTorch."""

from __future__ import annotations

from pcl_core.plan import Fingerprint, Plan
from pcl_core.volumes.checks import PLANES
from pcl_core.volumes.formats import NotReadableError
from pcl_core.volumes.geometry import CanonicalView, Geometry, canonical_view
from pcl_core.volumes.sampling import sample
from pcl_core.volumes.volume import VolumeSource

# Augmentation covers scales of 0.7 to 1.3; beyond twice, a network sees what it has never seen.
_FACTOR = 2.0
# Slices are scaled to their own percentiles, so only another kind of scan matters; MR scanners differ much among themselves.
_WIDTH_FACTOR = 4.0


def unlike_training(source: VolumeSource, plan: Plan) -> list[str]:
    """What is unlike in spacing, size, plane and intensity, in sentences; empty when nothing is.

    Args:
        source: the volume; some of its voxels are looked at.
        plan: of the model, with the fingerprint of what it was trained on; without one nothing is known to be unlike.
    """
    known = plan.fingerprint
    wanted = known is not None and known.intensity is not None
    return unlike(source.geometry, _seen(source) if wanted else None, plan)


def unlike(geometry: Geometry, seen: tuple[float, float] | None, plan: Plan) -> list[str]:
    """The same of a volume that lies in no file.

    Args:
        geometry: its grid.
        seen: smallest and largest of its intensities; None when nothing is known of them.
        plan: of the model.
    """
    known = plan.fingerprint
    if known is None:
        return []
    view = canonical_view(geometry, plan.slices.axis)
    return [*_of_plane(view, known), *_of_spacing(view, known), *_of_size(view, known), *_of_intensity(seen, known)]


def _of_plane(view: CanonicalView, known: Fingerprint) -> list[str]:
    plane = PLANES[view.normal]
    if not known.planes or plane in known.planes:
        return []
    return [f"Its slices are {plane}, those of the training were {' or '.join(known.planes)}."]


def _of_spacing(view: CanonicalView, known: Fingerprint) -> list[str]:
    found = []
    pairs = (("slices are", view.spacing[0], known.spacing_mm[0]), ("pixels are", view.spacing[1], known.spacing_mm[1]))
    for words, here, there in pairs:
        if _apart(here, there, _FACTOR):
            found.append(f"Its {words} {here:.3g} mm apart, those of the training {there:.3g} mm.")
    return found


def _of_size(view: CanonicalView, known: Fingerprint) -> list[str]:
    extent = max(view.shape[k] * view.spacing[k] for k in (1, 2))
    if extent > _FACTOR * known.largest_extent_mm or extent < known.extent_mm / _FACTOR:
        return [f"Its slices are {extent:.0f} mm wide, those of the training {known.extent_mm:.0f} mm."]
    return []


def _of_intensity(seen: tuple[float, float] | None, known: Fingerprint) -> list[str]:
    if known.intensity is None or known.intensity_width is None or seen is None or not seen[0] < seen[1]:
        return []
    low, high = known.intensity
    width, (narrowest, widest) = seen[1] - seen[0], known.intensity_width
    other_sign = (seen[0] < 0) != (low < 0) and min(seen[0], low) < -0.1 * max(width, high - low)
    if other_sign or width > _WIDTH_FACTOR * widest or width < narrowest / _WIDTH_FACTOR:
        here = f"from {seen[0]:.4g} to {seen[1]:.4g}"
        return [f"Its intensities go {here}, those of the training from {low:.4g} to {high:.4g}: another kind of scan?"]
    return []


def _seen(source: VolumeSource) -> tuple[float, float] | None:
    try:
        found = sample(source)
        return None if found is None else (found.low, found.high)
    except NotReadableError:
        return None  # reading it will say why


def _apart(one: float, other: float, factor: float) -> bool:
    return min(one, other) <= 0 or max(one, other) > factor * min(one, other)
