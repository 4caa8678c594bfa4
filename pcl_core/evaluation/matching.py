"""Which prediction belongs to which truth, by their names."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pcl_core.volumes.volume import VolumeSource

# `_seg`, `-label`, `.seg` and the like at the end, or before the number of a frame; then `_image`, which some data sets have.
_KIND = re.compile(r"(?:[_-](?:gt|seg|label|mask)|\.seg)(?=_frame\d+$|$)", re.IGNORECASE)
_IMAGE = re.compile(r"[_-](?:image|img)(?=_frame\d+$|$)", re.IGNORECASE)
# nnU-Net's number of a modality, which its labels do not have.
_CHANNEL = re.compile(r"_\d{4}(?=_frame\d+$|$)")


@dataclass(frozen=True)
class Pair:
    """A prediction and its truth; ``id`` is the name that they share."""

    id: str
    prediction: VolumeSource
    truth: VolumeSource


@dataclass(frozen=True)
class Matched:
    """What belongs together and what is left over.

    Attributes:
        pairs: sorted by id.
        without_prediction: truths that no prediction matches.
        without_truth: predictions that no truth matches.
        ambiguous: names that several files of one side share.
    """

    pairs: tuple[Pair, ...]
    without_prediction: tuple[VolumeSource, ...]
    without_truth: tuple[VolumeSource, ...]
    ambiguous: tuple[str, ...]


def shared_name(name: str) -> str:
    """The name of a case, from an id without file suffix: ``heart_01_seg``, ``heart_01-label`` and ``heart_01`` are one."""
    return _IMAGE.sub("", _KIND.sub("", name)) or name


def match_predictions(predictions: Sequence[VolumeSource], truths: Sequence[VolumeSource]) -> Matched:
    """Matches by shared name; what is left, by the name without nnU-Net's modality (``heart_01_0000`` is ``heart_01``)."""
    pairs: list[Pair] = []
    ambiguous: set[str] = set()
    left, right = list(predictions), list(truths)
    for channel in (re.compile(r"(?!)"), _CHANNEL):
        ours, theirs = (_by_name(side, channel) for side in (left, right))
        for name in sorted(ours.keys() & theirs.keys()):
            if len(ours[name]) > 1 or len(theirs[name]) > 1:
                ambiguous.add(name)
                continue
            pairs.append(Pair(name, ours[name][0], theirs[name][0]))
            left.remove(ours[name][0])
            right.remove(theirs[name][0])
    unsure = {id(source) for name in ambiguous for side in (left, right) for source in side if _is(source, name)}
    return Matched(
        pairs=tuple(sorted(pairs, key=lambda pair: pair.id)),
        without_prediction=tuple(source for source in right if id(source) not in unsure),
        without_truth=tuple(source for source in left if id(source) not in unsure),
        ambiguous=tuple(sorted(ambiguous)),
    )


def _by_name(sources: Sequence[VolumeSource], without: re.Pattern[str]) -> dict[str, list[VolumeSource]]:
    named: dict[str, list[VolumeSource]] = defaultdict(list)
    for source in sources:
        named[without.sub("", shared_name(source.id))].append(source)
    return named


def _is(source: VolumeSource, name: str) -> bool:
    shared = shared_name(source.id)
    return name in (shared, _CHANNEL.sub("", shared))
