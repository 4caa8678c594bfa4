"""How far a case is."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("facts", "said", "to_be_segmented"),
    [
        ({}, "Not annotated", True),
        ({"unlearned": ("LV",)}, 'Drawn, but no class is called "LV"', True),
        ({"counted": (2, 3)}, "Partly annotated (2 of 5 slices)", True),
        ({"counted": (0, 1, 2, 3, 4)}, "Annotated", False),
        ({"predicted": True}, "Predicted", True),
        ({"predicted": True, "edited": True}, "Predicted, changed by hand", False),
        ({"predicted": True, "kept": ("corrected",)}, "Predicted", False),
        ({"reviewed": True}, "Reviewed", False),
        ({"reviewed": True, "predicted": True}, "Reviewed", False),
        ({"counted": (0, 1, 2, 3, 4), "predicted": True}, "Annotated", False),
    ],
    ids=str,
)
def test_a_state_is_said_in_words_and_decides_what_segment_all_does(facts, said, to_be_segmented):
    from PCLLib.case_states import Case

    case = Case("key", "name", slices=5, **facts)
    assert case.sentence() == said
    assert case.to_be_segmented is to_be_segmented


def test_only_one_thing_is_done_at_a_time():
    from PCLLib.segmentation_states import Doing, DoingMachine
    from PCLLib.states import WrongStepError

    machine = DoingMachine()
    machine.begin(Doing.TRAINING)
    with pytest.raises(WrongStepError):
        machine.begin(Doing.SEGMENTING)
    assert machine.can_cancel
    machine.begin(Doing.CANCELLING)
    with pytest.raises(WrongStepError):
        machine.begin(Doing.CANCELLING)
    machine.end()
    assert machine.idle
