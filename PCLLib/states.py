"""The states of a panel that scans a folder, runs a long job on it, and shows the result. Knows no widgets.

::

    NO_FOLDER -> SCANNING -> READY -> RUNNING -> DONE
                    |                 |  |
                    v                 |  +-> FAILED
              NOTHING_USABLE          v
                                  CANCELLING -> STOPPED

A folder can be chosen again in every state in which nothing runs, and a job be started again in each that has volumes.
Closing the scene leads back to NO_FOLDER from everywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from PCLLib.signals import Signal


class State(Enum):
    """Where a panel is."""

    NO_FOLDER = "no folder"
    SCANNING = "scanning"
    NOTHING_USABLE = "nothing usable"
    READY = "ready"
    INSTALLING = "installing"
    RUNNING = "running"
    CANCELLING = "cancelling"
    STOPPED = "stopped"
    FAILED = "failed"
    DONE = "done"


_IDLE = frozenset({State.NO_FOLDER, State.NOTHING_USABLE, State.READY, State.STOPPED, State.FAILED, State.DONE})
_WITH_VOLUMES = frozenset({State.READY, State.STOPPED, State.FAILED, State.DONE})

_ALLOWED: dict[State, frozenset[State]] = {
    State.NO_FOLDER: frozenset(State),
    State.SCANNING: _IDLE | {State.SCANNING, State.INSTALLING},
    State.NOTHING_USABLE: _IDLE | {State.SCANNING, State.INSTALLING},
    State.READY: frozenset({State.SCANNING, State.INSTALLING}) | _WITH_VOLUMES,
    State.INSTALLING: _IDLE,
    State.RUNNING: _WITH_VOLUMES | {State.INSTALLING},
    State.CANCELLING: frozenset({State.RUNNING}),
    State.STOPPED: frozenset({State.CANCELLING, State.RUNNING, State.INSTALLING}),
    State.FAILED: frozenset({State.RUNNING, State.CANCELLING, State.INSTALLING}) | _WITH_VOLUMES,
    State.DONE: frozenset({State.RUNNING, State.CANCELLING, State.INSTALLING}),
}


class WrongStepError(Exception):
    """A step that does not exist: a fault of the software."""


@dataclass(frozen=True)
class View:
    """What a panel shows and allows in a state.

    Attributes:
        inputs: whether folder, table and settings can be changed.
        start: whether the job can be started, as far as the state goes.
        cancel: whether there is something to cancel.
        progress: whether the progress bar is shown.
        result: whether the result is shown.
    """

    inputs: bool
    start: bool
    cancel: bool
    progress: bool
    result: bool


class StateMachine:
    """The present state; ``changed`` is emitted after every step."""

    def __init__(self) -> None:
        self.changed = Signal[[State]]()
        self._state = State.NO_FOLDER

    @property
    def state(self) -> State:
        """The present state."""
        return self._state

    @property
    def idle(self) -> bool:
        """Whether nothing runs."""
        return self._state in _IDLE

    @property
    def view(self) -> View:
        """What the state shows and allows."""
        state = self._state
        return View(
            inputs=self.idle,
            start=state in _WITH_VOLUMES,
            cancel=state in (State.RUNNING, State.SCANNING),
            progress=state in (State.SCANNING, State.RUNNING, State.CANCELLING, State.INSTALLING),
            result=state is State.DONE,
        )

    def to(self, state: State) -> None:
        """Takes a step. Raises WrongStepError when there is no such step from the present state."""
        if self._state not in _ALLOWED[state]:
            raise WrongStepError(f"There is no step from {self._state.value} to {state.value}.")
        self._state = state
        self.changed.emit(state)
