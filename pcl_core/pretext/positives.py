"""Which slices are positives of which: the one thing in which PCL, GCL and SimCLR differ.

Positions are ratios of whole numbers, so they are compared as whole numbers: 0.3 - 0.2 < 0.1 must not depend on rounding.
"""

from __future__ import annotations

from torch import Tensor

from pcl_core.exact_positions import exact


def closer_than(index: Tensor, count: Tensor, threshold: float, others: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """Pairs of slices whose positions differ by less than the threshold, strictly; decided in 64-bit integers.

    The position of slice i (from 0) of a volume of n slices is (i + 1) / n, as in the published code; the paper's m / n is
    the same with m counted from 1. |a/n - b/m| < p/q is decided as |a m - b n| q < p n m.

    Args:
        index: (N,) slice numbers from 0.
        count: (N,) slices in the volume of each.
        threshold: t of the paper; 0 leaves no pair, above 1 every pair.
        others: numbers and counts, (K,) each, of the slices to compare with; None compares the slices with each other.

    Returns:
        (N, K) booleans; without others (N, N), where the diagonal is True when t > 0.
    """
    limit = exact(threshold)
    above, below = index.long()[:, None] + 1, count.long()[:, None]
    other_index, other_count = (index, count) if others is None else others
    other_above, other_below = other_index.long()[None, :] + 1, other_count.long()[None, :]
    difference = (above * other_below - other_above * below).abs()
    return difference * limit.denominator < limit.numerator * below * other_below


def partition(index: Tensor, count: Tensor, partitions: int = 4) -> Tensor:
    """The part, from 1, of ``partitions`` equal parts of its volume in which each slice lies (Chaitanya et al. 2020).

    The part of slice i (from 0) of n is ceil((i + 1) * partitions / n), which is defined for n = 1 too. Slices that lie
    outside their frame belong to the part next to them.
    """
    return (((index.long() + 1) * partitions + count.long() - 1) // count.long()).clamp(1, partitions)


def same_partition(index: Tensor, count: Tensor, partitions: int = 4) -> Tensor:
    """Pairs (N, N) of slices that lie in the same part of their volumes."""
    part = partition(index, count, partitions)
    return part[:, None] == part[None, :]


def two_views(pairs: Tensor) -> Tensor:
    """Weights (2N, 2N) of the views of N slices from their (N, N) pairs or weights; a slice's two views are always positives.

    Views are ordered: the first views of all slices, then the second ones. The diagonal (a view with itself) is 0.
    """
    weights = pairs.float().fill_diagonal_(1).repeat(2, 2)
    return weights.fill_diagonal_(0)
