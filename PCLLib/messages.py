"""What a panel tells in its message area: what happened, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Tone(Enum):
    """How grave a message is; decides its colours."""

    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True)
class Action:
    """Something that a message offers to do, as a button."""

    text: str
    do: Callable[[], None]


@dataclass(frozen=True)
class Message:
    """What happened and what to do.

    Attributes:
        text: what happened.
        hint: what to do about it; may be empty.
        tone: how grave it is.
        actions: what it offers to do, as buttons; two at most.
    """

    text: str
    hint: str = ""
    tone: Tone = Tone.NOTE
    actions: tuple[Action, ...] = ()
