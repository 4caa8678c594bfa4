import pytest


def machine(*names):
    from PCLLib.states import State, StateMachine

    states = StateMachine()
    for name in names:
        states.to(State[name])
    return states


PATHS = {
    "a whole run": ("SCANNING", "READY", "RUNNING", "DONE", "RUNNING", "DONE"),
    "a cancelled run that goes on": ("SCANNING", "READY", "RUNNING", "CANCELLING", "STOPPED", "RUNNING"),
    "a failure and another try": ("SCANNING", "READY", "RUNNING", "FAILED", "RUNNING"),
    "done while being cancelled": ("SCANNING", "READY", "RUNNING", "CANCELLING", "DONE"),
    "another folder after nothing usable": ("SCANNING", "NOTHING_USABLE", "SCANNING", "READY"),
    "installing first": ("INSTALLING", "NO_FOLDER", "SCANNING"),
    "the scene closed in mid-run": ("SCANNING", "READY", "RUNNING", "NO_FOLDER"),
    "nothing writable": ("SCANNING", "READY", "FAILED"),
}


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS.keys())
def test_the_ways_of_a_person_exist(path):
    assert machine(*path).state.name == path[-1]


@pytest.mark.parametrize(
    "path", [("RUNNING",), ("READY",), ("SCANNING", "RUNNING"), ("SCANNING", "NOTHING_USABLE", "RUNNING"), ("CANCELLING",)]
)
def test_no_other_ways_do(path):
    from PCLLib.states import WrongStepError

    with pytest.raises(WrongStepError):
        machine(*path)


def test_every_step_is_told():
    from PCLLib.states import State

    states = machine()
    seen: list[State] = []
    states.changed.connect(seen.append)
    states.to(State.SCANNING)
    states.to(State.READY)
    assert seen == [State.SCANNING, State.READY]


def test_a_running_job_locks_the_inputs_and_can_be_cancelled():
    view = machine("SCANNING", "READY", "RUNNING").view
    assert (view.inputs, view.start, view.cancel, view.progress, view.result) == (False, False, True, True, False)


def test_a_cancelled_job_cannot_be_cancelled_again():
    assert not machine("SCANNING", "READY", "RUNNING", "CANCELLING").view.cancel


def test_nothing_can_be_started_without_volumes():
    assert not machine().view.start
    assert not machine("SCANNING", "NOTHING_USABLE").view.start
    assert machine("SCANNING", "READY").view.start
