"""What fine-tuning learns from: which classes there are, which slices are annotated, which case is held out."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pcl_core.errors import InputError
from pcl_core.slices.bank import BankedVolume, SliceBank
from pcl_core.training.losses import IGNORED
from pcl_core.training.weights import SegmentClass

_MOST_CLASSES = 64
# Colours that stay apart for most people (after Okabe and Ito 2008), from the fourth class on in a fixed order.
_PALETTE = (
    (0.00, 0.45, 0.70), (0.90, 0.62, 0.00), (0.84, 0.37, 0.00), (0.00, 0.62, 0.45), (0.80, 0.47, 0.65), (0.34, 0.71, 0.91),
    (0.94, 0.89, 0.26), (0.55, 0.34, 0.77), (0.60, 0.60, 0.60),
)  # fmt: skip


@dataclass(frozen=True)
class Split:
    """Volumes to train on, and the volumes of the held-out patient (none when all are trained on)."""

    train: tuple[BankedVolume, ...]
    held_out: tuple[BankedVolume, ...]


def find_classes(
    bank: SliceBank,
    names: Mapping[int, str],
    expected: Sequence[int] | None = None,
    known: Sequence[SegmentClass] = (),
) -> tuple[SegmentClass, ...]:
    """The classes of a labelled bank: every value but 0 (background) and 255 (not annotated), in rising order.

    Args:
        bank: with labels.
        names: known names by value.
        expected: values that may occur; others are an error. None allows all.
        known: classes that there are in any case, with their names, colours and terminology.

    Raises:
        InputError: nothing is annotated, there are too many values for label maps, or one is not or cannot be expected.
    """
    for value in expected or ():
        if not (0 < value < IGNORED or value in bank.label_values):
            raise InputError(f"{value} cannot be a class.", "Classes go from 1 to 254; 0 is background, 255 not annotated.")
    found: set[int] = set()
    for volume in bank.volumes:
        values = annotated_values(bank, volume)
        beyond = values - set(expected) if expected is not None else set()
        if beyond:
            raise InputError(
                f"The labels of {volume.id} hold the value {min(beyond)}; the classes are {sorted(expected or ())}.",
                "Correct the label map, or name all classes with --classes.",
            )
        found |= values
    if not found:
        raise InputError("The label maps are empty: every voxel is background or not annotated.", "Annotate something first.")
    if len(found) > _MOST_CLASSES:
        raise InputError(f"The label maps hold {len(found)} different values.", "Are these images rather than labels?")
    given = {entry.value: entry for entry in known}
    values_in_order = sorted(found | set(expected or ()) | set(given))
    return tuple(
        given.get(value) or SegmentClass(value, _unique_name(value, names), _PALETTE[k % len(_PALETTE)])
        for k, value in enumerate(values_in_order)
    )


def _unique_name(value: int, names: Mapping[int, str]) -> str:
    name = names.get(value, f"class {value}")
    return name if list(names.values()).count(name) < 2 else f"{name} {value}"


def annotated_values(bank: SliceBank, volume: BankedVolume) -> set[int]:
    """The values of a volume's label map, from a labelled bank, without 0 (background) and 255 (not annotated)."""
    assert bank.labels is not None
    found = set(np.unique(bank.labels[volume.start : volume.start + volume.count]).tolist()) - {0, IGNORED}
    return {bank.label_values[code - 1] for code in found} if bank.label_values else found


def channel_table(classes: Sequence[SegmentClass], label_values: Sequence[int] = ()) -> np.ndarray:
    """(256,) network channel of each label in a bank; 255 stays 255, values that are no class become background.

    Args:
        classes: in the order of the channels from 1.
        label_values: of the bank.
    """
    table = np.zeros(256, dtype=np.int64)
    table[IGNORED] = IGNORED
    codes = {value: code for code, value in enumerate(label_values or range(1, IGNORED), start=1)}
    for channel, entry in enumerate(classes, start=1):
        if entry.value in codes:  # others are classes of an earlier model that these label maps cannot hold
            table[codes[entry.value]] = channel
    return table


def annotated_rows(
    bank: SliceBank, volumes: Sequence[BankedVolume], annotated_slices: Mapping[str, Sequence[int]]
) -> np.ndarray:
    """Rows of the bank that are trained on.

    Args:
        bank: with labels.
        volumes: of the bank.
        annotated_slices: by the id of a partly annotated volume, the numbers (from 0, in order of position) of its annotated
            slices; volumes that are not in it are annotated throughout, but for voxels of 255.

    Raises:
        InputError: a number is not one of the volume's slices, or no slice is left.
    """
    assert bank.labels is not None
    rows: list[int] = []
    for volume in volumes:
        numbers = annotated_slices.get(volume.id, range(volume.count))
        for number in numbers:
            if not 0 <= number < volume.count:
                raise InputError(
                    f"{volume.id} has no slice {number}.", f"Its slices are counted from 0 to {volume.count - 1}, by position."
                )
            if (bank.labels[volume.start + number] != IGNORED).any():
                rows.append(volume.start + number)
    if not rows:
        names = _some(volume.id for volume in volumes)
        raise InputError(f"No slice of {names} is annotated.", "Annotate some, or choose other cases.")
    return np.asarray(sorted(set(rows)))


def new_patients(volumes: Sequence[BankedVolume], learned: Container[str]) -> list[str]:
    """The patients none of whose volumes (by id) was learned from before, in order of their names."""
    known = {volume.patient for volume in volumes if volume.id in learned}
    return sorted({volume.patient for volume in volumes} - known)


def split_cases(volumes: Sequence[BankedVolume], hold_out: str, seed: int, learned: Container[str] = frozenset()) -> Split:
    """Decides which case is held out, by patient.

    Args:
        volumes: all that are annotated.
        hold_out: ``auto`` (one patient when there are three or more, else none), ``none``, or the id of a case.
        seed: draws the patient for ``auto``.
        learned: ids of volumes that the model to go on from was trained on: ``auto`` does not hold their patients out, nor the
            only new one, from whom there is most to learn.

    Raises:
        InputError: the case is unknown, or nothing would be left to train on.
    """
    patients = sorted({volume.patient for volume in volumes})
    chosen: str | None = None
    if hold_out == "auto":
        new = new_patients(volumes, learned)
        enough = len(patients) >= 3 and len(new) >= 2
        chosen = new[int(np.random.default_rng(seed).integers(len(new)))] if enough else None
    elif hold_out != "none":
        chosen = next((volume.patient for volume in volumes if hold_out in (volume.id, volume.patient)), None)
        if chosen is None:
            raise InputError(f"There is no case '{hold_out}' to hold out.", f"Choose one of {_some(v.id for v in volumes)}.")
    train = tuple(volume for volume in volumes if volume.patient != chosen)
    if not train:
        raise InputError("Nothing is left to train on when that case is held out.", "Annotate another, or --hold-out none.")
    return Split(train, tuple(volume for volume in volumes if volume.patient == chosen))


def _some(names: object, limit: int = 8) -> str:
    listed = list(names)  # type: ignore[call-overload]
    return ", ".join(listed[:limit]) + (" ..." if len(listed) > limit else "")
