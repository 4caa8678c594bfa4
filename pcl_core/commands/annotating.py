"""From label maps and options to what fine-tuning learns from; cases that it cannot learn from are left out."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pcl_core.commands.class_list import known_classes
from pcl_core.errors import InputError
from pcl_core.events import Reporter
from pcl_core.slices.bank import BankedVolume, SliceBank
from pcl_core.training.cases import annotated_rows, annotated_values, find_classes, split_cases
from pcl_core.training.finetuning import Annotations
from pcl_core.training.learned import learned_before
from pcl_core.training.starting import Start
from pcl_core.volumes.cases import Case
from pcl_core.volumes.class_names import DESCRIPTION, class_names, described_values

_EXAMPLE = 'Write for example {"case01": [3, 4, 5]}; slices are counted from 0 in order of position.'


def annotations_of(args: argparse.Namespace, cases: Sequence[Case], bank: SliceBank, reporter: Reporter) -> Annotations:
    """Classes, split and annotated slices of a labelled bank.

    Args:
        args: of the command finetune.
        cases: with the paths that messages name.
        bank: of the cases.
        reporter: is told of cases that are left out.

    Raises:
        InputError: nothing can be learned from, a list of slices or a case to hold out is wrong, or (strict) a case cannot be
            used.
    """
    known = known_classes(args)
    names = class_names(args.labels, cases[0].labels.data_set)
    slices = {} if args.annotated_slices is None else _annotated_slices(args.annotated_slices, cases, bank)
    bank = _usable(args, cases, bank, slices, reporter)
    try:
        classes = find_classes(bank, names, args.classes, known)
    except InputError as error:
        raise InputError(f"{args.labels}: {error.message}", error.hint) from error
    about = None if args.model is None else Start.model(args.model).about()
    learned = learned_before(about, cases, bank.volumes)
    return Annotations(bank, classes, split_cases(bank.volumes, args.hold_out, args.seed, learned.ids), slices, learned)


def _usable(
    args: argparse.Namespace,
    cases: Sequence[Case],
    bank: SliceBank,
    slices: Mapping[str, Sequence[int]],
    reporter: Reporter,
) -> SliceBank:
    """The bank without the volumes whose labels hold other values than --classes, or no annotation at all."""
    path = {case.id: case.labels.path for case in cases}
    described = described_values(args.labels)
    kept: list[BankedVolume] = []
    for volume in bank.volumes:
        try:
            _require_classes(bank, volume, args.classes, path[volume.id])
            annotated_rows(bank, [volume], slices)
        except InputError as error:
            if args.strict or len(bank.volumes) == 1:
                raise
            first = error
            reporter.warning(f"{error.message} It is left out.", path[volume.id])
        else:
            kept.append(volume)
            _tell_undescribed(annotated_values(bank, volume), described, path[volume.id], reporter)
    if not kept:
        raise InputError(f"None of the {len(bank.volumes)} cases can be used; the last: {first.message}", first.hint)
    return replace(bank, volumes=tuple(kept))


def _tell_undescribed(values: set[int], described: frozenset[int], path: Path, reporter: Reporter) -> None:
    if described and not values <= described:
        listed = ", ".join(map(str, sorted(values - described)))
        reporter.warning(f"The labels {path} hold {listed}, of which {DESCRIPTION} says nothing.", path)


def _require_classes(bank: SliceBank, volume: BankedVolume, classes: Sequence[int] | None, path: Path) -> None:
    beyond = set() if classes is None else annotated_values(bank, volume) - set(classes)
    if beyond:
        listed = ", ".join(map(str, sorted(classes or ())))
        raise InputError(
            f"The labels {path} hold the value {min(beyond)}, which is none of the classes {listed}.",
            "Correct the label map, or name all classes with --classes.",
        )


def _annotated_slices(path: Path, cases: Sequence[Case], bank: SliceBank) -> dict[str, list[int]]:
    """What the file lists of the volumes in the bank; it may name cases that could not be banked, too."""
    try:
        listed = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror or error}.", "Check the path.") from error
    except ValueError as error:
        raise InputError(f"{path} is not JSON: {error}.", _EXAMPLE) from error
    if not isinstance(listed, dict) or not all(
        isinstance(numbers, list) and all(type(number) is int for number in numbers) for numbers in listed.values()
    ):
        raise InputError(f"{path} does not list whole numbers by case.", _EXAMPLE)
    counts = {volume.id: volume.count for volume in bank.volumes}
    known = {case.id for case in cases}
    for case, numbers in listed.items():
        if case not in known:
            raise InputError(f"{path} names the case '{case}', which is not among the annotated ones.", _EXAMPLE)
        for number in numbers:
            if case in counts and not 0 <= number < counts[case]:
                raise InputError(f"{path}: {case} has no slice {number}; they go from 0 to {counts[case] - 1}.", _EXAMPLE)
    if not any(listed.get(case, True) for case in counts):
        raise InputError(f"{path} lists no annotated slice.", _EXAMPLE)
    return {case: numbers for case, numbers in listed.items() if case in counts}
