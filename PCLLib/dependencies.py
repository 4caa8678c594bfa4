"""The Python packages that the engine needs and Slicer does not bring: what is missing, how large it is, installing it.

Nothing is imported to find out: PyTorch never enters Slicer's own process through this extension. (The PyTorch extension
imports it once, right after it has installed it.)
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TextIO

import slicer
from slicer.i18n import tr as _

from PCLLib import words

REQUIREMENTS = Path(__file__).parent / "Resources" / "requirements.txt"
# Downloads in MB, of the packages themselves with what they bring along. The build of PyTorch decides most of it.
_DOWNLOADS = {"torch": 220, "scipy": 36, "scikit-image": 14, "nibabel": 4}
_WITH_CUDA = 2900
_OTHER = 1
_LAST_LINES = 6


class Requirement(Protocol):
    """The part of ``packaging.requirements.Requirement`` that is used here."""

    name: str
    specifier: object


class InstallError(Exception):
    """Installing failed.

    Attributes:
        lines: the last lines that pip wrote.
        hint: what to do.
    """

    def __init__(self, lines: Sequence[str], hint: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = tuple(lines)
        self.hint = hint


@dataclass(frozen=True)
class Missing:
    """What has to be installed.

    Attributes:
        requirements: with their versions.
        megabytes: of the download, roughly.
        torch: whether PyTorch is among them; it may come in its build for NVIDIA cards.
    """

    requirements: tuple[Requirement, ...]
    megabytes: int
    torch: bool

    def __bool__(self) -> bool:
        return bool(self.requirements)

    def question(self) -> str:
        """What is asked before anything is installed."""
        names = ", ".join(requirement.name for requirement in self.requirements)
        count = words.counted(len(self.requirements), _("{n} Python package"), _("{n} Python packages"))
        least, most = words.size(self.megabytes * 2**20), words.size((self.megabytes + _WITH_CUDA) * 2**20)
        if self.torch:
            much = _("The download is about {least}, or {most} when PyTorch comes in its build for NVIDIA graphics cards.")
        else:
            much = _("The download is about {least}.")
        return _(
            "{count} must be added to Slicer's own Python first: {names}.\n\n{much} Nothing else on this computer is changed. "
            "You can also install from a folder of wheels, without the internet.\n\nInstall now?"
        ).format(count=count, names=names, much=much.format(least=least, most=most))


class Dependencies:
    """Finds what is missing and installs it.

    Args:
        requirements_file: one requirement a line.
    """

    def __init__(self, requirements_file: Path = REQUIREMENTS) -> None:
        self._file = requirements_file

    def missing(self) -> Missing:
        """What has to be installed before something can be trained."""
        return _missing(self._unmet())

    def install(self, wheels: Path | None = None) -> None:
        """Installs what is missing; returns when that is done, while Slicer shows pip's progress.

        Args:
            wheels: a folder of wheels to install from, without the internet.

        Raises:
            InstallError: with pip's last lines and what to do.
        """
        said = _LastLines(sys.stdout)
        try:
            with contextlib.redirect_stdout(said):
                if wheels is None:
                    self._install_online()
                else:
                    self._install_offline(wheels)
        except (subprocess.CalledProcessError, RuntimeError, ImportError, ValueError, OSError) as error:
            lines = [*said.lines, *_output_of(error)][-_LAST_LINES:] or [str(error)]
            raise InstallError(lines, hint_for("\n".join([*lines, *said.lines]), wheels)) from error
        left = self.missing()
        if left:
            names = ", ".join(requirement.name for requirement in left.requirements)
            raise InstallError(
                [*said.lines[-_LAST_LINES:], _("Still missing: {names}").format(names=names)],
                _("Restart Slicer and try again; packages that are in use cannot be replaced."),
            )

    def _install_online(self) -> None:
        unmet = self._unmet()
        torch = next((requirement for requirement in unmet if requirement.name == "torch"), None)
        if torch is not None and hasattr(slicer.modules, "pytorchutils"):
            import PyTorchUtils  # noqa: PLC0415 (of another extension, which need not be there)

            logic = PyTorchUtils.PyTorchUtilsLogic()
            logic.installTorch(askConfirmation=False, torchVersionRequirement=str(torch.specifier))
            unmet = [requirement for requirement in unmet if requirement is not torch]
        if unmet:
            slicer.packaging.pip_ensure(unmet, prompt_install=False, requester=_("Positional contrastive learning"))

    def _install_offline(self, wheels: Path) -> None:
        names = [str(requirement) for requirement in self._unmet()]
        arguments = ["--no-index", "--find-links", str(wheels), *names]
        slicer.packaging.pip_install(arguments, requester=_("Positional contrastive learning"))

    def _unmet(self) -> list[Requirement]:
        return [one for one in slicer.packaging.load_requirements(self._file) if not slicer.packaging.pip_check(one)]


class _LastLines(io.TextIOBase):
    """Takes what is printed while pip runs: Slicer prints every line of it, and its errors do not repeat them."""

    def __init__(self, beside: TextIO) -> None:
        self.lines: list[str] = []
        self._beside = beside
        self._rest = ""

    def writable(self) -> bool:  # of TextIOBase
        return True

    def write(self, text: str) -> int:
        self._beside.write(text)
        *whole, self._rest = (self._rest + text).split("\n")
        self.lines = [*self.lines, *(line.strip() for line in whole if line.strip())][-100:]
        return len(text)


def _missing(unmet: Sequence[Requirement]) -> Missing:
    names = [requirement.name.lower() for requirement in unmet]
    return Missing(tuple(unmet), sum(_DOWNLOADS.get(name, _OTHER) for name in names), "torch" in names)


def _output_of(error: Exception) -> Iterator[str]:
    output = getattr(error, "output", None) or ""
    text = output.decode("utf-8", "replace") if isinstance(output, bytes) else str(output)
    return (line.strip() for line in text.splitlines() if line.strip())


def hint_for(said: str, wheels: Path | None) -> str:
    """What to do about what pip said."""
    known = (
        (("No space left",), _("Free some disk space and try again.")),
        (
            ("Permission denied", "Access is denied"),
            _("Slicer's folder cannot be written. Install Slicer in a folder of your own, or start it as administrator once."),
        ),
        (
            ("name resolution", "getaddrinfo", "ConnectionError", "NewConnectionError", "Read timed out", "ProxyError"),
            _("The internet was not reached. Check the connection, or install from a folder of wheels."),
        ),
    )
    for signs, hint in known:
        if any(sign in said for sign in signs):
            return hint
    if "No matching distribution" in said or "Could not find a version" in said:
        if wheels is not None:
            return _("The folder {folder} lacks a package or has it for another Python version or system.").format(
                folder=wheels
            )
        return _("Check the internet connection, or install from a folder of wheels made for this version of Slicer.")
    return _("Try again; if it fails again, report it with these lines.")
