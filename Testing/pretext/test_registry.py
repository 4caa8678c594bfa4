"""The pretext tasks by name."""

from __future__ import annotations

import pytest

from pcl_core.cli import METHODS
from pcl_core.errors import InputError
from pcl_core.pretext.registry import NAMES, make_task
from Testing.making import tiny_plan


def test_the_command_line_offers_every_registered_method_and_no_other() -> None:
    assert METHODS == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_method_is_made_by_its_name(name: str) -> None:
    assert make_task(tiny_plan(pretrain__method=name)).name == name


def test_an_unknown_method_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="Did you mean 'simclr'"):
        make_task(tiny_plan(pretrain__method="simcrl"))
