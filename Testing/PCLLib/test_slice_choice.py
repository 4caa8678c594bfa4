"""Which slices of a case count."""

from __future__ import annotations

import numpy as np
import pytest

from pcl_core.volumes.geometry import Geometry


@pytest.fixture
def choice():
    from PCLLib.slice_choice import Counting, SliceChoice

    return lambda name, *ends: SliceChoice(Counting(name), *ends)


def test_all_slices_those_drawn_or_a_range_count(choice):
    assert choice("all").numbers([3], 5) == [0, 1, 2, 3, 4]
    assert choice("drawn").numbers({3, 1}, 5) == [1, 3]
    assert choice("range", 2, 4).numbers([], 5) == [1, 2, 3]


def test_a_range_may_be_given_backwards_and_reach_beyond_the_volume(choice):
    assert choice("range", 4, 2).numbers([], 5) == [1, 2, 3]
    assert choice("range", 4, 99).numbers([], 5) == [3, 4]


@pytest.mark.parametrize("arguments", [("all",), ("drawn",), ("range", 3, 7)])
def test_a_choice_goes_into_an_attribute_and_back(choice, arguments):
    from PCLLib.slice_choice import Counting, SliceChoice

    one = choice(*arguments)
    assert SliceChoice.from_text(one.text(), Counting.DRAWN) == one


@pytest.mark.parametrize("text", [None, "", "range 3", "range a b", "nonsense"])
def test_what_cannot_be_read_is_the_usual(choice, text):
    from PCLLib.slice_choice import Counting, SliceChoice

    assert SliceChoice.from_text(text, Counting.DRAWN) == choice("drawn")


@pytest.mark.parametrize(
    ("direction", "spacing", "expected"),
    [
        ((1, 0, 0, 0, 1, 0, 0, 0, 1), (1, 1, 4), [1]),
        ((1, 0, 0, 0, 1, 0, 0, 0, -1), (1, 1, 4), [4]),  # stored from head to foot: positions grow to the head
        ((1, 0, 0, 0, 1, 0, 0, 0, 1), (4, 1, 1), [3, 4]),
    ],
)
def test_drawn_slices_are_counted_along_the_position(direction, spacing, expected):
    from PCLLib.slice_choice import drawn_slices, slice_count

    labels = np.zeros((6, 7, 8), np.uint8)
    labels[1, 2, 3:5] = 1
    geometry = Geometry((8, 7, 6), spacing, (0.0, 0.0, 0.0), tuple(map(float, direction)))
    assert drawn_slices(labels, geometry, "auto") == expected
    assert slice_count(geometry, "auto") == (8 if spacing[0] == 4 else 6)
