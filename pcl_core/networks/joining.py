"""Sums and rows over all processes of one training, with gradients; in a training of one process they are what they are.

The processes are those of torch.distributed's default group, which torchrun and training/team.py set up.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed


def process_count() -> int:
    """How many processes train together."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def process_number() -> int:
    """Which of them this is, from 0."""
    return distributed.get_rank() if process_count() > 1 else 0


def own_share(count: int) -> slice:
    """The run of rows that this process takes of ``count``; the shares differ by at most one row."""
    each, more = divmod(count, process_count())
    number = process_number()
    begin = number * each + min(number, more)
    return slice(begin, begin + each + (number < more))


def total(values: Tensor) -> Tensor:
    """The sum of a tensor over all processes, without gradient."""
    if process_count() == 1:
        return values.detach()
    summed = values.detach().clone()
    distributed.all_reduce(summed)
    return summed


class _Rows(torch.autograd.Function):
    """Each process gives its share of rows; all get all rows."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, count: int) -> Tensor:
        """Pads the shares to one length, exchanges them, and leaves the padding out again."""
        ctx.count = count
        longest = -(-count // process_count())
        padded = rows.new_zeros(longest, *rows.shape[1:])
        padded[: len(rows)] = rows
        parts = [torch.empty_like(padded) for _ in range(process_count())]
        distributed.all_gather(parts, padded)
        each, more = divmod(count, process_count())
        return torch.cat([part[: each + (number < more)] for number, part in enumerate(parts)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """What all processes' losses say of this process's rows."""
        return total(gradients[0])[own_share(ctx.count)].contiguous(), None


def gathered(rows: Tensor, count: int) -> Tensor:
    """The rows of all processes in their order, in each process.

    When every process computes the same loss from them and gradients are averaged over the processes (as
    DistributedDataParallel does), the result is the gradient of that loss in a single process.

    Args:
        rows: this process's share, as own_share says, of any further shape.
        count: of all rows.
    """
    if process_count() == 1:
        return rows
    joined: Tensor = _Rows.apply(rows, count)  # type: ignore[no-untyped-call]
    return joined
