"""What a person set for a pretraining, and the words of the command line that say it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class PretrainSettings:
    """Settings of a pretraining. What is 0 or empty follows the plan.

    Attributes:
        folder: of the volumes.
        out: folder of the results.
        left_out: ids of volumes that are left out.
        flipped: ids of volumes whose slices run the other way.
        method: name of the objective.
        preset: rules that make the plan.
        axis: slice axis.
        position: rule by which slices have positions.
        weighting: hard, or soft for Gaussian weights in place of a threshold.
        threshold: position difference below which slices are positives, or have half of the weight.
        resolution: in-plane pixel in mm.
        epochs: passes over all slices.
        batch: slices a step.
        device: auto, cpu or cuda.
    """

    folder: Path
    out: Path
    left_out: frozenset[str] = field(default_factory=frozenset)
    flipped: frozenset[str] = field(default_factory=frozenset)
    method: str = "pcl"
    preset: str = "recommended"
    axis: str = "auto"
    position: str = "relative"
    weighting: str = "hard"
    threshold: float = 0.0
    resolution: float = 0.0
    epochs: int = 0
    batch: int = 0
    device: str = "auto"

    def plan_words(self) -> list[str]:
        """The options of the plan that were set."""
        words = ["--method", self.method, "--preset", self.preset, "--device", self.device]
        for name, chosen, usual in (
            ("axis", self.axis, "auto"),
            ("position", self.position, "relative"),
            ("weighting", self.weighting, "hard"),
        ):
            if chosen != usual:
                words += [f"--{name}", chosen]
        for name, value in (
            ("threshold", self.threshold),
            ("resolution", self.resolution),
            ("epochs", self.epochs),
            ("batch", self.batch),
        ):
            if value:
                words += [f"--{name}", str(value)]
        return words
