"""What belongs to an ACDC patient: a 4-D file, the frames ED and ES with labels, and Info.cfg, which says which they are."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pcl_core.volumes.formats import format_of
from pcl_core.volumes.frames import is_cine, number_of_frame
from pcl_core.volumes.volume import VolumeSource

INFO_FILE = "Info.cfg"
_PATIENT = re.compile(r"^patient\d+$")
_PHASE = re.compile(r"^\s*(ED|ES)\s*:\s*(\d+)\s*$", re.MULTILINE)


def read_phases(path: Path) -> dict[str, int]:
    """The numbers, from 1, of the frames of end-diastole and end-systole: ``{"ED": 1, "ES": 12}``.

    Args:
        path: an Info.cfg.

    Returns:
        empty when the file does not say both, or cannot be read.
    """
    try:
        found = {phase: int(number) for phase, number in _PHASE.findall(path.read_text(encoding="utf-8", errors="replace"))}
    except OSError:
        return {}
    return found if found.keys() == {"ED", "ES"} else {}


def gaps_in_cine(images: Sequence[VolumeSource]) -> Iterator[tuple[str, str]]:
    """Patients without a 4-D file, where others have one: (patient, words)."""
    with_cine = {source.patient for source in images if is_cine(source)}
    if with_cine:
        yield from ((patient, "no 4-D file") for patient in sorted({source.patient for source in images} - with_cine))


def gaps_in_folders(inputs: Path, images: Sequence[VolumeSource]) -> Iterator[tuple[str, str]]:
    """Patients of whom a folder is there, beside those of others, and no volume in it: (patient, words)."""
    around = {one.path.parent.parent.absolute() for one in images if one.path.parent.name == one.patient}
    for place in sorted(one for one in around if one.is_relative_to(inputs.absolute())):
        for name in next(os.walk(place), ("", [], []))[1]:
            files = next(os.walk(place / name), ("", [], []))[2]
            if _PATIENT.match(name) and not any(format_of(Path(file)) for file in files):
                yield name, "no image"


def gaps_in_phases(annotated: Sequence[VolumeSource], others: Sequence[VolumeSource]) -> Iterator[tuple[str, str]]:
    """Patients whose labels are not those of ED and ES: (patient, words).

    Args:
        annotated: images with labels.
        others: images without.
    """
    labelled = _by_patient((one, number_of_frame(one) or (one.frame or 0) + 1) for one in annotated)
    unlabelled = _by_patient((one, number) for one in others if (number := number_of_frame(one)))
    folders = {one.patient: one.path.parent for one in (*annotated, *others) if one.path.parent.name == one.patient}
    infos = {patient: folder / INFO_FILE for patient, folder in folders.items() if (folder / INFO_FILE).exists()}
    for patient in sorted({one.patient for one in (*annotated, *others)}):
        if patient in infos:
            yield from ((patient, words) for words in _unlike(read_phases(infos[patient]), labelled[patient]))
            continue
        if patient in folders and infos:
            yield patient, f"no {INFO_FILE}"
        if not labelled[patient]:
            yield patient, "no labels"
        elif len(labelled[patient]) == 1:
            lacking = sorted(unlabelled[patient] - labelled[patient])
            yield patient, f"no labels of frame {lacking[0]:02d}" if len(lacking) == 1 else "labels of one frame only"


def _by_patient(frames: Iterable[tuple[VolumeSource, int]]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for source, number in frames:
        found[source.patient].add(number)
    return found


def _unlike(phases: dict[str, int], labelled: set[int]) -> Iterator[str]:
    """What contradicts an Info.cfg."""
    if not phases:
        yield f'{INFO_FILE} without lines such as "ED: 1" and "ES: 12"'
        return
    named = " and ".join(f"{phase} {number:02d}" for phase, number in phases.items())
    if labelled - set(phases.values()):
        others = ", ".join(f"{number:02d}" for number in sorted(labelled))
        yield f"{INFO_FILE} says {named}, labelled is frame {others}"
        return
    yield from (f"no labels of {phase} (frame {number:02d})" for phase, number in phases.items() if number not in labelled)
