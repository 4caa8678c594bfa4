"""Positions as fractions, so that ties at the threshold do not depend on rounding: of binary numbers 0.6 - 0.5 is below 0.1."""

from __future__ import annotations

from fractions import Fraction

# Positions in a common frame become whole numbers of this part, so that they are compared like the others.
FINEST = 1_000_000
_PRECISION = 10_000


def exact(value: float) -> Fraction:
    """The fraction that a person means by a position or threshold of 0.35: the nearest with a denominator of at most 10,000."""
    return Fraction(value).limit_denominator(_PRECISION)
