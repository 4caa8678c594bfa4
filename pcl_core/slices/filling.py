"""Prepares many volumes, in several processes where that pays, straight into the files of a bank."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np

from pcl_core.cancellation import Cancellation
from pcl_core.errors import CancelledError, InputError, OutOfMemoryError, PclError
from pcl_core.plan import SlicePlan
from pcl_core.slices.bank import BankItem
from pcl_core.slices.preparing import preparation, prepare_labels
from pcl_core.slices.processes import follow_parent, interrupts_held
from pcl_core.volumes.data_sets import DATA_SETS
from pcl_core.volumes.reading import read_labels, read_volume

# Starting processes takes longer than banking a few small volumes.
_FEW_VOXELS = 20_000_000
_MORE_MEMORY = "Close other programs, or leave the largest volumes out."
# Message and hint of a volume that cannot be used; errors themselves do not all pass between processes.
Failure = tuple[str, str] | None


@dataclass(frozen=True)
class Job:
    """One volume to be prepared, and where its slices and labels go.

    Attributes:
        item: the volume.
        row: of its first slice in both files.
        plan: how it becomes slices.
        slices: file of half floats.
        labels: file of bytes; None without labels.
    """

    item: BankItem
    row: int
    plan: SlicePlan
    slices: Path
    labels: Path | None


def prepare_all(jobs: Sequence[Job], processes: int | None, cancellation: Cancellation) -> Iterator[tuple[Job, Failure]]:
    """Runs the jobs, in no certain order, and yields each with its failure.

    Args:
        jobs: at least one.
        processes: at most so many; None decides by the number of cores and of voxels.
        cancellation: is looked at between volumes.

    Raises:
        CancelledError: somebody asked to stop.
        OutOfMemoryError: a process was killed.
        InputError: no process could begin.
    """
    voxels = sum(int(np.prod(job.item.source.geometry.size)) for job in jobs)
    workers = min(processes or os.cpu_count() or 1, len(jobs))
    if workers == 1 or (processes is None and voxels < _FEW_VOXELS):
        for job in jobs:
            _stop_if(cancellation)
            yield job, _prepare(job)
        return
    # Forking a process that has torch's threads running can lock up, so processes are started afresh.
    context = multiprocessing.get_context("spawn")
    begun = context.Event()
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(begun,)) as pool:
        yield from _collect(pool, jobs, partial(_stop_if, cancellation), begun.is_set)


def _begin(begun: Event) -> None:
    follow_parent()
    begun.set()


def _collect(
    pool: Executor, jobs: Sequence[Job], check: Callable[[], None], begun: Callable[[], bool]
) -> Iterator[tuple[Job, Failure]]:
    with interrupts_held():
        futures: dict[Future[Failure], Job] = {pool.submit(_prepare, job): job for job in jobs}
    try:
        for future in as_completed(futures):
            check()
            try:
                failure = future.result()
            except BrokenProcessPool as error:
                raise _broken(begun()) from error
            yield futures[future], failure
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _broken(begun: bool) -> PclError:
    if begun:
        return OutOfMemoryError(
            "The system ended a process that prepared volumes, most likely for want of memory.", _MORE_MEMORY
        )
    return InputError(
        "No process that prepares volumes could begin.",
        "A script that calls the engine has to do so under \"if __name__ == '__main__':\", since each process reads it anew. "
        "Where no script of yours does, close other programs: the memory is short.",
    )


def _stop_if(cancellation: Cancellation) -> None:
    if cancellation.requested:
        raise CancelledError()


def _prepare(job: Job) -> Failure:
    """Prepares one volume and writes it into its rows. Returns why it cannot be used."""
    try:
        prepared = preparation(read_volume(job.item.source), job.plan, shrink=True)
        for part in prepared.parts():
            _write_at(job.slices, job.row + part.start, prepared.images(part).astype(np.float16))
        if job.labels is not None and job.item.labels is not None:
            labels = read_labels(job.item.labels, job.item.source)
            if job.item.labels.data_set in DATA_SETS:
                labels = DATA_SETS[job.item.labels.data_set].codes(labels)
            _write_at(job.labels, job.row, prepare_labels(labels, prepared.grid))
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
