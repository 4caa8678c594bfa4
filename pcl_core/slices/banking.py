"""Fills a slice bank, several volumes at a time."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from pathlib import Path

import numpy as np

from pcl_core.cancellation import Cancellation
from pcl_core.errors import CancelledError, InputError, OutOfMemoryError
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
    layout_rows,
    open_bank,
)
from pcl_core.slices.preparing import prepare_images, prepare_labels
from pcl_core.volumes.reading import read_labels, read_volume

# Starting processes takes longer than banking a few small volumes.
_FEW_VOXELS = 20_000_000
_MORE_MEMORY = "Close other programs, or leave the largest volumes out."
# Message and hint of a volume that cannot be used; errors themselves do not all pass between processes.
_Failure = tuple[str, str] | None


@dataclass(frozen=True)
class _Job:
    """What one process does at a time."""

    item: BankItem
    row: int
    plan: SlicePlan
    slices: Path
    labels: Path | None


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
        jobs = [_Job(item, volume.start, plan, slices, labels) for item, volume in zip(items, volumes, strict=True)]
        reporter.progress("prepare", 0, len(jobs))
        for done, (job, failure) in enumerate(_results(jobs, processes, cancellation), start=1):
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


def _results(jobs: Sequence[_Job], processes: int | None, cancellation: Cancellation) -> Iterator[tuple[_Job, _Failure]]:
    """Runs the jobs in other processes where that pays; yields each with its failure."""
    voxels = sum(int(np.prod(job.item.source.geometry.size)) for job in jobs)
    workers = min(processes or os.cpu_count() or 1, len(jobs))
    if workers == 1 or (processes is None and voxels < _FEW_VOXELS):
        for job in jobs:
            _stop_if(cancellation)
            yield job, _prepare(job)
        return
    # Forking a process that has torch's threads running can lock up, so processes are started afresh.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_follow_parent) as pool:
        yield from _collect(pool, jobs, partial(_stop_if, cancellation))


def _collect(pool: Executor, jobs: Sequence[_Job], check: Callable[[], None]) -> Iterator[tuple[_Job, _Failure]]:
    with _interrupts_held():
        futures: dict[Future[_Failure], _Job] = {pool.submit(_prepare, job): job for job in jobs}
    try:
        for future in as_completed(futures):
            check()
            try:
                failure = future.result()
            except BrokenProcessPool as error:
                raise OutOfMemoryError(
                    "The system ended a process that prepared volumes, most likely for want of memory.", _MORE_MEMORY
                ) from error
            yield futures[future], failure
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Holds a Ctrl-C back while processes are started; they inherit that, and would complain of it while they import."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # starting it would let signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _follow_parent() -> None:
    """Leaves interrupts to the parent, and ends with it, however it ended: nobody else would end this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)


def _stop_if(cancellation: Cancellation) -> None:
    if cancellation.requested:
        raise CancelledError()


def _prepare(job: _Job) -> _Failure:
    """Prepares one volume and writes it into its rows. Returns why it cannot be used."""
    try:
        images, grid = prepare_images(read_volume(job.item.source), job.plan, shrink=True)
        _write_at(job.slices, job.row, images.astype(np.float16))
        if job.labels is not None and job.item.labels is not None:
            labels = prepare_labels(read_labels(job.item.labels, job.item.source.geometry), grid)
            _write_at(job.labels, job.row, labels)
    except InputError as error:
        return error.message, error.hint
    except MemoryError as error:
        raise OutOfMemoryError(f"The memory is not enough for {job.item.source.path}.", _MORE_MEMORY) from error
    return None


def _write_at(path: Path, row: int, array: np.ndarray) -> None:
    # Written, not mapped: a full disk must be an error here, and would be a crash of the process through a mapping.
    with path.open("r+b") as stream:
        stream.seek(row * array[0].nbytes)
        stream.write(np.ascontiguousarray(array).data)


def _allocate(path: Path, size: int) -> None:
    with path.open("wb") as stream:
        stream.truncate(size)
