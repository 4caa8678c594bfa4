"""Names for volumes that are unique among the inputs of a command, and the patients that volumes belong to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pcl_core.volumes.formats import stem_of
from pcl_core.volumes.layouts import Place
from pcl_core.volumes.volume import VolumeSource


@dataclass(frozen=True)
class Item:
    """A volume with what its path says about it."""

    source: VolumeSource
    place: Place

    @property
    def frame(self) -> str:
        """``_frame01`` and so on for one of several frames, else nothing."""
        return "" if self.source.frame is None else self.source.id[self.source.id.rindex("_frame") :]

    @property
    def case(self) -> str:
        """What images and labels share, frame by frame."""
        return self.place.case + self.frame


def unique(items: Iterable[Item]) -> tuple[Item, ...]:
    """Gives every item its id and its patient.

    Items come in order, the frames of a volume one after the other. The id is the file's name without suffix. A name that
    occurs in several folders gets as many of the folders' names before it as tell the files apart; modalities of one case keep
    their number; files of one name and several formats get the format.

    The patient is what the layout or the DICOM header says. Without either, every file is a patient of its own, except that
    where a few names repeat in many folders (t1 and t2 in every one), the folder is the patient.
    """
    volumes: list[list[Item]] = []  # each with its frames
    for item in items:
        if item.source.frame:
            volumes[-1].append(item)
        else:
            volumes.append([item])
    firsts = [frames[0] for frames in volumes]
    names = _names(firsts)
    taken = set(names)
    for k, frames in enumerate(volumes):
        while any(item.frame and names[k] + item.frame in taken for item in frames):
            names[k] += "_4d"
    return tuple(
        replace(item, source=replace(item.source, id=name + item.frame, patient=patient or name))
        for name, patient, frames in zip(names, _patients(firsts, names), volumes, strict=True)
        for item in frames
    )


def _names(items: list[Item]) -> list[str]:
    channels = Counter((item.place.parents, item.place.case) for item in items if item.place.channel)
    names = [
        stem_of(item.source.path) if channels[item.place.parents, item.place.case] > 1 else item.place.id for item in items
    ]
    deepest = max((len(item.place.parents) for item in items), default=0)
    for group in _equals(names):
        for depth in range(1, deepest + 1):
            longer = {k: "_".join((*items[k].place.parents[-depth:], names[k])) for k in group}
            apart = len(set(longer.values()))
            if apart == len(group) or (depth == deepest and apart > 1):
                for k, name in longer.items():
                    names[k] = name
                break
    for group in _equals(names):
        kinds = [items[k].source.format for k in group]
        for k, kind in zip(group, kinds, strict=True):
            names[k] += f"_{kind}" if len(set(kinds)) > 1 else ""
    taken = set(names)
    for group in _equals(names):
        for number, k in enumerate(group[1:], 2):
            while f"{names[k]}_{number}" in taken:
                number += 1  # noqa: PLW2901 (the next free number)
            names[k] = f"{names[k]}_{number}"
            taken.add(names[k])
    return names


def _equals(names: list[str]) -> list[list[int]]:
    """Indices of names that occur more than once, name by name."""
    places: dict[str, list[int]] = defaultdict(list)
    for k, name in enumerate(names):
        places[name].append(k)
    return [group for group in places.values() if len(group) > 1]


def _patients(items: list[Item], names: list[str]) -> list[str]:
    known = [item.place.patient or item.source.patient for item in items]
    open_items = [item for item, patient in zip(items, known, strict=True) if not patient]
    stems = Counter(item.place.id for item in open_items)
    folders = {item.place.folder for item in open_items}
    repeated = len(stems) <= len(folders) and len(stems) < len(open_items) and () not in folders
    return [
        patient or ("_".join(item.place.folder) if repeated else name)
        for item, patient, name in zip(items, known, names, strict=True)
    ]
