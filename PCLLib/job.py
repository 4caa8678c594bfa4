"""One run of the engine as a child process: its events as signals, its end in words, and how it is ended early."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress

import qt
from slicer.i18n import tr as _

from PCLLib.engine import Engine
from PCLLib.events import Cancelled, Event, Failed, Last, Started, parse
from PCLLib.signals import Signal

# A training looks at the request between two steps; large steps on a slow processor take some seconds.
GRACE_S = 20.0
# Work that keeps nothing only has to notice that it is to stop.
_SHORT_GRACE_S = 2.0
# The launcher ends when its child has ended.
_LAUNCHER_S = 1.0
_TAIL = 40
# PythonSlicer is a launcher, and the engine its child. When the engine crashes or is killed, the launcher writes this and ends
# normally: CTKAppLauncher, ctkAppLauncherInternal::applicationFinished.
_CHILD_CRASHED = "exit abnormally"


class Job:
    """A command of the engine in a process of its own, behind Slicer's launcher. It is started once.

    Signals:
        happened: every event but the last one.
        logged: a line that is no event, for the log.
        ended: how it ended; emitted once, and nothing after it.

    Example:
        >>> job = Job(Engine(), ["scan", folder, "--json", report])
        >>> job.ended.connect(show)
        >>> job.start()
    """

    def __init__(
        self,
        engine: Engine,
        words: Sequence[object],
        grace_s: float = GRACE_S,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.happened = Signal[[Event]]()
        self.logged = Signal[[str]]()
        self.ended = Signal[[Last]]()
        self._call = engine.call(words, variables)
        self._grace_s = grace_s
        self._rest = {"out": b"", "err": b""}
        self._tail: list[str] = []
        self._last: Last | None = None
        self._over = False
        self._cancelled = False
        self._abandoned = False
        self._started = False
        self._engine_id = 0
        self._process = qt.QProcess()
        self._patience = qt.QTimer()
        self._patience.setSingleShot(True)
        self._patience.timeout.connect(self.kill)

    def start(self) -> None:
        """Starts the process and returns at once."""
        environment = qt.QProcessEnvironment.systemEnvironment()
        for name, value in self._call.environment.items():
            environment.insert(name, value)
        self._process.setProcessEnvironment(environment)
        self._process.readyReadStandardOutput.connect(self._read_output)
        self._process.readyReadStandardError.connect(self._read_errors)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._not_started)
        self._process.start(self._call.program, list(self._call.arguments))

    @property
    def running(self) -> bool:
        """Whether the process is starting or running."""
        return bool(self._process.state() != qt.QProcess.NotRunning)

    @property
    def process_id(self) -> int:
        """Number of the launcher's process; 0 when it does not run."""
        return int(self._process.processId())

    def cancel(self) -> None:
        """Asks the engine to stop and to keep what it has; ends the process when it has not done so in time."""
        if self._cancelled or not self.running:
            return
        self._cancelled = True
        self._process.write(qt.QByteArray(b"cancel\n"))
        self._process.closeWriteChannel()
        self._patience.start(round(1000 * self._grace_s))

    def abandon(self) -> None:
        """Ends the process soon, as something that was asked for: for work that keeps nothing and has nothing more to tell.

        The engine is asked first. It would outlive its launcher, and write on, until it noticed that nobody reads.
        """
        if not self.running:
            return
        self._cancelled = self._abandoned = True
        self._grace_s = min(self._grace_s, _SHORT_GRACE_S)
        self._process.closeWriteChannel()
        self._patience.start(round(1000 * self._grace_s))

    def kill(self) -> None:
        """Ends the process at once; the engine's own helper processes end when it is gone."""
        if not self.running:
            return
        if self._engine_id:
            self._kill_engine()
            self._patience.start(round(1000 * _LAUNCHER_S))
        else:
            self._process.kill()

    def end_now(self, wait_s: float = 5.0) -> None:
        """Cancels, waits for the end, and kills what is left: for when the module or the application goes away."""
        if not self.running:
            return
        self.cancel()
        if not self._process.waitForFinished(round(1000 * min(wait_s, self._grace_s))):
            self.kill()
            if not self._process.waitForFinished(round(1000 * _LAUNCHER_S)):
                self.kill()
                self._process.waitForFinished(1000)

    def _kill_engine(self) -> None:
        """Ends the launcher's child, whose number is known from its first event on."""
        number, self._engine_id = self._engine_id, 0
        if number > 0:
            with suppress(OSError):  # it has ended by itself
                os.kill(number, getattr(signal, "SIGKILL", signal.SIGTERM))  # Windows has only the latter, which ends at once

    def _read_output(self) -> None:
        for line in self._lines("out", bytes(self._process.readAllStandardOutput().data())):
            event = parse(line)
            if isinstance(event, Started):
                self._started, self._engine_id = True, event.process
            if not self._abandoned:
                self._take(line)

    def _take(self, line: str) -> None:
        """Takes a line of standard output."""
        event = parse(line)
        if event is None:
            self._log(line)
        elif isinstance(event, Last):
            self._last = event
        else:
            self.happened.emit(event)

    def _read_errors(self) -> None:
        for line in self._lines("err", bytes(self._process.readAllStandardError().data())):
            self._log(line)

    def _lines(self, stream: str, data: bytes, last: bool = False) -> list[str]:
        """Whole lines; the beginning of one is kept until the rest of it comes."""
        *whole, rest = (self._rest[stream] + data).split(b"\n")
        self._rest[stream] = rest
        if last and rest:
            whole.append(rest)
        return [line.decode("utf-8", "replace").rstrip("\r") for line in whole if line.strip()]

    def _log(self, line: str) -> None:
        self._tail = [*self._tail, line][-_TAIL:]
        self.logged.emit(line)

    def _not_started(self, *_arguments: object) -> None:
        if self._process.error() == qt.QProcess.FailedToStart:
            program = self._call.program
            self._end(
                Failed(
                    "failure",
                    _("{program} could not be started: {reason}.").format(
                        program=program, reason=self._process.errorString().rstrip(".")
                    ),
                    _("Install Slicer again, or check that you may run this file."),
                )
            )

    def _finished(self, *_arguments: object) -> None:
        self._read_output()
        self._read_errors()
        for stream in self._rest:
            for line in self._lines(stream, b"", last=True):
                self._log(line)
        if self._crashed:
            self._kill_engine()  # the launcher was killed, and the engine may go on
        self._end(self._last if self._last is not None else self._unannounced())

    @property
    def _crashed(self) -> bool:
        return bool(self._process.exitStatus() == qt.QProcess.CrashExit)

    def _unannounced(self) -> Last:
        """What to say of a process that ended without a word: it was killed, or could not even begin."""
        if self._cancelled:
            return Cancelled(None)
        if self._crashed or self._started or any(_CHILD_CRASHED in line for line in self._tail):
            return Failed(
                "killed",
                _("The work was ended from outside: by the system, most often because memory ran out, or by a person."),
                _("Close other programs or choose a smaller batch. What was saved last is kept."),
            )
        said = self._tail[-1] if self._tail else _("it said nothing")
        missing = "No module named" in said
        return Failed(
            "packages" if missing else "failure",
            _("The engine could not begin: {reason}").format(reason=said),
            _("Install the missing packages.") if missing else _("The log says more; please report it."),
        )

    def _end(self, last: Last) -> None:
        if self._over:
            return
        self._over = True
        self._patience.stop()
        self.ended.emit(last)
