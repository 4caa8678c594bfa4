"""Learning rates."""

from __future__ import annotations

import math


def cosine(step: int, total: int, peak: float, warmup: float) -> float:
    """Learning rate of a step: linear rise over the first ``warmup`` part, then a cosine to 0 (set at each step).

    Args:
        step: from 0.
        total: number of steps.
        peak: highest value.
        warmup: part of all steps, 0 to 1. Without it a rate of 0.1 collapses the embeddings in the first steps.
    """
    rising = round(total * warmup)
    if step < rising:
        return peak * (step + 1) / rising
    return peak * 0.5 * (1 + math.cos(math.pi * (step - rising) / max(1, total - rising)))
