"""What the layout of a data set leads to expect and is not there, patient by patient."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pcl_core.volumes.acdc import gaps_in_cine, gaps_in_folders, gaps_in_phases
from pcl_core.volumes.class_names import DESCRIPTION, description_of
from pcl_core.volumes.formats import stem_of
from pcl_core.volumes.layouts import LAYOUTS, is_named_label
from pcl_core.volumes.volume import Unreadable, VolumeSource

_MOST = 20
_CHANNEL = re.compile(r"^(?P<case>.+)_(?P<channel>\d{4})$")


@dataclass(frozen=True)
class Gap:
    """Something that is not there, or is not as it should be.

    Attributes:
        patient: whose it is.
        words: such as ``no labels of ES (frame 12)``.
    """

    patient: str
    words: str


def gaps_in_images(
    inputs: Path, images: Sequence[VolumeSource], layout: str, unreadable: Sequence[Unreadable] = ()
) -> tuple[Gap, ...]:
    """What is missing of the images: patients, 4-D files, modalities, files that ``dataset.json`` lists. Labels play no part.

    Args:
        inputs: the folder that was given.
        images: that were found in it.
        layout: by which they are named.
        unreadable: files that are there all the same.
    """
    found: list[tuple[str, str]] = []
    if layout == "acdc":
        found += [*gaps_in_folders(inputs, images), *gaps_in_cine(images)]
    if layout == "nnunet":
        found += _gaps_in_channels([*(source.path for source in images), *(one.path for one in unreadable)])
    if layout in ("nnunet", "msd"):
        found += _not_there(inputs)
    return _sorted(found)


def gaps_in_labels(
    annotated: Sequence[VolumeSource], others: Sequence[VolumeSource], labels: Sequence[VolumeSource], layout: str
) -> tuple[Gap, ...]:
    """What is missing for learning from labels.

    Args:
        annotated: images with labels.
        others: images without.
        labels: label maps that match no image.
        layout: by which the images are named.
    """
    found: list[tuple[str, str]] = []
    if layout == "acdc":
        found += gaps_in_phases(annotated, others)
    else:
        found += _without_labels({source.patient for source in annotated}, others, layout)
    found += [(one.patient, f"no image for {one.path.name}") for one in labels if is_named_label(one.path, layout)]
    return _sorted(found)


def listed(gaps: Sequence[Gap]) -> str:
    """One sentence that lists the gaps by patient, the first 20 of them; empty when there are none."""
    by_patient: dict[str, list[str]] = defaultdict(list)
    for gap in sorted(dict.fromkeys(gaps), key=lambda gap: gap.patient):
        by_patient[gap.patient].append(gap.words)
    if not by_patient:
        return ""
    some = "; ".join(f"{patient}: {', '.join(words)}" for patient, words in list(by_patient.items())[:_MOST])
    more = f"; and {len(by_patient) - _MOST} more patients" if len(by_patient) > _MOST else ""
    return f"Not all of the data set is there ({len(by_patient)} patient{'s' * (len(by_patient) > 1)}): {some}{more}."


def _sorted(found: Iterable[tuple[str, str]]) -> tuple[Gap, ...]:
    return tuple(Gap(patient, words) for patient, words in sorted(found, key=lambda gap: gap[0]))


def _without_labels(annotated: set[str], others: Sequence[VolumeSource], layout: str) -> Iterator[tuple[str, str]]:
    """Images that come with labels in the data set. nnU-Net's and Decathlon's folders also serve own data with few labels."""
    lacking = [one for one in others if one.frame in (None, 0) and _comes_with_labels(one, layout)]
    if layout == "hvsmr":
        yield from ((one.patient, f"no labels of {stem_of(one.path)}") for one in lacking)  # a patient has several images
        return
    patients = {one.patient for one in lacking} - annotated  # the further modalities of a case have no labels of their own
    if LAYOUTS[layout].telling or len(patients) <= len(annotated):
        yield from ((patient, "no labels") for patient in patients)


def _comes_with_labels(source: VolumeSource, layout: str) -> bool:
    return bool(LAYOUTS[layout].annotated.search(source.path.absolute().with_name(stem_of(source.path)).as_posix()))


def _gaps_in_channels(paths: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Cases of nnU-Net without a modality that others have."""
    cases: dict[tuple[Path, str], set[str]] = defaultdict(set)
    for path in paths:
        if named := _CHANNEL.match(stem_of(path)):
            cases[path.parent, named["case"]].add(named["channel"])
    channels = set().union(*cases.values())
    for (_, case), there in cases.items():
        yield from ((case, f"no channel {channel}") for channel in sorted(channels - there))


def _not_there(inputs: Path) -> Iterator[tuple[str, str]]:
    """Images below a folder that ``dataset.json`` lists for training and that are not there."""
    path = description_of(inputs)
    if path is None or not inputs.is_dir():
        return
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8-sig"))
        entries = document.get("training", [])
        images = [path.parent / entry["image"] for entry in entries]
    except (OSError, ValueError, AttributeError, KeyError, TypeError):
        return  # whoever needs the names of the classes learns that the file is broken
    below = inputs.resolve()
    for image in images:
        first = image.with_name(f"{stem_of(image)}_0000{image.name[len(stem_of(image)) :]}")  # as nnU-Net stores it
        if below in image.resolve().parents and not image.exists() and not first.exists():
            yield stem_of(image), f"no image, though {DESCRIPTION} lists it"
