"""Which of the processes that train together this one is, as torchrun tells it. Free of torch, like the command line."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pcl_core.errors import InputError
from pcl_core.events import Event, Sink


@dataclass(frozen=True)
class World:
    """The processes that torchrun started.

    Attributes:
        count: of all machines; 1 without torchrun.
        number: of this one, from 0.
        local: of this one on its machine, from 0.
    """

    count: int = 1
    number: int = 0
    local: int = 0

    @classmethod
    def of_environment(cls) -> World:
        """Reads WORLD_SIZE, RANK and LOCAL_RANK. Raises InputError when they are no numbers."""
        try:
            found = [int(os.environ.get(name, usual)) for name, usual in (("WORLD_SIZE", 1), ("RANK", 0), ("LOCAL_RANK", 0))]
        except ValueError as error:
            raise InputError("WORLD_SIZE, RANK or LOCAL_RANK is no number.", "Start with torchrun, or unset them.") from error
        return cls(*found)


class OnlyErrors:
    """What the other processes tell: nothing but why they failed; the first one tells the rest for all."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write(self, event: Event) -> None:
        """Passes on an error."""
        if event["event"] == "error":
            self._sink.write(event)

    def close(self) -> None:
        """No event follows."""
        self._sink.close()
