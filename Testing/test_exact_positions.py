"""Ties at the threshold are decided by the numbers that people write, not by their binary neighbours."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pcl_core.exact_positions import FINEST, exact


@pytest.mark.parametrize(("written", "meant"), [(0.35, Fraction(7, 20)), (0.1, Fraction(1, 10)), (1 / 3, Fraction(1, 3))])
def test_a_number_is_the_fraction_that_a_person_means(written: float, meant: Fraction) -> None:
    assert exact(written) == meant


def test_a_tie_is_a_tie_where_binary_numbers_say_otherwise() -> None:
    assert 0.6 - 0.5 < 0.1
    assert exact(0.6) - exact(0.5) == exact(0.1)
    assert FINEST % exact(0.35).denominator == 0
