"""A command of the engine that writes a few files, which are read and then removed: looking at positions, suggesting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from slicer.i18n import tr as _

from pcl_core.errors import InputError
from PCLLib.events import Done, Event, Failed, Last, Progress
from PCLLib.job_group import JobGroup, Work
from PCLLib.signals import Signal
from PCLLib.temporary import TemporaryFolder, temporary_files_in


class EngineRun:
    """At most one run at a time. Its files lie in a folder of its own, which is there until the next one has ended well.

    Signals:
        changed: it begins, or is over.
        progressed: how far it is.
        done: it ended well; the folder with its files.
        failed: why it did not, unless it was cancelled.

    Args:
        jobs: run the engine.
        name: of the job among them.
    """

    def __init__(self, jobs: JobGroup, name: str) -> None:
        self.changed = Signal[[]]()
        self.progressed = Signal[[Progress]]()
        self.done = Signal[[Path]]()
        self.failed = Signal[[Failed]]()
        self._jobs, self._name = jobs, name
        self._kept: TemporaryFolder | None = None
        jobs.happened.connect(self._happened)

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._name in self._jobs

    def start(self, words: Callable[[Path], Sequence[object]]) -> None:
        """Starts; returns at once. A run that has not ended gives way; what the last one found stays until this one is done.

        Args:
            words: the command and its options, given a folder for its files. It may raise InputError and OSError with what
                is wrong in words, and RuntimeError with the name of a volume that Slicer cannot load.
        """
        self._jobs.leave(self._name)
        try:
            folder = TemporaryFolder("look")
        except InputError as error:
            self.failed.emit(Failed("input", error.message, error.hint))
            return
        path = folder.path
        try:
            said = words(path)
        except (InputError, OSError) as error:
            folder.cleanup()
            self.failed.emit(Failed("input", str(error), _("Correct this case, or take it away.")))
            return
        except RuntimeError as error:
            folder.cleanup()
            self.failed.emit(Failed("input", _("Slicer could not load {name}.").format(name=error), _("Take it away.")))
            return

        def ended(last: Last) -> None:
            if isinstance(last, Done):
                earlier, self._kept = self._kept, folder
                self.done.emit(path)
                if earlier is not None:  # nobody has its files open any more
                    earlier.cleanup()
            elif isinstance(last, Failed):
                self.failed.emit(last)

        def afterwards() -> None:
            if self._kept is not folder:
                folder.cleanup()
            self.changed.emit()

        self._jobs.run(self._name, Work(said, ended, afterwards, variables=temporary_files_in(path)))
        self.changed.emit()

    def cancel(self) -> None:
        """Cancels it; nothing is kept."""
        self._jobs.cancel(self._name)

    def forget(self) -> None:
        """Ends what runs, and removes the files of the last one, which nobody may have open any more."""
        self._jobs.leave(self._name)
        if self._kept is not None:
            self._kept.cleanup()
            self._kept = None

    def _happened(self, name: str, event: Event) -> None:
        if name == self._name and isinstance(event, Progress):
            self.progressed.emit(event)
