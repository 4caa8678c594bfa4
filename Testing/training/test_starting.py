"""Going on from a model: all weights, and those of the last layer by class."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pcl_core.errors import InputError
from pcl_core.networks.unet import UNet
from pcl_core.training.starting import Start
from pcl_core.training.weights import SegmentClass, WeightFile, save_weights
from Testing.making import tiny_plan

OUTPUT = "decoder.classify.weight"


def network_of(classes: int, seed: int, filters: int = 4) -> UNet:
    return UNet(filters, 1 + classes, torch.Generator().manual_seed(seed))


def classes_of(*values: int) -> tuple[SegmentClass, ...]:
    return tuple(SegmentClass(value, f"class {value}", (1, 0, 0)) for value in values)


@pytest.fixture
def model(tmp_path) -> tuple[Path, dict[str, torch.Tensor]]:
    """A model of the classes 2 and 5, and its tensors."""
    network = network_of(2, 1)
    path = tmp_path / "model.safetensors"
    save_weights(path, network.state_dict(), WeightFile("unet", tiny_plan(), classes_of(2, 5), {"encoder": "pcl, 9 steps"}))
    return path, {name: tensor.clone() for name, tensor in network.state_dict().items()}


def test_a_model_of_the_same_classes_is_taken_whole(model):
    path, tensors = model
    network = network_of(2, 7)
    count, facts = Start.model(path).fill(network, classes_of(2, 5))
    assert count == len(tensors)
    assert facts["encoder"] == "pcl, 9 steps"
    assert all(torch.equal(value, tensors[name]) for name, value in network.state_dict().items())


def test_weights_of_the_last_layer_follow_their_classes_and_new_ones_stay_random(model):
    path, tensors = model
    network = network_of(3, 7)
    random = network.state_dict()[OUTPUT].clone()
    Start.model(path).fill(network, classes_of(3, 5, 9))
    found = network.state_dict()
    assert all(torch.equal(value, tensors[name]) for name, value in found.items() if name != OUTPUT)
    before = {0: tensors[OUTPUT][0], 5: tensors[OUTPUT][2]}
    expected = torch.stack([before[0], random[1], before[5], random[3]])
    assert torch.equal(found[OUTPUT], expected)


def test_a_model_of_another_width_is_refused(model):
    with pytest.raises(InputError, match="is another network"):
        Start.model(model[0]).fill(network_of(2, 7, filters=8), classes_of(2, 5))


def test_a_model_is_no_encoder(model):
    with pytest.raises(InputError, match="pretrain wrote"):
        Start.encoder(model[0]).fill(network_of(2, 7), classes_of(2, 5))
