"""Processes that train together, as torchrun starts them: one prepares and writes, all compute, all stop at the same step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from torch import distributed

from pcl_core.cancellation import Cancellation
from pcl_core.errors import CancelledError, InputError
from pcl_core.processes import World

# The others wait while the first one prepares the slices of all volumes.
_LONGEST_WAIT = timedelta(days=2)


class Team:
    """The processes of one training.

    Args:
        world: which of them this one is.
        group: in which they agree by way of the processor; None for a single process.
    """

    def __init__(self, world: World, group: distributed.ProcessGroup | None = None) -> None:
        self.world = world
        self._group = group

    @property
    def first(self) -> bool:
        """Whether this process prepares, writes and reports."""
        return self.world.number == 0

    def first_does(self, work: Callable[[], str]) -> str:
        """Has the first process work, and gives all of them the text that it returns.

        Raises:
            CancelledError: in the others, when the first one failed; it says why itself.
        """
        if self._group is None:
            return work()
        box: list[str | None] = [None]
        try:
            if self.first:
                box[0] = work()
        finally:
            distributed.broadcast_object_list(box, src=0, group=self._group)
        if box[0] is None:
            raise CancelledError()
        return box[0]

    def agreed(self, cancellation: Cancellation) -> Cancellation:
        """A cancellation that all processes see at the same look: to be looked at by all, and equally often."""
        return cancellation if self._group is None else _Agreed(cancellation, self._group)

    @contextmanager
    def training(self) -> Iterator[None]:
        """The others wait at its end until the first process has written everything: torchrun ends all when one is gone."""
        try:
            yield
        except CancelledError:
            self._wait()
            raise
        self._wait()

    def _wait(self) -> None:
        if self._group is not None:
            distributed.barrier(self._group)


class _Agreed(Cancellation):
    def __init__(self, own: Cancellation, group: distributed.ProcessGroup) -> None:
        super().__init__()
        self._own = own
        self._group = group

    @property
    def requested(self) -> bool:
        """Whether any process was asked to stop."""
        asked = torch.tensor([int(self._own.requested)])
        distributed.all_reduce(asked, distributed.ReduceOp.MAX, group=self._group)
        return bool(asked)


@contextmanager
def team_on(device: torch.device, world: World) -> Iterator[Team]:
    """Joins the processes that torchrun started, by NCCL on GPUs and by Gloo otherwise; leaves them at the end.

    Args:
        device: of this process.
        world: which process this is.

    Raises:
        InputError: processes on GPUs cannot talk to each other with this build of PyTorch.
    """
    if world.count == 1:
        yield Team(world)
        return
    if device.type == "cuda" and not distributed.is_nccl_available():
        raise InputError(
            "This build of PyTorch has no NCCL to train on several GPUs with.", "Call it without torchrun, or use Linux."
        )
    if device.type == "cuda":
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=_LONGEST_WAIT)
    yield Team(world, distributed.new_group(backend="gloo", timeout=_LONGEST_WAIT))
    # Not after an error: the others may wait for this process, and torchrun ends them when it is gone.
    distributed.destroy_process_group()
