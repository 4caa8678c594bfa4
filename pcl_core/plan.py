"""What was decided from the data: frozen, written as JSON, and carried by every weight file.

This file and its values are free of torch, so that Slicer's own process may read them.
"""

from __future__ import annotations

import dataclasses
import json
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from pcl_core.errors import InputError
from pcl_core.files import write_text
from pcl_core.plan_limits import require_sensible
from pcl_core.strict_json import FROM_US, build
from pcl_core.volumes.axes import Axis

PositionRule = Literal["relative", "millimetre", "learned"]
Weighting = Literal["hard", "soft"]
PLAN_FILE = "plan.json"


@dataclass(frozen=True)
class Fingerprint:
    """The facts about the inputs that the plan follows from.

    Attributes:
        volumes: number of volumes.
        slices: number of slices of all volumes.
        slices_per_volume: median.
        spacing_mm: median (slice, row, column) spacing of the canonical view.
        extent_mm: in-plane extent, the larger side, that 95 % of the volumes stay within.
        largest_extent_mm: the largest in-plane side of all.
        intensity: median over the volumes of the lowest and of the highest sampled intensity; None when not sampled.
        intensity_width: of the volumes' ranges of sampled intensities the narrowest and the widest; None when not sampled.
        planes: planes in which slices lie: axial, coronal, sagittal; empty when not known.
    """

    volumes: int
    slices: int
    slices_per_volume: float
    spacing_mm: tuple[float, float, float]
    extent_mm: float
    largest_extent_mm: float
    intensity: tuple[float, float] | None = None
    intensity_width: tuple[float, float] | None = None
    planes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SlicePlan:
    """How volumes become slices (paper, section 4, Preprocessing).

    Attributes:
        axis: through-plane axis, or a named plane.
        resolution_mm: in-plane pixel, f_r of the paper.
        size: side of the padded square in pixels, f_s of the paper; a multiple of 16.
        low_percentile: intensities are clipped to it and scaled to 0.
        high_percentile: intensities are clipped to it and scaled to 1.
    """

    axis: Axis
    resolution_mm: float
    size: int
    low_percentile: float = 1.0
    high_percentile: float = 99.0


@dataclass(frozen=True)
class NetworkPlan:
    """The network.

    Attributes:
        filters: f, channels of the first level.
        projection: dimensions of the embedding.
    """

    filters: int
    projection: int = 512


@dataclass(frozen=True)
class AugmentationPlan:
    """Random views of a slice.

    Attributes:
        rotation_degrees: rotation is drawn between minus and plus this.
        scale_low: smallest scale (below 1 shrinks the anatomy).
        scale_high: largest scale.
        translation: largest shift, as a part of the side.
        mirror: whether both in-plane axes are mirrored at random.
        elastic: standard deviation of the control points' displacement, as a part of the side; 0 is none.
        elastic_grid: control points along a side.
        gamma: intensities are raised to a power between 1 / gamma and gamma; 1 is none.
        contrast: intensities are multiplied by 1 minus to 1 plus this.
        noise: largest standard deviation of Gaussian noise.
    """

    rotation_degrees: float = 0.0
    scale_low: float = 1.0
    scale_high: float = 1.0
    translation: float = 0.0
    mirror: bool = False
    elastic: float = 0.0
    elastic_grid: int = 6
    gamma: float = 1.0
    contrast: float = 0.0
    noise: float = 0.0


@dataclass(frozen=True)
class PretrainPlan:
    """The pretraining. Either steps or epochs is given.

    Attributes:
        method: name of the objective.
        threshold: t of the paper: slices whose positions differ by less are positives.
        temperature: tau of Eq. 2.
        batch: N, slices a step (2N views).
        steps: number of steps, or None.
        epochs: number of passes over all slices, or None.
        learning_rate: peak of the cosine schedule.
        warmup: part of the steps in which the learning rate rises linearly from 0.
        momentum: of SGD.
        weight_decay: of SGD.
        augmentation: random views.
        position: rule by which slices have positions; see slices/placing.py.
        weighting: ``hard``: slices closer than the threshold are positives; ``soft``: every pair is one, with a Gaussian weight
            of its position difference whose half width at half maximum is the threshold.
        part: views that the first two levels of the encoder see at once, where memory is short; 0 is all. The result is the
            same up to rounding.
        compiled: whether the encoder is compiled for the GPU.
        graphs: whether the compiled encoder runs as CUDA graphs.
    """

    method: str
    threshold: float
    temperature: float
    batch: int
    steps: int | None
    epochs: int | None
    learning_rate: float
    warmup: float
    momentum: float
    weight_decay: float
    augmentation: AugmentationPlan
    position: PositionRule = "relative"
    weighting: Weighting = "hard"
    part: int = 0
    compiled: bool = False
    graphs: bool = False


@dataclass(frozen=True)
class FinetunePlan:
    """The fine-tuning. Either steps or epochs is given.

    Attributes:
        loss: cross-entropy, or the mean of Dice loss and cross-entropy.
        batch: slices a step.
        steps: number of steps, or None.
        epochs: number of passes over the annotated slices, or None.
        learning_rate: peak of the cosine schedule, of Adam.
        warmup: part of the steps in which the learning rate rises linearly from 0.
        weight_decay: decoupled weight decay (AdamW; 0 is Adam).
        ema: decay a step of the averaged weights that are kept; 0 keeps the last weights.
        augmentation: random views.
    """

    loss: Literal["ce", "dice+ce"]
    batch: int
    steps: int | None
    epochs: int | None
    learning_rate: float
    warmup: float
    weight_decay: float
    ema: float
    augmentation: AugmentationPlan


@dataclass(frozen=True)
class Plan:
    """Everything that was decided, and why.

    Attributes:
        preset: name of the rules that made it.
        slices: how volumes become slices.
        network: the network.
        pretrain: the pretraining.
        finetune: the fine-tuning.
        fingerprint: the facts that it follows from; None when made without data.
        reasons: a sentence for each decision, by its dotted name such as ``slices.size``.
    """

    preset: str
    slices: SlicePlan
    network: NetworkPlan
    pretrain: PretrainPlan
    finetune: FinetunePlan
    fingerprint: Fingerprint | None = None
    reasons: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Any, where: str = "plan", hint: str = FROM_US) -> Self:
        """Reads what to_json made; messages call it ``where``, and say ``hint`` of a value of another type.

        Raises:
            InputError: an unknown or missing key, or a value of another type or that makes no sense.
        """
        plan = typing.cast(Self, build(cls, data, where, hint))
        require_sensible(plan, where)
        return plan

    def save(self, path: Path) -> None:
        """Writes the plan as JSON, whole or not at all."""
        write_text(path, json.dumps(self.to_json(), indent=2) + "\n")

    def decisive(self) -> Plan:
        """What it says of the result: neither why, nor how that is computed on one machine."""
        pretrain = dataclasses.replace(self.pretrain, part=0, compiled=False, graphs=False)
        return dataclasses.replace(self, reasons={}, pretrain=pretrain)

    def override(self, **values: Any) -> Plan:
        """A plan with some decisions replaced, named by dotted paths with ``__`` (``pretrain__batch=16``).

        Values of None are left as they are. The reason of a replaced decision becomes "Set by the user."
        """
        plan = self
        for name, value in values.items():
            if value is None:
                continue
            section, _, key = name.partition("__")
            part = dataclasses.replace(getattr(plan, section), **{key: value})
            reasons = {**plan.reasons, f"{section}.{key}": "Set by the user."}
            plan = dataclasses.replace(plan, **{section: part, "reasons": reasons})
        return plan


def load_plan(path: Path) -> Plan:
    """Reads a plan from a JSON file.

    Raises:
        InputError: unreadable, not JSON, or not a plan.
    """
    try:
        return Plan.from_json(json.loads(path.read_text(encoding="utf-8")), str(path))
    except OSError as error:
        raise InputError(f"Cannot read the plan {path}: {error.strerror or error}.", "Check the path.") from error
    except ValueError as error:
        raise InputError(f"{path} is not a plan: {error}.", "Give a plan.json that pretrain wrote.") from error


def steps_in(steps: int | None, epochs: int | None, slices: int, batch: int) -> int:
    """The number of steps that a budget in steps or in epochs means for so many slices; at least 1."""
    if steps is not None:
        return max(1, steps)
    return max(1, (epochs or 1) * -(-slices // batch))
