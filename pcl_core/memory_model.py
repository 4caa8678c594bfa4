"""How much memory a step of a training takes, and the plan that follows from what is free.

Counted are the values that a convolution block keeps for its gradients: the output of each convolution and of each activation,
the pooled values and the indices of the pooling (64 bits each). This file is free of torch, like the plan.
"""

from __future__ import annotations

import dataclasses

from pcl_core.plan import Plan
from pcl_core.presets import DeviceFacts

_LEVELS = 4
_LEVELS_IN_PARTS = 2
_INDEX = 8
# Of the free memory; the rest is for the libraries' own buffers and for what is lost between tensors.
_USABLE = 0.85
# Gradients and working space beside what is kept, as tensors of the first level.
_WORKING = 3
# Bytes a pixel: of the loss for each class (logits, probabilities, gradients, in 32 bits); of an image, its view and labels.
_LOSS, _IMAGE = 24, 60
_SMALLEST_PART = 4
_PARTS = 8


def views_a_step(plan: Plan) -> int:
    """Images of full size that go through the encoder with gradients in a step."""
    return plan.pretrain.batch * {"rotation": 4, "moco": 1, "moco-pcl": 1}.get(plan.pretrain.method, 2)


def part_of(views: int) -> int:
    """Images that the first two levels see at once where memory is short: an eighth, but at least four."""
    return max(_SMALLEST_PART, -(-views // _PARTS))


def pretraining_bytes(plan: Plan, value_bytes: int, part: int = 0, processes: int = 1) -> int:
    """Largest memory of a step: activations, gradients, weights and their optimiser; without the slice bank.

    Args:
        plan: size, filters, batch and method.
        value_bytes: of one activation: 2 in half precision, or 4.
        part: images that the first two levels see at once; 0 is all.
        processes: that share the views.
    """
    views, side, filters = -(-views_a_step(plan) // processes), plan.slices.size, plan.network.filters
    one, kept, bottom = _of_one_view(side, filters, value_bytes)
    fixed = 12 * _weights(filters, plan.network.projection) + 12 * views * side * side
    if not part:
        return fixed + views * (sum(kept) + bottom)
    deep = sum(kept[_LEVELS_IN_PARTS:]) + bottom
    between = [tensor + tensor // 4 for tensor in one[:_LEVELS_IN_PARTS]]  # what the last normalisation sees, and the output
    at_once = min(part, views) * (kept[0] + _WORKING * one[0])
    forward_done = views * (sum(between) + deep)
    second_level = views * (sum(between) + 2 * one[1]) + at_once // 2
    first_level = views * (between[0] + 2 * one[0]) + at_once
    return fixed + max(forward_done, second_level, first_level)


def _of_one_view(side: int, filters: int, value_bytes: int) -> tuple[list[int], list[int], int]:
    """Bytes of a tensor of each level of the encoder, of what each level keeps for its gradients, and of the bottleneck's."""
    one = [(filters * side * side >> level) * value_bytes for level in range(_LEVELS)]
    kept = [tensor * 17 // 4 + tensor // value_bytes // 4 * _INDEX for tensor in one]
    return one, kept, 2 * one[-1] // 2


def finetuning_bytes(plan: Plan, value_bytes: int, classes: int) -> int:
    """Largest memory of a step of the fine-tuning: activations, gradients, weights, their optimiser and their average.

    A level of the decoder keeps what a level of the encoder keeps, and the skip and the raised features beside each other.

    Args:
        plan: size, filters and batch.
        value_bytes: of one activation: 2 in half precision, or 4.
        classes: of the network, background included.
    """
    images, side, filters = plan.finetune.batch, plan.slices.size, plan.network.filters
    one, kept, bottom = _of_one_view(side, filters, value_bytes)
    each = sum(kept) + bottom + 6 * sum(one) + _WORKING * one[0] + (_LOSS * classes + _IMAGE) * side * side
    weights = _encoder_weights(filters) + sum(8 * width * width + 27 * width * width for width in _widths(filters)[:-1])
    return 20 * weights + images * each


def _weights(filters: int, projection: int) -> int:
    """Parameters of encoder and projection head; biases and normalisations, a few thousand, are left out."""
    width = _widths(filters)[-1]
    return _encoder_weights(filters) + width * (width + projection)


def _encoder_weights(filters: int) -> int:
    widths = _widths(filters)
    return sum(9 * (inputs + outputs) * outputs for inputs, outputs in zip([1, *widths[:-1]], widths, strict=True))


def _widths(filters: int) -> list[int]:
    return [filters << level for level in range(_LEVELS + 1)]


def fitted_to_memory(plan: Plan, device: DeviceFacts, processes: int = 1) -> Plan:
    """The plan with ``pretrain.part`` decided from the free memory, and the reason; each process takes a share of the views."""
    views = -(-views_a_step(plan) // processes)
    whole = pretraining_bytes(plan, device.value_bytes, processes=processes)
    part = part_of(views)
    if not device.free_bytes or whole <= _USABLE * device.free_bytes:
        return plan
    less = pretraining_bytes(plan, device.value_bytes, part, processes)
    why = (
        f"{views} views would take {whole / 2**30:.1f} GiB, and {device.free_bytes / 2**30:.1f} GiB are free: the "
        f"first two levels see {part} views at a time, which takes {less / 2**30:.1f} GiB and gives the same result."
    )
    pretrain = dataclasses.replace(plan.pretrain, part=part)
    return dataclasses.replace(plan, pretrain=pretrain, reasons={**plan.reasons, "pretrain.part": why})
