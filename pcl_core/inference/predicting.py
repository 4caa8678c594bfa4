"""A trained model labels a volume on the volume's own grid."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pcl_core.cancellation import Cancellation
from pcl_core.errors import CancelledError
from pcl_core.inference.folding import folded
from pcl_core.networks.unet import UNet
from pcl_core.slices.preparing import SliceGrid, preparation
from pcl_core.training.devices import autocast, channels_last, explained_memory, more_memory, on_device
from pcl_core.training.weights import SegmentClass, WeightFile, fill, load_weights
from pcl_core.volumes.volume import Volume

# Pixels of slices that go through the network at once; a 2-core machine is not faster with more.
_PIXELS_AT_ONCE = {"cpu": 8 * 128**2, "cuda": 32 * 256**2}
# Rotation in degrees and scale of the extra looks of test-time augmentation; mirroring would swap left and right.
_LOOKS = ((0.0, 1.0), (10.0, 1.0), (-10.0, 1.0), (0.0, 0.9), (0.0, 1.1))


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a model says about a volume.

    Attributes:
        labels: (z, y, x) label values on the volume's own grid, 8-bit, or 16-bit where a class has a larger value.
        probabilities: (classes + 1, z, y, x) uint8, probability times 255, background first; None unless asked for.
        confidence: (z, y, x) uint8, probability of the label in percent; None unless asked for.
    """

    labels: np.ndarray
    probabilities: np.ndarray | None
    confidence: np.ndarray | None = None


class Predictor:
    """A model that is ready to label volumes.

    Example:
        predictor = Predictor.load(Path("model.safetensors"), torch.device("cpu"))
        labels = predictor.predict(read_volume(source)).labels
    """

    def __init__(self, network: torch.nn.Module, about: WeightFile, device: torch.device) -> None:
        self.about = about
        self.device = device
        values = [0, *(entry.value for entry in about.classes)]
        self.values = np.array(values, dtype=np.min_scalar_type(max(values)))
        self._network = on_device(folded(network), device)

    @classmethod
    def load(cls, path: Path, device: torch.device) -> Predictor:
        """Reads a model that finetune wrote.

        Raises:
            InputError: it is no such file.
            OutOfMemoryError: with a hint.
        """
        with explained_memory(more_memory(device)):
            tensors, about = load_weights(path, "unet")
            network = UNet(about.plan.network.filters, 1 + len(about.classes))
            fill(network, tensors, path, "Give the file that finetune wrote.")
            return cls(network, about, device)

    @property
    def classes(self) -> tuple[SegmentClass, ...]:
        """The foreground classes."""
        return self.about.classes

    def predict(
        self,
        volume: Volume,
        tta: bool = False,
        probabilities: bool = False,
        cancellation: Cancellation | None = None,
        advanced: Callable[[int], None] | None = None,
        confidence: bool = False,
    ) -> Prediction:
        """Labels a volume: logits are resampled to the native pixels, then the largest wins.

        Args:
            volume: any size; slices larger than the plan's are padded up to a multiple of 16, not cut.
            tta: averages over five small rotations and scales, at five times the cost.
            probabilities: are returned too.
            cancellation: is looked at between batches.
            advanced: is called with the number of slices that are done.
            confidence: is returned too.

        Raises:
            InputError: the volume is constant or holds values that are not numbers.
            CancelledError: somebody asked to stop.
            OutOfMemoryError: with a hint.
        """
        with explained_memory(more_memory(self.device)):
            prepared = preparation(volume, self.about.plan.slices, shrink=False)
            grid = prepared.grid
            slices, rows, columns = grid.view.shape
            labels = np.empty(grid.view.shape, dtype=self.values.dtype)
            kept = np.empty((len(self.values), *grid.view.shape), dtype=np.uint8) if probabilities else None
            sure = np.empty(grid.view.shape, dtype=np.uint8) if confidence else None
            at_once = max(1, _PIXELS_AT_ONCE[self.device.type] // max(grid.side**2, rows * columns))
            for first in range(0, slices, at_once):
                if cancellation is not None and cancellation.requested:
                    raise CancelledError()
                part = slice(first, min(first + at_once, slices))
                logits = self._logits(prepared.images(part), grid, tta)
                labels[part] = self.values[logits.argmax(dim=1).cpu().numpy()]
                if kept is not None:
                    kept[:, part] = (logits.softmax(dim=1) * 255).round().byte().cpu().numpy().swapaxes(0, 1)
                if sure is not None:
                    sure[part] = (logits.softmax(dim=1).amax(dim=1) * 100).round().byte().cpu().numpy()
                if advanced is not None:
                    advanced(part.stop)
        return Prediction(
            np.ascontiguousarray(grid.view.invert(labels)),
            None if kept is None else np.stack([np.ascontiguousarray(grid.view.invert(channel)) for channel in kept]),
            None if sure is None else np.ascontiguousarray(grid.view.invert(sure)),
        )

    @torch.inference_mode()
    def _logits(self, images: np.ndarray, grid: SliceGrid, tta: bool) -> Tensor:
        """Logits (B, C, rows, columns) on the native pixels of slices (B, side, side)."""
        batch = torch.from_numpy(images)[:, None].to(self.device, torch.float32)
        logits = torch.stack([self._look(batch, *look) for look in _LOOKS]).mean(0) if tta else self._forward(batch)
        rows, columns = grid.window
        native = (grid.view.shape[1], grid.view.shape[2])
        if grid.pixels == native:
            return logits[:, :, rows, columns]
        return functional.interpolate(logits[:, :, rows, columns], size=native, mode="bilinear", align_corners=False)

    def _forward(self, batch: Tensor) -> Tensor:
        with autocast(self.device):
            logits: Tensor = self._network(channels_last(batch))
        return logits.float()

    def _look(self, batch: Tensor, degrees: float, scale: float) -> Tensor:
        """Logits of a rotated and scaled look, turned back; the network is not linear, so looks differ."""
        if degrees == 0 and scale == 1:
            return self._forward(batch)
        angle = math.radians(degrees)
        turn = torch.tensor([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        there, back = turn / scale, turn.T * scale
        return _warp(self._forward(_warp(batch, there)), back)


def _warp(batch: Tensor, linear: Tensor) -> Tensor:
    theta = torch.cat([linear, torch.zeros(2, 1)], dim=1).to(batch).expand(len(batch), 2, 3)
    grid = functional.affine_grid(theta, list(batch.shape), align_corners=False)
    return functional.grid_sample(batch, grid, padding_mode="border", align_corners=False)
