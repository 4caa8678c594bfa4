"""slicer.packaging: looks for Python packages and installs them into Slicer's own Python, here the one behind PythonSlicer.

pip really runs; a test that installs gives the bench an interpreter of its own first (`bench.python_slicer`).
"""

import importlib.metadata
import json
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import qt
import slicer
from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement, Requirement

from Testing.host.scripted.processes import executePythonModule

__all__ = [
    "isPipInstallInProgress",
    "load_pyproject_dependencies",
    "load_requirements",
    "pip_check",
    "pip_ensure",
    "pip_install",
    "pip_uninstall",
]

Requirements = str | Requirement | list[str | Requirement]
_in_progress: list[object] = []


def isPipInstallInProgress() -> bool:
    """Whether pip runs in the background."""
    return bool(_in_progress)


def load_requirements(path: str | Path) -> list[Requirement]:
    """The requirements of a file; comments and pip's options are left out."""
    lines = (line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def load_pyproject_dependencies(path: str | Path) -> list[Requirement]:
    """The dependencies of a pyproject.toml.

    Raises:
        KeyError: it has no table [project].
    """
    content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    return [Requirement(text) for text in content["project"].get("dependencies", [])]


def _requirements(given: Requirements) -> list[Requirement]:
    if isinstance(given, str):
        try:
            return [Requirement(given)]
        except InvalidRequirement:
            return [Requirement(part) for part in given.split()]
    if isinstance(given, Requirement):
        return [given]
    if isinstance(given, list):
        return [Requirement(one) if isinstance(one, str) else one for one in given]
    raise TypeError(f"Expected str, Requirement, or list, got {type(given).__name__}")


def pip_check(req: Requirements) -> bool:
    """Whether all requirements are met; extras are followed, other systems' requirements count as met."""
    path = _search_path()
    seen: set[tuple[str, frozenset[str]]] = set()
    return all(_is_met(one, path, seen) for one in _requirements(req))


def _is_met(requirement: Requirement, path: list[str], seen: set[tuple[str, frozenset[str]]]) -> bool:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    key = (requirement.name.lower(), frozenset(requirement.extras))
    if key in seen:
        return True
    seen.add(key)
    found = next(iter(importlib.metadata.distributions(name=requirement.name, path=path)), None)
    if found is None or found.version not in requirement.specifier:
        return False
    return all(_is_met(part, path, seen) for part in _of_extras(requirement, found.requires or ()))


def _of_extras(requirement: Requirement, needed: Iterable[str]) -> Iterable[Requirement]:
    for text in needed:
        part = Requirement(text)
        environments: list[dict[str, Any]] = [{**default_environment(), "extra": extra} for extra in requirement.extras]
        if part.marker is not None and any(part.marker.evaluate(environment) for environment in environments):
            part.marker = None
            yield part


def _search_path() -> list[str]:
    """Where the interpreter behind PythonSlicer looks for packages."""
    interpreter = shutil.which("PythonSlicer")
    if interpreter is None:
        return sys.path
    importlib.invalidate_caches()
    return _search_path_of(Path(interpreter).read_text(encoding="utf-8"), interpreter)


@cache
def _search_path_of(launcher: str, interpreter: str) -> list[str]:
    answer = subprocess.run(
        [interpreter, "-c", "import json, sys; print(json.dumps(sys.path[1:]))"], check=True, capture_output=True, text=True
    )
    return list(json.loads(answer.stdout))


def pip_ensure(
    requirements: Requirements,
    constraints: str | Path | None = None,
    skip_packages: list[str] | None = None,
    prompt_install: bool = True,
    prompt_restart: bool = True,
    requester: str | None = None,
    skip_in_testing: bool = True,
    show_progress: bool = True,
) -> list[str] | None:
    """Installs what is missing, after asking.

    Raises:
        RuntimeError: the user declined.
        subprocess.CalledProcessError: pip failed.
    """
    missing = [one for one in _requirements(requirements) if not pip_check(one)]
    if not missing or (skip_in_testing and slicer.app.testingEnabled()):
        return None
    if prompt_install and not _consented(missing, requester):
        raise RuntimeError("User declined package installation")
    imported = {one.name for one in missing if one.name.replace("-", "_") in sys.modules}
    names = [str(one) for one in missing]
    skipped = pip_install(
        names, constraints=constraints, skip_packages=skip_packages, show_progress=show_progress, requester=requester
    )
    if prompt_restart and imported and not slicer.app.testingEnabled():
        text = f"{len(imported)} updated packages were already loaded. Would you like to restart now?"
        if slicer.util.confirmYesNoDisplay(text, _title("Restart Recommended", requester)):
            slicer.util.restart()
    return skipped


def _consented(missing: Sequence[Requirement], requester: str | None) -> bool:
    count = "1 Python package needs" if len(missing) == 1 else f"{len(missing)} Python packages need"
    text = f"{count} to be installed.\n\nThis will modify Slicer's Python environment. Continue?"
    details = "\n".join(f"- {one}" for one in missing)
    title = _title("Install Python Packages", requester)
    return bool(slicer.util.confirmOkCancelDisplay(text, title, detailedText=details))


def _title(text: str, requester: str | None) -> str:
    return f"{requester} - {text}" if requester else text


def pip_install(  # noqa: PLR0917 - the signature is Slicer's
    requirements: str | list[str],
    constraints: str | Path | None = None,
    no_deps_requirements: str | list[str] | None = None,
    skip_packages: list[str] | None = None,
    blocking: bool = True,
    show_progress: bool = True,
    requester: str | None = None,
    parent: Any = None,
    logCallback: Callable[[str], None] | None = None,
    completedCallback: Callable[[int], None] | None = None,
) -> list[str] | None:
    """Calls pip install; a string is split as a shell does, a list is taken as arguments.

    Raises:
        subprocess.CalledProcessError: pip failed (blocking); with progress shown, an error dialog comes first.
        NotImplementedError: skip_packages, which the bench does not do.
        RuntimeError: another installation runs in the background.
    """
    if skip_packages is not None:
        raise NotImplementedError("The bench does not install with skip_packages")
    if no_deps_requirements is not None:
        executePythonModule("pip", [*_arguments(no_deps_requirements, constraints), "--no-deps"])
    arguments = _arguments(requirements, constraints)
    if blocking:
        _install_blocking(arguments, show_progress and not slicer.app.testingEnabled(), requester, parent)
        return None
    if _in_progress:
        raise RuntimeError("A non-blocking pip_install is already in progress.")

    def completed(code: int) -> None:
        _in_progress.clear()
        if completedCallback is not None:
            completedCallback(code)

    _in_progress.append(arguments)
    executePythonModule("pip", arguments, blocking=False, logCallback=logCallback, completedCallback=completed)
    return None


def _arguments(requirements: str | list[str], constraints: str | Path | None) -> list[str]:
    if not isinstance(requirements, str | list):
        raise ValueError("pip_install requirement input must be string or list")
    given = shlex.split(requirements) if isinstance(requirements, str) else requirements
    return ["install", *given, *(("-c", str(constraints)) if constraints is not None else ())]


def _install_blocking(arguments: list[str], show_progress: bool, requester: str | None, parent: Any) -> None:
    if not show_progress:
        executePythonModule("pip", arguments)
        return
    dialog = qt.QProgressDialog(parent or slicer.util.mainWindow())
    dialog.setWindowTitle(_title("Installing Python Packages", requester))
    dialog.setLabelText("Installing packages...")
    dialog.setRange(0, 0)
    dialog.setCancelButton(None)
    dialog.show()
    log: list[str] = []
    codes: list[int] = []

    def write(line: str) -> None:
        log.append(line)
        sys.stdout.write(line + "\n")

    executePythonModule("pip", arguments, blocking=False, logCallback=write, completedCallback=codes.append)
    while not codes:
        slicer.app.processEvents()
        qt.QThread.msleep(10)
    dialog.close()
    if codes[0] != 0:
        title = _title("Installation Failed", requester)
        slicer.util.errorDisplay("Package installation failed.", windowTitle=title, detailedText="\n".join(log))
        raise subprocess.CalledProcessError(codes[0], "pip install")


def pip_uninstall(
    requirements: str | list[str],
    blocking: bool = True,
    logCallback: Callable[[str], None] | None = None,
    completedCallback: Callable[[int], None] | None = None,
) -> None:
    """Calls pip uninstall."""
    given = shlex.split(requirements) if isinstance(requirements, str) else list(requirements)
    executePythonModule("pip", ["uninstall", *given, "--yes"], blocking, logCallback, completedCallback)
