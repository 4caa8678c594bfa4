"""The jobs of a panel, each under a name: what is of no interest any more is ended, and says nothing more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from PCLLib.engine import Engine, EngineNotFoundError
from PCLLib.events import Event, Failed, Last
from PCLLib.job import Job
from PCLLib.signals import Signal


@dataclass(frozen=True)
class Work:
    """What a job does.

    Attributes:
        words: command of the engine and its options.
        ended: called when it is over, unless it was left before.
        afterwards: called in any case when no process is left, after ``ended``: removes what it needed.
        keeps: whether it has something to keep when it is cancelled; what has not is ended at once.
        variables: of its environment.
    """

    words: Sequence[object]
    ended: Callable[[Last], None]
    afterwards: Callable[[], None] = lambda: None
    keeps: bool = False
    variables: Mapping[str, str] | None = None


class JobGroup:
    """At most one job of each name.

    Signals:
        happened: the name of a job and what happened in it.
        logged: a line of any job that is no event.

    Args:
        engine: starts the processes.
    """

    def __init__(self, engine: Engine) -> None:
        self.happened = Signal[[str, Event]]()
        self.logged = Signal[[str]]()
        self._engine = engine
        self._jobs: dict[str, tuple[Job, Work]] = {}
        self._leaving: list[Job] = []

    def __contains__(self, name: str) -> bool:
        return name in self._jobs

    @property
    def busy(self) -> bool:
        """Whether any process is left, also of jobs that were left."""
        return bool(self._jobs or self._leaving)

    def run(self, name: str, work: Work) -> None:
        """Starts a job; an earlier one of that name is left."""
        self.leave(name)
        try:
            job = Job(self._engine, work.words, variables=work.variables)
        except EngineNotFoundError as error:
            work.ended(Failed("failure", str(error), ""))
            work.afterwards()
            return

        def over(last: Last) -> None:
            if self._is(name, job):
                del self._jobs[name]
                work.ended(last)
            else:
                self._leaving.remove(job)
            work.afterwards()

        def happened(event: Event) -> None:
            if self._is(name, job):
                self.happened.emit(name, event)

        job.happened.connect(happened)
        job.logged.connect(self.logged.emit)
        job.ended.connect(over)
        self._jobs[name] = (job, work)
        job.start()

    def process_id(self, name: str) -> int:
        """Number of a job's process; 0 when there is none."""
        return self._jobs[name][0].process_id if name in self._jobs else 0

    def cancel(self, name: str) -> None:
        """Cancels a job, which tells its end as always."""
        if name in self._jobs:
            _stop(*self._jobs[name])

    def leave(self, name: str) -> None:
        """Cancels a job whose end is of no interest; it ends in the background."""
        if name in self._jobs:
            job, work = self._jobs.pop(name)
            self._leaving.append(job)
            _stop(job, work)

    def end_all(self) -> None:
        """Cancels all jobs and returns when no process is left."""
        for name in tuple(self._jobs):
            self.leave(name)
        for job in tuple(self._leaving):
            job.end_now()

    def _is(self, name: str, job: Job) -> bool:
        return name in self._jobs and self._jobs[name][0] is job


def _stop(job: Job, work: Work) -> None:
    (job.cancel if work.keeps else job.abandon)()
