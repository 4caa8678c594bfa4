from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pcl_core.training.schedules import cosine


def test_the_warm_up_rises_linearly_to_the_peak() -> None:
    assert [cosine(step, 100, 0.1, 0.05) for step in range(5)] == pytest.approx([0.02, 0.04, 0.06, 0.08, 0.1])


def test_without_warm_up_it_is_half_a_cosine_from_the_peak_to_0() -> None:
    values = [cosine(step, 8, 2.0, 0.0) for step in range(9)]
    assert values == pytest.approx([1 + math.cos(math.pi * step / 8) for step in range(9)])


def test_the_cosine_begins_at_the_peak_where_the_warm_up_ends() -> None:
    assert cosine(10, 100, 0.5, 0.1) == 0.5
    assert cosine(55, 100, 0.5, 0.1) == pytest.approx(0.25)


@given(total=st.integers(1, 500), warmup=st.floats(0, 1), peak=st.floats(1e-6, 10))
def test_rates_lie_between_0_and_the_peak_and_fall_after_the_warm_up(total: int, warmup: float, peak: float) -> None:
    values = [cosine(step, total, peak, warmup) for step in range(total)]
    assert all(0 < value <= peak * (1 + 1e-12) for value in values)
    assert max(values) == pytest.approx(peak)
    top = values.index(max(values))
    assert values[top:] == sorted(values[top:], reverse=True)
    assert values[:top] == sorted(values[:top])
