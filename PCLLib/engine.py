"""How the engine is started: Slicer's own interpreter, the command line, the environment of the child process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from slicer.i18n import tr as _

# In a checkout as in a built or installed extension, pcl_core lies beside PCLLib.
ROOT = Path(__file__).resolve().parents[1]


class EngineNotFoundError(Exception):
    """Slicer's own Python interpreter cannot be found; the message says it in words."""


@dataclass(frozen=True)
class Call:
    """A process that can be started.

    Attributes:
        program: the executable.
        arguments: of it.
        environment: variables that differ from those of this process.
    """

    program: str
    arguments: tuple[str, ...]
    environment: dict[str, str]


@dataclass(frozen=True)
class Engine:
    """Makes calls of ``python -m pcl_core``.

    Attributes:
        interpreter: name or path of the Python that has the engine's packages.
        root: folder that holds ``pcl_core``.
    """

    interpreter: str = "PythonSlicer"
    root: Path = ROOT

    def call(self, words: Sequence[object], variables: Mapping[str, str] | None = None) -> Call:
        """The call of a command with its words, which reports events and can be cancelled through its standard input.

        Args:
            words: command and options.
            variables: of the environment, beside those that every call has.

        Raises:
            EngineNotFoundError: there is no interpreter.
        """
        program = shutil.which(self.interpreter)
        if program is None:
            raise EngineNotFoundError(
                _("Slicer's own Python ({name}) was not found. Install Slicer again, or start it by its launcher.").format(
                    name=self.interpreter
                )
            )
        arguments = ("-m", "pcl_core", *(str(word) for word in words), "--events", "--cancel-with-stdin")
        return Call(program, arguments, {**self._environment(), **(variables or {})})

    def _environment(self) -> dict[str, str]:
        """A child process does not inherit sys.path, so it is told where the engine lies.

        It does not look into its working directory, where a file of the name of a package would be taken for it.
        """
        inherited = os.environ.get("PYTHONPATH")
        paths = [str(self.root), *([inherited] if inherited else [])]
        return {"PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
