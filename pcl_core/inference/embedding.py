"""Features of slices by a pretrained encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
import torch

from pcl_core.networks.unet import Encoder
from pcl_core.training.devices import autocast, channels_last, explained_memory, more_memory, on_device
from pcl_core.training.weights import WeightFile, fill, load_weights

_PIXELS_AT_ONCE = 32 * 128**2


class EncoderFeatures:
    """Mean and maximum over the bottleneck of an encoder.

    Attributes:
        about: what the weight file says of itself; its plan says how volumes become the slices that the encoder knows.
    """

    def __init__(self, encoder: Encoder, about: WeightFile, device: torch.device) -> None:
        self.about = about
        self._encoder = on_device(encoder, device).eval()
        self._device = device

    @classmethod
    def load(cls, path: Path, device: torch.device) -> Self:
        """Reads an encoder that pretrain wrote.

        Raises:
            InputError: it is no such file.
            OutOfMemoryError: with a hint.
        """
        with explained_memory(more_memory(device)):
            tensors, about = load_weights(path, "encoder")
            encoder = Encoder(about.plan.network.filters)
            fill(encoder, tensors, path, "Give the file that pretrain wrote.")
            return cls(encoder, about, device)

    @torch.inference_mode()
    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Slices (N, S, S) of 0 to 1 -> features (N, 32 f).

        Raises:
            OutOfMemoryError: with a hint.
        """
        at_once = max(1, _PIXELS_AT_ONCE // images[0].size)
        parts = []
        with explained_memory(more_memory(self._device)):
            for first in range(0, len(images), at_once):
                batch = torch.from_numpy(np.asarray(images[first : first + at_once], np.float32))[:, None].to(self._device)
                with autocast(self._device):
                    deepest, _ = self._encoder(channels_last(batch))
                parts.append(torch.cat([deepest.mean(dim=(2, 3)), deepest.amax(dim=(2, 3))], dim=1).float().cpu().numpy())
        return np.concatenate(parts)
