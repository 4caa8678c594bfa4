"""What the inspector is told of the module that it stands in."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Protocol

from PCLLib.position_report import PlacedVolume


class Inspected(Protocol):
    """The volumes of a module.

    Attributes:
        decides: whether volumes can be left out and flipped.
    """

    decides: bool

    def why_not(self) -> str:
        """Why there is nothing to look at now; empty when there is."""

    def words(self, folder: Path) -> Sequence[object]:
        """The inputs and options of the engine's ``positions``.

        Args:
            folder: of its own, for files that have to be written.

        Raises:
            RuntimeError, InputError, OSError: a volume cannot be written.
        """

    def encoder(self) -> Path | None:
        """The encoder that is proposed for comparing; None when there is none."""

    def threshold(self) -> float:
        """The threshold that is set or was trained by; 0 when there is none."""

    def marks(self) -> tuple[Collection[str], Collection[str]]:
        """The ids of the volumes that are left out, and of those that are flipped."""

    def name_of(self, volume: PlacedVolume) -> str:
        """What people call a volume."""

    def node_of(self, volume: PlacedVolume) -> Any:
        """Its node; None while it is not loaded."""

    def volume_of(self, node: Any, volumes: Sequence[PlacedVolume]) -> PlacedVolume | None:
        """The volume of a node."""

    def open(self, volume: PlacedVolume) -> Any:
        """Loads a volume when it is not there yet, and shows it. Raises RuntimeError when Slicer cannot load it.

        Returns:
            its node.
        """

    def leave_out(self, volume: PlacedVolume, on: bool) -> None:
        """Leaves a volume out, or takes it back."""

    def flip(self, volume: PlacedVolume, on: bool) -> None:
        """Says that a volume's slices run the other way, or takes that back."""

    def use_threshold(self, value: float) -> None:
        """Takes a threshold for the pretraining."""
