"""What a parameter may be, as annotations: `Annotated[float, WithinRange(0, 1)]`."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class Validator(ABC):
    """A condition on a value."""

    @abstractmethod
    def validate(self, value: Any) -> None:
        """Raises ValueError (TypeError for another type) when the value is not allowed."""


@dataclass(frozen=True)
class NotNone(Validator):
    """Not None."""

    def validate(self, value: Any) -> None:
        if value is None:
            raise ValueError("Value must not be None")


@dataclass(frozen=True)
class IsInstance(Validator):
    """Of a type; None passes."""

    classtype: type | tuple[type, ...]

    def validate(self, value: Any) -> None:
        if value is not None and not isinstance(value, self.classtype):
            raise TypeError(f"Value must be of type {self.classtype}, not {type(value)}: {value!r}")


@dataclass(frozen=True)
class WithinRange(Validator):
    """Between two numbers, both allowed."""

    minimum: float
    maximum: float

    def validate(self, value: Any) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value must be between {self.minimum} and {self.maximum}, not {value}")


@dataclass(frozen=True)
class Minimum(Validator):
    """At least a number."""

    minimum: float

    def validate(self, value: Any) -> None:
        if value < self.minimum:
            raise ValueError(f"Value must be at least {self.minimum}, not {value}")


@dataclass(frozen=True)
class Maximum(Validator):
    """At most a number."""

    maximum: float

    def validate(self, value: Any) -> None:
        if value > self.maximum:
            raise ValueError(f"Value must be at most {self.maximum}, not {value}")


@dataclass(frozen=True)
class Choice(Validator):
    """One of some values."""

    choices: Sequence[Any]

    def validate(self, value: Any) -> None:
        if value not in self.choices:
            raise ValueError(f"Value must be one of {list(self.choices)}, not {value!r}")


@dataclass(frozen=True)
class Exclude(Validator):
    """None of some values."""

    excludedValues: Sequence[Any]

    def validate(self, value: Any) -> None:
        if value in self.excludedValues:
            raise ValueError(f"Value must not be one of {list(self.excludedValues)}: {value!r}")


@dataclass(frozen=True)
class Default:
    """The value while none was set: `Annotated[int, Default(5)]`."""

    value: Any
