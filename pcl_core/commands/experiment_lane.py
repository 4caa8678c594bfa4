"""A lane of an experiment: a process of its own that does one cell after another on one device."""

from __future__ import annotations

import queue
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import torch

from pcl_core.cancellation import Cancellation
from pcl_core.commands.experiment_cells import CellWork
from pcl_core.commands.experiment_data import Material
from pcl_core.errors import CancelledError, InputError, PclError
from pcl_core.evaluation.cells import Cell, Result
from pcl_core.events import Event, Reporter
from pcl_core.slices.processes import follow_parent
from pcl_core.training.context import Context


@dataclass(frozen=True)
class Told:
    """An event of the work in a lane."""

    event: Event


@dataclass(frozen=True)
class Ended:
    """A cell came to its end: with a result, or with why there is none.

    Attributes:
        cell: which.
        result: None when it failed.
        failure: message and hint; None when it did not fail.
        kind: of the failure, as errors name it; ``input`` concerns the cell alone.
        exit_code: of the failure.
    """

    cell: Cell
    result: Result | None = None
    failure: tuple[str, str] | None = None
    kind: str = ""
    exit_code: int = 0


@dataclass(frozen=True)
class _ToParent:
    """Events go to the process that started the lane; it is the only one that writes to people."""

    connection: Connection

    def write(self, event: Event) -> None:
        """Sends one event. When nobody takes it any more, the lane is about to end."""
        with suppress(BrokenPipeError):
            self.connection.send(Told(event))

    def close(self) -> None:
        """Nothing is held back."""


def lane(connection: Connection, material: Material, out: Path, device: str, threads: int) -> None:
    """Does the cells that come in until None does, or nobody is there any more.

    Args:
        connection: takes a Cell, the word ``cancel``, or None for the end; gives Told and Ended.
        material: of the experiment; its banks are there already.
        out: folder of the experiment.
        device: name of the device.
        threads: of the processor; others want theirs.
    """
    follow_parent()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the parent gets it too, and then cancels
    torch.set_num_threads(threads)
    cancellation = Cancellation()
    cells: queue.SimpleQueue[Cell | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, cells, cancellation), daemon=True).start()
    context = Context(torch.device(device), 0, Reporter(_ToParent(connection)), cancellation)
    work = CellWork(material, out, context)
    while (cell := cells.get()) is not None:
        with suppress(BrokenPipeError):
            connection.send(_done(work, cell))


def _listen(connection: Connection, cells: queue.SimpleQueue[Cell | None], cancellation: Cancellation) -> None:
    """Takes what comes in while a cell is being done."""
    while True:
        try:
            message = connection.recv()
        except (EOFError, OSError):
            message = "cancel"
        if message == "cancel":
            cancellation.request()
            message = None
        cells.put(message)
        if message is None:
            return


def _done(work: CellWork, cell: Cell) -> Ended:
    try:
        return Ended(cell, result=work.do(cell))
    except (InputError, CancelledError) as error:
        return Ended(cell, failure=(error.message, error.hint), kind=error.kind, exit_code=error.exit_code)
    except PclError as error:
        return Ended(cell, failure=(f"{cell.folder}: {error.message}", error.hint), kind=error.kind, exit_code=error.exit_code)
