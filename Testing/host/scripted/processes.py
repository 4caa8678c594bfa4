"""Child processes of slicer.util as Slicer 5.12 has them: blocking, or with callbacks while the application runs on."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import slicer
from PySide6 import QtCore

#: Processes that run in the background, so that they are not collected.
_running: list[QtCore.QProcess] = []


def launchConsoleProcess(
    args: Sequence[str],
    useStartupEnvironment: bool = True,
    updateEnvironment: Mapping[str, str] | None = None,
    cwd: str | None = None,
    blocking: bool = True,
    logCallback: Callable[[str], None] | None = None,
    completedCallback: Callable[[int], None] | None = None,
) -> Any:
    """Starts a program without a console window.

    Blocking, it returns a subprocess.Popen to read from, as it always did. Otherwise it returns at once; `logCallback` gets
    each line that the program writes and `completedCallback` its exit code.
    """
    environment = dict(slicer.util.startupEnvironment()) if useStartupEnvironment else dict(os.environ)
    environment.update(updateEnvironment or {})
    command = [str(part) for part in args]
    if not blocking:
        return _start_in_background(command, environment, cwd, logCallback, completedCallback)
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, cwd=cwd
    )


def _start_in_background(
    command: list[str],
    environment: Mapping[str, str],
    cwd: str | None,
    log: Callable[[str], None] | None,
    completed: Callable[[int], None] | None,
) -> QtCore.QProcess:
    process = QtCore.QProcess()
    qt_environment = QtCore.QProcessEnvironment()
    for name, value in environment.items():
        qt_environment.insert(name, value)
    process.setProcessEnvironment(qt_environment)
    process.setProcessChannelMode(QtCore.QProcess.ProcessChannelMode.MergedChannels)
    if cwd:
        process.setWorkingDirectory(str(cwd))
    rest = [""]

    def read() -> None:
        *lines, rest[0] = (rest[0] + bytes(process.readAllStandardOutput().data()).decode("utf-8", "replace")).split("\n")
        for line in lines:
            (log or sys.stdout.write)(line.rstrip("\r"))

    def finish(code: int) -> None:
        read()
        _running.remove(process)
        if completed is not None:
            completed(code)

    process.readyReadStandardOutput.connect(read)
    process.finished.connect(lambda code, status: finish(code))
    process.errorOccurred.connect(lambda error: finish(-1) if error == QtCore.QProcess.ProcessError.FailedToStart else None)
    _running.append(process)
    process.start(command[0], command[1:])
    return process


def executePythonModule(
    module: str,
    args: Sequence[str],
    blocking: bool = True,
    logCallback: Callable[[str], None] | None = None,
    completedCallback: Callable[[int], None] | None = None,
) -> Any:
    """Runs `PythonSlicer -m module args`.

    Raises:
        RuntimeError: there is no PythonSlicer.
        subprocess.CalledProcessError: the program failed (blocking).
    """
    interpreter = shutil.which("PythonSlicer")
    if interpreter is None:
        raise RuntimeError("PythonSlicer executable not found")
    command = [interpreter, "-m", module, *args]
    process = launchConsoleProcess(
        command,
        useStartupEnvironment=False,
        blocking=blocking,
        logCallback=logCallback,
        completedCallback=completedCallback,
    )
    if blocking:
        _follow(process, logCallback)
        return None
    return process


def _follow(process: "subprocess.Popen[str]", log: Callable[[str], None] | None) -> None:
    output = []
    for line in process.stdout or ():
        output.append(line)
        (log or sys.stdout.write)(line)
        slicer.app.processEvents()
    code = process.wait()
    if code != 0:
        raise subprocess.CalledProcessError(code, process.args, output="".join(output))
