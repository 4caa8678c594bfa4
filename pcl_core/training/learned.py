"""Which volumes a model that a fine-tuning goes on from has learned from: their figures say nothing of new cases.

Volumes are known again by the contents of their images. Labels do not count: what was drawn in addition makes no new case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pcl_core.slices.bank import BankedVolume, content_hash
from pcl_core.training.weights import WeightFile
from pcl_core.volumes.cases import Case

KEY = "learned"  # in the facts of a weight file's training


@dataclass(frozen=True)
class Learned:
    """What was learned from before a fine-tuning.

    Attributes:
        images: content hash of each case's image, by id.
        before: hashes of the images that the model to go on from, and those before it, were trained on.
        ids: the cases among them.
    """

    images: Mapping[str, str] = field(default_factory=dict)
    before: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()

    def with_volumes(self, volumes: Sequence[BankedVolume]) -> list[str]:
        """The hashes for the weight file of a training on these volumes."""
        return sorted(self.before | {self.images[volume.id] for volume in volumes if volume.id in self.images})


def learned_before(about: WeightFile | None, cases: Sequence[Case], volumes: Sequence[BankedVolume]) -> Learned:
    """Compares cases with what a model says of its training.

    Args:
        about: of the model to go on from; None when there is none.
        cases: with their files.
        volumes: of the bank of these cases.
    """
    images = {case.id: content_hash(case.source.files) for case in cases}
    if about is None:
        return Learned(images)
    before = frozenset(about.training.get(KEY, ())) - {""}
    whole = set(about.data.values()) - {""}  # of images and labels together, which is all that earlier versions wrote
    return Learned(images, before, frozenset(one.id for one in volumes if images[one.id] in before or one.hash in whole))
