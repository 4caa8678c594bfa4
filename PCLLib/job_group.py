"""The jobs of a panel, each under a name: what is of no interest any more is ended, and says nothing more."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PCLLib.engine import Engine, EngineNotFoundError
from PCLLib.events import Event, Failed, Last
from PCLLib.job import Job
from PCLLib.signals import Signal


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
        self._jobs: dict[str, Job] = {}
        self._leaving: list[Job] = []

    def __contains__(self, name: str) -> bool:
        return name in self._jobs

    def run(
        self,
        name: str,
        words: Sequence[object],
        ended: Callable[[Last], None],
        afterwards: Callable[[], None] = lambda: None,
    ) -> None:
        """Starts a command of the engine.

        Args:
            name: under which it can be cancelled and left.
            words: command and options.
            ended: called when it is over, unless it was left before.
            afterwards: called in any case when no process is left, after ``ended``: removes what it needed.
        """
        self.leave(name)
        try:
            job = Job(self._engine, words)
        except EngineNotFoundError as error:
            ended(Failed("failure", str(error), ""))
            afterwards()
            return

        def over(last: Last) -> None:
            if self._jobs.get(name) is job:
                del self._jobs[name]
                ended(last)
            elif job in self._leaving:
                self._leaving.remove(job)
            afterwards()

        def happened(event: Event) -> None:
            if self._jobs.get(name) is job:
                self.happened.emit(name, event)

        job.happened.connect(happened)
        job.logged.connect(self.logged.emit)
        job.ended.connect(over)
        self._jobs[name] = job
        job.start()

    def process_id(self, name: str) -> int:
        """Number of a job's process; 0 when there is none."""
        return self._jobs[name].process_id if name in self._jobs else 0

    def cancel(self, name: str, keeps: bool = True) -> None:
        """Cancels a job, which tells its end as always; one that keeps nothing is ended at once."""
        if name in self._jobs:
            (self._jobs[name].cancel if keeps else self._jobs[name].abandon)()

    def leave(self, name: str, keeps: bool = True) -> None:
        """Cancels a job whose end is of no interest."""
        job = self._jobs.pop(name, None)
        if job is not None and job.running:
            self._leaving.append(job)
            (job.cancel if keeps else job.abandon)()

    def leave_all(self) -> None:
        """Cancels all jobs; they end in the background."""
        for name in tuple(self._jobs):
            self.leave(name)

    def end_all(self) -> None:
        """Cancels all jobs and returns when no process is left."""
        self.leave_all()
        for job in tuple(self._leaving):
            job.end_now()
