"""What a fine-tuning begins with: random weights, a pretrained encoder, or a model to go on from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import torch
from torch import Tensor

from pcl_core.errors import InputError
from pcl_core.networks.unet import UNet
from pcl_core.slices.bank import content_hash
from pcl_core.training.weights import SegmentClass, WeightFile, load_weights, transfer_encoder

_OUTPUT = "decoder.classify.weight"


@dataclass(frozen=True)
class Start:
    """A weight file to begin with.

    Attributes:
        path: that pretrain or finetune wrote.
        kind: ``encoder``: the decoder begins with random weights; ``unet``: all weights are taken, and those of the last
            layer by class.
    """

    path: Path
    kind: Literal["encoder", "unet"]

    @classmethod
    def encoder(cls, path: Path) -> Self:
        """Begins with an encoder that pretrain wrote."""
        return cls(path, "encoder")

    @classmethod
    def model(cls, path: Path) -> Self:
        """Goes on from a model that finetune wrote."""
        return cls(path, "unet")

    def about(self) -> WeightFile:
        """What the file says of itself. Raises InputError when it is not of this kind."""
        return load_weights(self.path, self.kind)[1]

    def fill(self, network: UNet, classes: Sequence[SegmentClass]) -> tuple[int, dict[str, Any]]:
        """Copies the weights into a network.

        Args:
            network: with random weights; what the file does not hold stays.
            classes: in the order of the network's channels from 1.

        Returns:
            number of tensors that came from the file, and what the weight file of the training says of its start.

        Raises:
            InputError: it is no such file, or tensors are missing or of another shape.
        """
        tensors, about = load_weights(self.path, self.kind)
        if self.kind == "encoder":
            count = transfer_encoder(network.encoder, tensors, self.path)
            words = f"{about.training.get('method', '')}, {about.training.get('steps')} steps"
        else:
            count = _transfer_model(network, classes, tensors, about, self.path)
            words = str(about.training.get("encoder", ""))
        facts = {"encoder": words, "start_hash": content_hash([self.path])}
        return count, facts


def _transfer_model(
    network: UNet, classes: Sequence[SegmentClass], tensors: dict[str, Tensor], about: WeightFile, path: Path
) -> int:
    """Copies all tensors; channels of the last layer go to the classes of the same value, new classes stay random."""
    wanted = network.state_dict()
    for name in [*wanted, *tensors]:
        fits = name in tensors and name in wanted and (name == _OUTPUT or tensors[name].shape == wanted[name].shape)
        if not fits:
            raise InputError(f"The model {path} is another network (the first tensor: {name}).", "Use its own --filters.")
    output = wanted[_OUTPUT].clone()
    before = [0, *(entry.value for entry in about.classes)]
    for channel, value in enumerate([0, *(entry.value for entry in classes)]):
        if value in before:
            output[channel] = tensors[_OUTPUT][before.index(value)]
    with torch.no_grad():
        network.load_state_dict({**tensors, _OUTPUT: output})
    return len(tensors)
