"""Volumes that a person names: those to leave out, and those whose slices run the other way."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pcl_core.errors import InputError
from pcl_core.near import nearest
from pcl_core.volumes.volume import VolumeSource


def without(sources: Sequence[VolumeSource], names: Iterable[str], folder: Path) -> tuple[VolumeSource, ...]:
    """The volumes that none of the names means.

    Args:
        sources: all volumes.
        names: ids, patients, or paths (absolute, or from ``folder``). A file of several frames is left out whole by its path,
            one frame by its id.
        folder: what the volumes were found in.

    Raises:
        InputError: a name means no volume (with the nearest that does), or none is left.
    """
    left_out = named(sources, names, folder, "leave out")
    kept = tuple(one for one in sources if one.id not in left_out)
    if sources and not kept:
        raise InputError(f"All {len(sources)} volumes in {folder} are left out.", "Leave out fewer.")
    return kept


def named(sources: Sequence[VolumeSource], names: Iterable[str], folder: Path, purpose: str) -> frozenset[str]:
    """The ids of the volumes that names mean.

    Args:
        sources: all volumes.
        names: ids, patients, or paths, as ``without`` takes them.
        folder: what the volumes were found in.
        purpose: what is to be done with them, for the message.

    Raises:
        InputError: a name means no volume (with the nearest that does).
    """
    found: set[str] = set()
    for name in names:
        path = (folder / name).absolute()
        meant = {one.id for one in sources if name in (one.id, one.patient) or path == one.path.absolute()}
        if not meant:
            raise InputError(f"There is no volume '{name}' to {purpose}.", nearest(name, [one.id for one in sources]))
        found |= meant
    return frozenset(found)


def names_in(path: Path) -> list[str]:
    """The names in a text file, one a line. Raises InputError when it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror or error}.", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text in UTF-8.", "Save it as UTF-8.") from error
    return [line.strip() for line in lines if line.strip()]
