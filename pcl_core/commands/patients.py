"""Whose a case is, where neither its name nor its header tells: by a list that a person or a program wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pcl_core.errors import InputError
from pcl_core.strict_json import build, read_json
from pcl_core.volumes.cases import Case

_HINT = 'Write for example {"case01_ed": "case01", "case01_es": "case01"}.'


@dataclass(frozen=True)
class _Listed:
    """The patients of a file."""

    patients: dict[str, str]


def with_patients(cases: Sequence[Case], path: Path | None) -> list[Case]:
    """The cases with the patients of a JSON file; those that it does not list keep their own.

    Raises:
        InputError: the file cannot be read, holds something else, or names a case that is not there.
    """
    if path is None:
        return list(cases)
    listed: _Listed = build(_Listed, {"patients": read_json(path)}, str(path), _HINT)
    unknown = sorted(listed.patients.keys() - {case.id for case in cases})
    if unknown:
        raise InputError(f"{path} names the case '{unknown[0]}', which is not among the annotated ones.", _HINT)
    return [replace(one, source=replace(one.source, patient=listed.patients.get(one.id, one.source.patient))) for one in cases]
