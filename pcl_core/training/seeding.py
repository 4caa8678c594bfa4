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


def partition_batches(
    rows: np.ndarray, part: np.ndarray, volume: np.ndarray, batch: int, seed: int, epoch: int
) -> list[np.ndarray]:
    """As many batches as epoch_batches makes, each with one random slice a partition of some volumes.

    Volumes are gone through in shuffled rounds. This is how Chaitanya et al. 2020 draw batches.

    Args:
        rows: (n,) of the bank.
        part: (n,) partition of each row, such as its quarter.
        volume: (n,) volume of each row.
        batch: slices a batch at most; a volume is not split, so a batch may be smaller.
        seed: of the run.
        epoch: from 0.
    """
    random = np.random.default_rng([seed, zlib.crc32(b"partitions"), epoch])
    groups = [
        [rows[(volume == one) & (part == place)] for place in np.unique(part[volume == one])] for one in np.unique(volume)
    ]
    batches: list[np.ndarray] = []
    taken: list[int] = []
    while len(batches) < -(-len(rows) // batch):
        for number in random.permutation(len(groups)):
            if taken and len(taken) + len(groups[number]) > batch:
                batches.append(np.asarray(taken))
                taken = []
            taken += [int(random.choice(members)) for members in groups[number]]
        if len(taken) >= batch // 2:
            batches.append(np.asarray(taken))
            taken = []
    return batches[: -(-len(rows) // batch)]
