"""Images and the label maps that belong to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pcl_core.errors import InputError
from pcl_core.volumes.data_sets import DATA_SETS
from pcl_core.volumes.discovery import Found, Gathered, gather, require_some
from pcl_core.volumes.gaps import Gap, gaps_in_labels, listed
from pcl_core.volumes.ids import Item
from pcl_core.volumes.layouts import LAYOUTS, is_named_label
from pcl_core.volumes.volume import Unreadable, VolumeSource

_RULE = "Labels have the name of their image, in another folder or followed by _gt, _seg, _label or _mask."


@dataclass(frozen=True)
class Case:
    """An image with its labels."""

    source: VolumeSource
    labels: VolumeSource

    @property
    def id(self) -> str:
        """The image's id."""
        return self.source.id


@dataclass(frozen=True)
class Cases:
    """What of two inputs belongs together, and what is left over.

    Attributes:
        cases: images with labels, sorted by the images' paths.
        without_labels: images without labels.
        unmatched_labels: label files that match no image, or an image that has other labels already.
        unreadable: files of either kind that cannot be used.
        layout: that the images were recognised as.
    """

    cases: tuple[Case, ...]
    without_labels: tuple[VolumeSource, ...]
    unmatched_labels: tuple[VolumeSource, ...]
    unreadable: tuple[Unreadable, ...]
    layout: str = "folder"

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What the layout leads to expect for learning from labels, and is not there."""
        annotated = [case.source for case in self.cases]
        return gaps_in_labels(annotated, self.without_labels, self.unmatched_labels, self.layout)

    @property
    def stray_labels(self) -> tuple[VolumeSource, ...]:
        """The unmatched labels that the gaps do not name."""
        return tuple(one for one in self.unmatched_labels if not is_named_label(one.path, self.layout))


def find_cases(images: Path, labels: Path | None = None, layout: str = "auto") -> Cases:
    """Pairs images with label maps by their names.

    Args:
        images: a file or a folder of volumes.
        labels: a file or a folder of label maps; None, or the same folder, looks for them among the images.
        layout: how the data set names its files, one of ``layouts.NAMES``.

    Raises:
        InputError: a path does not exist or holds nothing that can be used, or no image has labels.
    """
    cases = match(*gather_both(images, labels, layout), layout)
    if not cases.cases:
        if cases.unreadable:
            first = cases.unreadable[0]
            raise InputError(f"No labelled volume can be used; {first.path}: {first.reason}.", "Copy or export it again.")
        where = images if labels is None else labels
        raise InputError(f"No label file in {where} matches an image in {images}. {listed(cases.gaps)}".strip(), _RULE)
    return cases


def find_labels(labels: Path, layout: str = "auto") -> Found:
    """Finds the label maps of a folder: those named so, or all volumes when none is.

    Raises:
        InputError: the path does not exist or holds nothing that can be used.
    """
    gathered = _label_maps(labels, layout)
    require_some(labels, Gathered(gathered.labels, (), gathered.unreadable, gathered.layout))
    data_set = _data_set(gathered.labels, gathered.layout, layout)
    found = tuple(replace(item.source, data_set=data_set) for item in gathered.labels)
    return Found(found, gathered.unreadable, gathered.layout)


def gather_both(images: Path, labels: Path | None, layout: str) -> tuple[Gathered, Gathered | None]:
    """Everything in a folder of images and in one of labels; the second is None when they are one folder.

    Raises:
        InputError: a path does not exist, or holds no volumes.
    """
    if labels is None or (labels.exists() and images.exists() and labels.samefile(images)):
        return gather(images, layout, want_labels=images.is_dir()), None
    return gather(images, layout), _label_maps(labels, layout)


def match(images: Gathered, labels: Gathered | None, asked: str = "auto") -> Cases:
    """Pairs what was gathered; ``labels`` is None when the label maps are among the images, ``asked`` the layout asked for.

    Files in folders of the same name go together. What is left goes together by name alone when the name is unique on both
    sides, and the two come from different inputs, one lies in a folder above the other, or the layout's names are unique.
    """
    candidates = images.labels if labels is None else labels.labels
    pairs: dict[Item, Item] = {}
    rest = sorted(candidates, key=lambda item: item.place.rank)
    rest = _pair(pairs, images.images, rest, lambda item: (item.place.folder, item.case))
    for key in (_case, _id):
        free = [item for item in images.images if item not in pairs]
        once = {name for name, count in Counter(map(key, free)).items() if count == 1}
        alone = {name for name, count in Counter(map(key, rest)).items() if count == 1}
        apart = [item for item in free if key(item) in once & alone]
        rest = _pair(pairs, apart, rest, key, anywhere=labels is not None or LAYOUTS[images.layout].telling)
    if images.layout == "msd":  # one label map for all modalities of a 4-D file: it goes with the first
        firsts = [item for item in images.images if item not in pairs and item.source.frame == 0]
        rest = _pair(pairs, firsts, rest, lambda item: (item.place.folder, item.place.case))
    if images.layout == "acdc":  # a labelled frame whose own file is not there is a frame of the 4-D file
        free = [item for item in images.images if item not in pairs and item.frame]
        rest = _pair(pairs, free, rest, lambda item: item.case.replace("_4d_frame", "_frame"))
    data_set = _data_set(pairs.values(), images.layout, asked)
    return Cases(
        cases=tuple(
            Case(item.source, replace(pairs[item].source, data_set=data_set)) for item in images.images if item in pairs
        ),
        without_labels=tuple(item.source for item in images.images if item not in pairs),
        unmatched_labels=tuple(item.source for item in rest),
        unreadable=images.unreadable + (labels.unreadable if labels else ()),
        layout=images.layout,
    )


def _data_set(labels: Iterable[Item], layout: str, asked: str) -> str:
    """The data set whose values label maps hold: that of their layout, when it was asked for or they are named by it."""
    named = [item.place.named for item in labels]
    return layout if layout in DATA_SETS and (asked == layout or 2 * sum(named) > len(named)) else ""


def _pair(
    pairs: dict[Item, Item],
    images: tuple[Item, ...] | list[Item],
    labels: list[Item],
    key: Callable[[Item], Hashable],
    anywhere: bool = True,
) -> list[Item]:
    """Adds to ``pairs`` what has the same key, the first label taken, and returns the labels left over."""
    by_key: dict[Hashable, Item] = {}
    for image in images:
        by_key.setdefault(key(image), image)
    rest = []
    for label in labels:
        fitting = by_key.get(key(label))
        if fitting is None or fitting in pairs or not (anywhere or _above(fitting, label)):
            rest.append(label)
        else:
            pairs[fitting] = label
    return rest


def _above(first: Item, second: Item) -> bool:
    """Whether one of two files lies in a folder above, or the same as, the other's."""
    short, long = sorted((first.place.folder, second.place.folder), key=len)
    return long[: len(short)] == short


def _case(item: Item) -> Hashable:
    return item.case


def _id(item: Item) -> Hashable:
    return item.case if item.place.labels else item.source.id


def _label_maps(labels: Path, layout: str) -> Gathered:
    """The label maps of a folder: those named so, or all volumes when none is."""
    named = gather(labels, layout, want_images=False, want_labels=True)
    if named.labels or named.unreadable:
        return named
    every = gather(labels, layout)
    return Gathered((), every.images, every.unreadable, every.layout)
