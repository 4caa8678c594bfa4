"""Enum values as PythonQt shows them: integers, reached flat from the class (`qt.QProcess.Running`) or from `qt.Qt`."""

import enum
from collections.abc import Iterator
from typing import Any


class EnumValue(int):
    """An integer that remembers the PySide6 value it stands for, so that it can be handed back to Qt."""

    pyside: enum.Enum

    def __new__(cls, member: enum.Enum) -> "EnumValue":
        value = super().__new__(cls, member.value)
        value.pyside = member
        return value

    def __repr__(self) -> str:
        return f"{self.pyside} ({int(self)})"

    __str__ = int.__repr__

    def __or__(self, other: int) -> int:
        if isinstance(other, EnumValue) and isinstance(self.pyside, enum.Flag) and type(other.pyside) is type(self.pyside):
            return EnumValue(self.pyside | other.pyside)
        return int(self) | int(other)

    __ror__ = __or__


def enum_members(owner: type) -> Iterator[tuple[str, EnumValue]]:
    """The enum values of a PySide6 class or namespace, flat: ("Running", 2), ..."""
    for name in dir(owner):
        candidate = getattr(owner, name, None)
        if isinstance(candidate, enum.EnumMeta):
            members: dict[str, enum.Enum] = dict(candidate.__members__)
            for member_name, member in members.items():
                yield member_name, EnumValue(member)


def to_pyside(value: int, wanted: type[enum.Enum]) -> Any:
    """An integer as a value of the PySide6 enum `wanted`.

    Raises:
        ValueError: the enum has no such value.
    """
    return wanted(int(value))
