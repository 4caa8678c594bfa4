"""The positions of the slices in a bank, by one of three rules.

* ``relative``: (m + 1) / n of the slice's number m in its volume of n slices (paper, section 3.1).
* ``millimetre``: from the middle of the volume, in lengths of the usual volume, by the spacing of the slices. For volumes of
  different lengths around the same anatomy.
* ``learned``: in the frame of the atlas (``slices/atlas.py``): for volumes that cover different parts of the body, or of which
  some are stored the other way round.

Of a volume that a person says runs the other way (``SliceBank.flipped``), every rule counts from the other end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pcl_core.plan import PositionRule
from pcl_core.slices.atlas import Placement, align
from pcl_core.slices.bank import BankedVolume, SliceBank
from pcl_core.slices.features import PlainFeatures, SliceFeatures, principal


def place(bank: SliceBank, rule: PositionRule, features: SliceFeatures | None = None) -> SliceBank:
    """The bank with its slices placed by a rule.

    Args:
        bank: of any volumes.
        rule: see above.
        features: by which volumes are compared for ``learned``; plain ones of the images when None.
    """
    if rule == "relative":
        return replace(bank, placements={})
    if rule == "millimetre":
        found = by_millimetres(bank.volumes)
        return replace(bank, placements={name: turned(one) if name in bank.flipped else one for name, one in found.items()})
    return replace(bank, placements=by_atlas(bank, features or PlainFeatures()))


def by_millimetres(volumes: Sequence[BankedVolume]) -> dict[str, Placement]:
    """Placements of lengths in proportion to those in mm, all with the same middle; the median length is 1."""
    lengths = {one.id: one.count * one.slice_mm for one in volumes}
    usual = float(np.median(list(lengths.values())))
    return {name: Placement(0.5 - length / usual / 2, length / usual, False, 1.0) for name, length in lengths.items()}


def by_atlas(bank: SliceBank, features: SliceFeatures) -> dict[str, Placement]:
    """Placements in the frame of the atlas."""
    placements = align_turned(feature_parts(bank, features), [volume.id in bank.flipped for volume in bank.volumes])
    return {volume.id: placement for volume, placement in zip(bank.volumes, placements, strict=True)}


def align_turned(parts: Sequence[np.ndarray], flipped: Sequence[bool]) -> list[Placement]:
    """Placements of volumes of which some are known to run the other way.

    They are compared as if they were stored like the others, so that they count among those that decide which way is forward.

    Args:
        parts: for each volume (slices, K) features, in stored order.
        flipped: whether each runs the other way.
    """
    found = align([part[::-1] if flip else part for part, flip in zip(parts, flipped, strict=True)])
    return [turned(one) if flip else one for one, flip in zip(found, flipped, strict=True)]


def turned(one: Placement) -> Placement:
    """The placement of the same slices in the opposite order."""
    return replace(one, flipped=not one.flipped)


def feature_parts(bank: SliceBank, features: SliceFeatures) -> list[np.ndarray]:
    """For each volume of the bank (slices, K) principal components of the features of its slices."""
    rows = bank.rows
    # A bank may be larger than the memory: it is read in parts, and copied only where rows of it are empty.
    images = bank.images if len(rows) == len(bank.images) else bank.images[rows]
    components = principal(features(images))
    ends = np.cumsum([volume.count for volume in bank.volumes])
    return np.split(components, ends[:-1])
