"""Rules that make a plan from a fingerprint: the paper's, and ours.

``paper`` follows the published procedure as the paper writes it; ``recommended`` is what we advise. Every difference between
the two stands in ``Docs/deviations.md``.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal

from pcl_core.errors import InputError
from pcl_core.plan import AugmentationPlan, FinetunePlan, Fingerprint, NetworkPlan, Plan, PretrainPlan, SlicePlan
from pcl_core.volumes.axes import Axis

PRESETS = ("recommended", "paper")
STRIDE = 16
_GIB = 2**30


@dataclass(frozen=True)
class DeviceFacts:
    """What the plan has to know of the device.

    Attributes:
        kind: where the network runs.
        memory_bytes: of the GPU, or of the machine.
        free_bytes: of it that a training can have; 0 when not known.
        value_bytes: of one activation of a network.
    """

    kind: Literal["cpu", "cuda"]
    memory_bytes: int
    free_bytes: int = 0
    value_bytes: int = 4


@dataclass(frozen=True)
class _Published:
    """The paper's values for a data set (section 4)."""

    resolution_mm: float
    size: int
    filters: int
    threshold: float


# The paper gives no thresholds for MMWHS and HVSMR: they are only fine-tuned on. 0.1 and 0.35 are those of the data set
# that each is pretrained on (CHD, ACDC).
_PUBLISHED = {
    "chd": _Published(1.0, 512, 32, 0.1),
    "mmwhs": _Published(1.5, 256, 32, 0.1),
    "acdc": _Published(1.25, 352, 48, 0.35),
    "hvsmr": _Published(0.7, 352, 48, 0.35),
}

# Rotation and scale as the published code has them (0 to 360 degrees, 0.7 to 1.3), translation as the paper.
_PAPER_VIEWS = AugmentationPlan(180, 0.7, 1.3, translation=0.1, mirror=True, elastic=0.02)
_RECOMMENDED_VIEWS = AugmentationPlan(
    180, 0.7, 1.3, translation=0.1, mirror=True, elastic=0.02, gamma=1.5, contrast=0.15, noise=0.05
)
_RECOMMENDED_TRAINING = AugmentationPlan(
    30, 0.8, 1.25, translation=0.08, mirror=False, elastic=0.02, gamma=1.5, contrast=0.15, noise=0.05
)


def make_plan(preset: str, fingerprint: Fingerprint, device: DeviceFacts, axis: Axis = "auto", layout: str = "") -> Plan:
    """Decides everything from the fingerprint.

    Args:
        preset: ``recommended`` or ``paper``.
        fingerprint: facts about the inputs.
        device: where it will run; the recommended size and width follow from it.
        axis: the slice axis that the fingerprint was taken along.
        layout: data set that the folder was recognised as; the paper's own values apply to the four that it used.

    Raises:
        InputError: there is no such preset.
    """
    if preset == "recommended":
        return _recommended(fingerprint, device, axis)
    if preset == "paper":
        return _paper(fingerprint, axis, layout)
    raise InputError(f"There is no preset '{preset}'.", f"Choose one of {', '.join(PRESETS)}.")


def suited_to(plan: Plan, method: str) -> Plan:
    """The plan with what a method needs in place of what the preset says: views that leave it answerable, its temperature."""
    if method == "rotation":
        still = dataclasses.replace(plan.pretrain.augmentation, rotation_degrees=0.0, mirror=False)
        why = "Turned or mirrored views would make the question of the method rotation unanswerable."
        return _decided(plan.override(pretrain__augmentation=still), "pretrain.augmentation", why)
    if method in ("pirl", "moco"):
        return _decided(plan.override(pretrain__temperature=0.07), "pretrain.temperature", f"That of the authors of {method}.")
    return plan


def _decided(plan: Plan, name: str, why: str) -> Plan:
    return dataclasses.replace(plan, reasons={**plan.reasons, name: why})


def fit_size(extent_mm: float, resolution_mm: float) -> int:
    """The smallest side in pixels, a multiple of 16, that holds an extent."""
    pixels = round(extent_mm / resolution_mm)
    return max(STRIDE, -(-pixels // STRIDE) * STRIDE)


def native_resolution(fingerprint: Fingerprint) -> float:
    """Side in mm of a square pixel as large as the median in-plane pixel."""
    return rounded((fingerprint.spacing_mm[1] * fingerprint.spacing_mm[2]) ** 0.5)


def rounded(resolution_mm: float) -> float:
    """A resolution in four significant digits: 0.6836 mm for CT, 0.001234 mm for a microscope."""
    return float(f"{resolution_mm:.4g}")


def _recommended(fingerprint: Fingerprint, device: DeviceFacts, axis: Axis) -> Plan:
    on_gpu = device.kind == "cuda"
    largest = 128 if not on_gpu else 256 if device.memory_bytes < 12 * _GIB else 384
    resolution, size, why = _grid(fingerprint, native_resolution(fingerprint), largest)
    threshold = recommended_threshold(fingerprint.slices_per_volume)
    steps = _pretraining_steps(fingerprint.slices, on_gpu)
    reasons = {
        "slices.resolution_mm": why,
        "slices.size": f"95 % of the slices are at most {fingerprint.extent_mm:.0f} mm wide; a multiple of 16.",
        "network.filters": "A GPU is used." if on_gpu else "No GPU: half the width of the paper keeps the time short.",
        "pretrain.batch": "As the paper.",
        "pretrain.threshold": f"From {fingerprint.slices_per_volume:g} slices a volume: 0.10 for CT with hundreds of "
        "slices and 0.35 for heart stacks with ten, as the paper found best.",
        "pretrain.steps": f"From {fingerprint.slices} slices and the device.",
        "finetune.steps": "A budget in steps, since two cases at a fixed number of epochs would be starved.",
    }
    return Plan(
        preset="recommended",
        slices=SlicePlan(axis, resolution, size),
        network=NetworkPlan(filters=32 if on_gpu else 16),
        pretrain=PretrainPlan(
            "pcl", threshold, 0.1, 32, steps, None, 0.1, warmup=0.05, momentum=0.9, weight_decay=1e-5,
            augmentation=_RECOMMENDED_VIEWS,
        ),
        finetune=FinetunePlan(
            "dice+ce", 16 if on_gpu else 8, 2000 if on_gpu else 600, None, 1e-3, warmup=0.05, weight_decay=1e-5, ema=0.99,
            augmentation=_RECOMMENDED_TRAINING,
        ),
        fingerprint=fingerprint,
        reasons=reasons,
    )  # fmt: skip


def _grid(fingerprint: Fingerprint, native: float, largest: int) -> tuple[float, int, str]:
    """Resolution, size and the resolution's reason: native where that fits in ``largest`` pixels, coarser where not."""
    size = fit_size(fingerprint.extent_mm, native)
    if size <= largest:
        return native, size, f"The median in-plane spacing is {native:g} mm."
    coarser = rounded(fingerprint.extent_mm / largest)
    why = f"{fingerprint.extent_mm:g} mm at the native {native:g} mm would need {size} pixels; {largest} suit this device."
    return coarser, largest, why


def recommended_threshold(slices_per_volume: float) -> float:
    """0.35 at 10 slices and 0.10 at 200 and more, the two values that the paper found best (section 4.1)."""
    return round(min(0.35, max(0.10, 0.09 + 2.6 / max(slices_per_volume, 1.0))), 2)


def _pretraining_steps(slices: int, on_gpu: bool) -> int:
    """100 passes over the slices, within what a coffee break (CPU) or a night (GPU) allows."""
    passes = 100 * -(-slices // 32)
    return min(max(passes, 600), 20_000 if on_gpu else 1500)


def _paper(fingerprint: Fingerprint, axis: Axis, layout: str) -> Plan:
    published = _PUBLISHED.get(layout)
    if published is None:
        native = native_resolution(fingerprint)
        published = _Published(
            native,
            fit_size(fingerprint.largest_extent_mm, native),
            32,
            recommended_threshold(fingerprint.slices_per_volume),
        )
    return Plan(
        preset="paper",
        slices=SlicePlan(axis, published.resolution_mm, published.size),
        network=NetworkPlan(published.filters),
        pretrain=PretrainPlan(
            "pcl", published.threshold, 0.1, 32, None, 200, 0.1, warmup=0.0, momentum=0.9, weight_decay=1e-5,
            augmentation=_PAPER_VIEWS,
        ),
        finetune=FinetunePlan(
            "ce", 5, None, 100, 5e-5, warmup=0.0, weight_decay=0.0, ema=0.0, augmentation=_PAPER_VIEWS
        ),
        fingerprint=fingerprint,
        reasons={"slices.resolution_mm": f"The paper's value for {layout}." if layout in _PUBLISHED else "Native."},
    )  # fmt: skip
