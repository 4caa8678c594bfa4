"""Cells side by side: one process a lane, so that each GPU has its own.

The process that was called hands out the cells, writes the results, and is the only one that tells people anything. No two
lanes pretrain the same encoder: a lane gets a cell only when its encoder is there, or nobody else is making it.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

from pcl_core.cancellation import Cancellation
from pcl_core.commands.experiment_cells import CellWork
from pcl_core.commands.experiment_data import Material
from pcl_core.commands.experiment_lane import Ended, Told, lane
from pcl_core.errors import CancelledError, InputError, OutOfMemoryError, PclError
from pcl_core.evaluation.cells import Cell, Result
from pcl_core.events import Event, Reporter
from pcl_core.slices.processes import interrupts_held
from pcl_core.training.context import Context

# A cell that is done, or why it is not.
Outcome = tuple[Cell, Result | InputError]
# A cancelled lane ends after the step that it is at, and writes a checkpoint.
_PATIENCE_S = 120.0
_LOOK_S = 0.2


def lanes_on(device: torch.device, named: str, count: int | None, cores: int) -> list[tuple[str, int]]:
    """The device and the threads of each lane.

    Args:
        device: that was chosen.
        named: what was asked for: ``auto`` and ``cuda`` mean every GPU, ``cuda:1`` that one.
        count: of lanes; None is one a GPU, or one on the processor.
        cores: of the machine.
    """
    every = device.type == "cuda" and named in ("auto", "cuda")
    devices = [f"cuda:{number}" for number in range(torch.cuda.device_count())] if every else [str(device)]
    lanes = count or len(devices)
    threads = torch.get_num_threads() if lanes == 1 else max(1, cores // lanes)
    return [(devices[number % len(devices)], threads) for number in range(lanes)]


def one_after_another(work: CellWork, cells: Sequence[Cell]) -> Iterator[Outcome]:
    """Does the cells in this process.

    Raises:
        CancelledError: somebody asked to stop.
        OutOfMemoryError: with a hint.
    """
    for cell in cells:
        try:
            yield cell, work.do(cell)
        except InputError as error:
            yield cell, error


def side_by_side(
    lanes: Sequence[tuple[str, int]], material: Material, out: Path, cells: Sequence[Cell], context: Context
) -> Iterator[Outcome]:
    """Does the cells in a process a lane.

    Args:
        lanes: device and threads of each.
        material: whose banks are there already, since no two processes may make one.
        out: folder of the experiment.
        cells: in the order in which they are begun.
        context: whose reporter is told what happens in the lanes, and whose cancellation stops them.

    Raises:
        CancelledError: somebody asked to stop.
        OutOfMemoryError: with a hint; or the system ended a lane.
        PclError: a lane failed for a reason that concerns all cells.
    """
    pool = _Lanes(lanes, material, out, context.reporter, context.cancellation)
    try:
        yield from pool.run(list(cells), material)
    finally:
        pool.end()


@dataclass(eq=False)
class _Lane:
    """One process, and what it does at present."""

    number: int
    process: BaseProcess
    connection: Connection
    cell: Cell | None = None


class _Lanes:
    """The processes, and who does what."""

    def __init__(
        self, lanes: Sequence[tuple[str, int]], material: Material, out: Path, reporter: Reporter, cancellation: Cancellation
    ) -> None:
        self._reporter, self._cancellation = reporter, cancellation
        self._made: set[str] = set()
        # Forking a process that has torch's threads running can lock up, so processes are started afresh.
        spawn = multiprocessing.get_context("spawn")
        self._lanes: list[_Lane] = []
        with interrupts_held():
            for number, (device, threads) in enumerate(lanes):
                ours, theirs = spawn.Pipe()
                arguments = (theirs, material, out, device, threads)
                process = spawn.Process(target=lane, args=arguments, name=f"lane {number}", daemon=False)
                process.start()
                theirs.close()  # so that its end is an end of file here
                self._lanes.append(_Lane(number, process, ours))

    def run(self, waiting: list[Cell], material: Material) -> Iterator[Outcome]:
        """Hands out cells and yields what became of them."""
        while True:
            if self._cancellation.requested:
                raise CancelledError()
            self._hand_out(waiting, material)
            busy = [one for one in self._lanes if one.cell is not None]
            if not busy:
                return
            ready = wait([one.connection for one in busy], _LOOK_S)
            for one in busy:
                if one.connection in ready:
                    yield from self._take(one, material)

    def _hand_out(self, waiting: list[Cell], material: Material) -> None:
        for one in self._lanes:
            if one.cell is not None:
                continue
            making = {material.encoder_name(other.cell) for other in self._lanes if other.cell is not None} - self._made
            free = (cell for cell in waiting if material.encoder_name(cell) not in making - {""})
            if (cell := next(free, None)) is not None:
                waiting.remove(cell)
                one.cell = cell
                one.connection.send(cell)

    def _take(self, one: _Lane, material: Material) -> Iterator[Outcome]:
        try:
            message = one.connection.recv()
        except (EOFError, OSError) as error:
            one.process.join(_LOOK_S)
            code, doing = one.process.exitcode, one.cell.folder if one.cell else ""
            if code is not None and code < 0:
                words = f"The system ended the process that did {doing}, most likely for want of memory."
                raise OutOfMemoryError(words, "Use fewer --lanes, and go on with --resume.") from error
            raise PclError(f"The process that did {doing} failed (exit {code}); what it said stands above.") from error
        if isinstance(message, Told):
            self._tell(one, message.event)
            return
        yield self._ended(one, message, material)

    def _ended(self, one: _Lane, message: Ended, material: Material) -> Outcome:
        one.cell = None
        self._made.add(material.encoder_name(message.cell))
        if message.result is not None:
            return message.cell, message.result
        words, hint = message.failure or ("", "")
        if message.kind == InputError.kind:
            return message.cell, InputError(words, hint)
        if message.kind == CancelledError.kind:
            raise CancelledError()
        raise OutOfMemoryError(words, hint) if message.exit_code == OutOfMemoryError.exit_code else PclError(words, hint)

    def _tell(self, one: _Lane, event: Event) -> None:
        """Passes an event on. Stages get the number of their lane, or their bars would be one."""
        fields = {name: value for name, value in event.items() if name not in ("event", "time")}
        if "stage" in fields:
            fields["stage"] = f"{fields['stage']} [{one.number}]"
        self._reporter.emit(event["event"], **fields, lane=one.number)

    def end(self) -> None:
        """Ends the lanes: those that work keep a checkpoint first."""
        for one in self._lanes:
            try:
                one.connection.send("cancel" if one.cell is not None else None)
            except (BrokenPipeError, OSError):
                continue
        for one in self._lanes:
            self._drain(one)
            one.process.join(_PATIENCE_S)
            if one.process.is_alive():
                one.process.kill()
            one.connection.close()

    def _drain(self, one: _Lane) -> None:
        """Reads on until a lane has nothing more to say: it could not end while its pipe is full."""
        try:
            while one.connection.poll(_PATIENCE_S):
                one.connection.recv()
        except (EOFError, OSError):
            return
