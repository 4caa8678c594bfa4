"""Random numbers that depend on the seed and the step only, so that a resumed run draws what an unbroken one would."""

from __future__ import annotations

import zlib

import numpy as np
import torch


def generator_for(seed: int, purpose: str, step: int = 0) -> torch.Generator:
    """A CPU generator for one purpose at one step.

    Args:
        seed: of the run.
        purpose: keeps streams apart, such as ``views`` or ``order``.
        step: number of the step or epoch.
    """
    entropy = np.random.SeedSequence([seed, zlib.crc32(purpose.encode()), step])
    return torch.Generator().manual_seed(int(entropy.generate_state(1, np.uint64)[0] >> np.uint64(1)))


def epoch_batches(rows: np.ndarray, batch: int, seed: int, epoch: int) -> list[np.ndarray]:
    """All rows once, shuffled, in batches of at most ``batch`` that differ in size by at most one.

    Equal batches avoid a last one of a slice or two, which has no negatives to learn from.
    """
    order = torch.randperm(len(rows), generator=generator_for(seed, "order", epoch)).numpy()
    return np.array_split(rows[order], -(-len(rows) // batch))
