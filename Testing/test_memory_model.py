from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from pcl_core.memory_model import finetuning_bytes, fitted_to_memory, part_of, pretraining_bytes, views_a_step
from pcl_core.networks import in_parts, unet
from pcl_core.networks.unet import Encoder, UNet
from pcl_core.plan import Plan
from pcl_core.presets import DeviceFacts
from Testing.making import tiny_plan

GIB = 2**30


def published(**values: object) -> Plan:
    """64 views of 512 x 512 at f = 32, the paper's largest."""
    return tiny_plan(slices__size=512, network__filters=32, network__projection=512, pretrain__batch=32).override(**values)


def activation_bytes(plan: Plan, views: int) -> int:
    """What PyTorch keeps for the gradients of the encoder, in 32 bits."""
    return kept_bytes(Encoder(plan.network.filters), plan, views)


def kept_bytes(network: nn.Module, plan: Plan, views: int) -> int:
    """What PyTorch keeps for the gradients of a network, in 32 bits."""
    weights = {parameter.untyped_storage().data_ptr() for parameter in network.parameters()}
    held: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        held[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        found = network(torch.rand(views, 1, plan.slices.size, plan.slices.size))
    del found
    return sum(size for place, size in held.items() if place not in weights)


@pytest.mark.parametrize(("side", "filters"), [(64, 16), (96, 8)])
def test_the_model_counts_what_pytorch_keeps(side: int, filters: int) -> None:
    few, many = (tiny_plan(slices__size=side, network__filters=filters, pretrain__batch=batch) for batch in (2, 6))
    counted = pretraining_bytes(many, 4) - pretraining_bytes(few, 4)
    assert counted == pytest.approx(activation_bytes(few, 8), rel=0.05)


@pytest.mark.parametrize(("side", "filters"), [(64, 16), (96, 8)])
def test_a_step_of_the_fine_tuning_is_what_pytorch_keeps_and_the_loss_and_what_the_optimiser_has(
    side: int, filters: int
) -> None:
    few, many = (tiny_plan(slices__size=side, network__filters=filters, finetune__batch=batch) for batch in (2, 6))
    network = UNet(filters, 5)
    # Beside the network: what flows back through its last level, and 24 bytes a class and 60 a pixel.
    beside = 4 * side * side * (3 * 4 * filters + 24 * 5 + 60)
    counted = finetuning_bytes(many, 4, 5) - finetuning_bytes(few, 4, 5) - beside
    assert counted == pytest.approx(kept_bytes(network, few, 4), rel=0.05)
    fixed = finetuning_bytes(few, 4, 5) - (finetuning_bytes(many, 4, 5) - finetuning_bytes(few, 4, 5)) / 2
    assert fixed == pytest.approx(20 * sum(one.numel() for one in network.parameters()), rel=0.02)


def test_the_published_step_takes_what_the_field_reports_and_in_parts_fits_into_8_gb() -> None:
    plan = published()
    assert 9.5 * GIB < pretraining_bytes(plan, 2) < 10.5 * GIB
    assert 17.5 * GIB < pretraining_bytes(plan, 4) < 19 * GIB
    assert pretraining_bytes(plan, 2, part_of(64)) < 5 * GIB


def test_a_small_gpu_gets_parts_with_a_reason_and_a_large_one_does_not() -> None:
    small = fitted_to_memory(published(), DeviceFacts("cuda", 8 * GIB, 7 * GIB, 2))
    assert small.pretrain.part == 8
    assert "64 views would take 10.2 GiB, and 7.0 GiB are free" in small.reasons["pretrain.part"]
    assert Plan.from_json(small.to_json()) == small
    large = fitted_to_memory(published(), DeviceFacts("cuda", 80 * GIB, 79 * GIB, 2))
    assert large == published()


def test_a_gpu_that_others_use_too_counts_by_what_is_free() -> None:
    assert fitted_to_memory(published(), DeviceFacts("cuda", 24 * GIB, 6 * GIB, 2)).pretrain.part == 8


def test_a_device_that_does_not_tell_its_memory_gets_no_parts() -> None:
    assert fitted_to_memory(published(), DeviceFacts("cuda", 0)).pretrain.part == 0


def test_a_part_is_an_eighth_of_the_views_and_at_least_four() -> None:
    assert [part_of(views) for views in (4, 32, 33, 64, 512)] == [4, 4, 5, 8, 64]


def test_methods_differ_in_the_views_that_they_take_gradients_of() -> None:
    found = {name: views_a_step(published(pretrain__method=name)) for name in ("pcl", "rotation", "moco", "pirl")}
    assert found == {"pcl": 64, "rotation": 128, "moco": 32, "pirl": 64}


def test_the_model_knows_the_encoder() -> None:
    from pcl_core import memory_model  # noqa: PLC0415 (its private numbers mirror those of modules that import torch)

    assert (memory_model._LEVELS, memory_model._LEVELS_IN_PARTS) == (unet.LEVELS, in_parts.LEVELS_IN_PARTS)
    counted = memory_model._weights(8, 16)
    encoder = sum(one.numel() for one in Encoder(8).parameters() if one.dim() == 4)
    assert counted == encoder + 128 * (128 + 16)
