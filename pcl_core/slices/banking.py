"""Makes a slice bank, or finds that the one that is there still fits."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

from pcl_core.cancellation import Cancellation
from pcl_core.errors import InputError
from pcl_core.events import Reporter
from pcl_core.files import replacing, require_space, writable_folder, write_text
from pcl_core.plan import SlicePlan
from pcl_core.slices.bank import (
    FORMAT,
    INDEX,
    LABELS,
    SLICES,
    BankedVolume,
    BankItem,
    SliceBank,
    bank_key,
    content_hashes,
    label_values_of,
    layout_rows,
    open_bank,
)
from pcl_core.slices.filling import Job, prepare_all


def build_bank(
    folder: Path,
    items: Sequence[BankItem],
    plan: SlicePlan,
    reporter: Reporter,
    cancellation: Cancellation,
    strict: bool = False,
    processes: int | None = None,
) -> SliceBank:
    """Opens the bank in ``folder`` when it was made of the same inputs by the same plan, and makes it anew otherwise.

    Args:
        folder: is created.
        items: volumes, all with labels or all without.
        plan: how volumes become slices.
        reporter: is told of progress, and of volumes that are left out.
        cancellation: is looked at between volumes.
        strict: a volume that cannot be used is an error, not a warning.
        processes: at most so many; default: one a core.

    Raises:
        InputError: no volume can be used, the folder cannot be written, or (strict) a volume cannot be used.
        OutOfMemoryError: a process that prepares volumes was killed.
        CancelledError: nothing is kept.
    """
    writable_folder(folder)
    hashes = content_hashes(items)
    key = bank_key(plan, items, hashes)
    found = open_bank(folder)
    if found is not None and found.key == key and not (strict and found.skipped):
        for path, reason in found.skipped:
            reporter.warning(f"{reason} It is left out.", path)
        return found
    del found  # a mapped file cannot be replaced everywhere
    (folder / INDEX).unlink(missing_ok=True)
    volumes = layout_rows(plan, items, hashes)
    labelled = items[0].labels is not None
    failures = _fill(folder, items, volumes, plan, reporter, cancellation, strict, processes)
    used = [volume for volume in volumes if volume.id not in failures]
    index = {
        "format": FORMAT,
        "key": key,
        "side": plan.size,
        "rows": volumes[-1].start + volumes[-1].count,
        "labels": labelled,
        "label_values": label_values_of(items),
        "volumes": [asdict(volume) for volume in used],
        "skipped": list(failures.values()),
    }
    write_text(folder / INDEX, json.dumps(index))
    bank = open_bank(folder)
    if bank is None:
        raise InputError(f"The slice bank in {folder} cannot be read back.", "Check the disk, or choose another folder.")
    return bank


def _fill(
    folder: Path,
    items: Sequence[BankItem],
    volumes: Sequence[BankedVolume],
    plan: SlicePlan,
    reporter: Reporter,
    cancellation: Cancellation,
    strict: bool,
    processes: int | None,
) -> dict[str, tuple[str, str]]:
    """Writes the data files. Returns path and reason of the volumes that failed, by id."""
    labelled = items[0].labels is not None
    cells = (volumes[-1].start + volumes[-1].count) * plan.size**2
    require_space(folder, cells * (3 if labelled else 2))
    failures: dict[str, tuple[str, str]] = {}
    with replacing(folder / SLICES) as slices, replacing(folder / LABELS) if labelled else nullcontext() as labels:
        _allocate(slices, 2 * cells)
        if labels is not None:
            _allocate(labels, cells)
        jobs = [Job(item, volume.start, plan, slices, labels) for item, volume in zip(items, volumes, strict=True)]
        reporter.progress("prepare", 0, len(jobs))
        for done, (job, failure) in enumerate(prepare_all(jobs, processes, cancellation), start=1):
            if failure:
                message, hint = failure
                if strict or len(jobs) == 1:
                    raise InputError(message, hint)
                failures[job.item.source.id] = (str(job.item.source.path), message)
                if len(failures) == len(jobs):
                    _, first = next(iter(failures.values()))
                    raise InputError(f"None of the {len(jobs)} volumes can be used; the first: {first}", hint)
                reporter.warning(f"{message} It is left out.", job.item.source.path)
            reporter.progress("prepare", done, len(jobs))
    return failures


def _allocate(path: Path, size: int) -> None:
    with path.open("wb") as stream:
        stream.truncate(size)
