"""The plain way of doing it, as a baseline: elastic and cubic views by worker processes, 32 bits, contiguous, two passes."""

from __future__ import annotations

import itertools
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import torch
from scipy import ndimage
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from pcl_core.bench.machine import synchronise
from pcl_core.networks.heads import PretextNetwork, ProjectionHead
from pcl_core.networks.unet import Encoder, UNet
from pcl_core.pretext.contrastive import contrastive_loss
from pcl_core.training.devices import usable_cores
from pcl_core.training.losses import cross_entropy

_WARM = 4
_AT_LEAST = 4
_SECONDS = 8.0


def plain_view(image: np.ndarray, random: np.random.Generator, order: int = 3) -> np.ndarray:
    """One view (S, S) by rotation and elastic deformation, interpolated on the processor; cubic by default."""
    side = image.shape[0]
    shift = [ndimage.gaussian_filter(random.standard_normal((side, side)), side / 8) * side / 3 for _ in range(2)]
    angle = random.uniform(0, 2 * np.pi)
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    turned = [np.cos(angle) * rows - np.sin(angle) * columns, np.sin(angle) * rows + np.cos(angle) * columns]
    places = [axis + move + (side - 1) / 2 for axis, move in zip(turned, shift, strict=True)]
    view: np.ndarray = ndimage.map_coordinates(image, places, order=order)
    return view


class _Views(Dataset[tuple[Tensor, Tensor]]):
    """Two views of a slice, or (fine-tuning) one and its labels."""

    def __init__(self, count: int, side: int, labelled: bool) -> None:
        self.images = np.random.default_rng(0).random((count, side, side), dtype=np.float32)
        self.labelled = labelled

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> tuple[Tensor, Tensor]:
        random = np.random.default_rng(row)
        first = torch.from_numpy(plain_view(self.images[row], random))[None]
        if self.labelled:
            labels = plain_view((self.images[row] * 4).astype(np.uint8), random, order=0)
            return first, torch.from_numpy(labels).long()
        return first, torch.from_numpy(plain_view(self.images[row], random))[None]


@dataclass(frozen=True)
class Parts:
    """Seconds of the parts of a plain step, without loading."""

    forward: float
    backward: float
    optimiser: float


class PlainPretraining:
    """Encoder and head as published: two passes in 32 bits, contrastive loss, SGD."""

    def __init__(self, side: int, filters: int, batch: int, device: torch.device) -> None:
        self.device, self.side, self.batch = device, side, batch
        encoder = Encoder(filters)
        network = PretextNetwork(encoder, ProjectionHead(encoder.width, 512), torch.Generator().manual_seed(0))
        self.network = network.to(device)
        self.optimiser = torch.optim.SGD(self.network.parameters(), lr=0.01, momentum=0.9, foreach=False)
        self.weights = torch.ones(2 * batch, 2 * batch, device=device)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """The loss of a batch."""
        return contrastive_loss(torch.cat([self.network(first), self.network(second)]), self.weights, 0.1)

    def step(self, first: Tensor, second: Tensor) -> None:
        """One step of the training."""
        loss = self.forward(first.to(self.device), second.to(self.device))
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()

    def parts(self) -> Parts:
        """Times the parts on random images: the fastest of three rounds."""
        images = torch.rand(self.batch, 1, self.side, self.side, device=self.device)
        rounds = [self._timed(images) for _ in range(3)]
        return Parts(*(min(one[k] for one in rounds) for k in range(3)))

    def _timed(self, images: Tensor) -> tuple[float, float, float]:
        marks = [time.perf_counter()]
        loss = self.forward(images, images)
        self._mark(marks)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._mark(marks)
        self.optimiser.step()
        self._mark(marks)
        return marks[1] - marks[0], marks[2] - marks[1], marks[3] - marks[2]

    def _mark(self, marks: list[float]) -> None:
        synchronise(self.device)
        marks.append(time.perf_counter())


class PlainFinetuning:
    """The U-Net in 32 bits with cross-entropy and Adam."""

    def __init__(self, filters: int, classes: int, device: torch.device) -> None:
        self.device = device
        self.network = UNet(filters, classes, torch.Generator().manual_seed(0)).to(device)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=1e-4, foreach=False)

    def step(self, images: Tensor, target: Tensor) -> None:
        """One step of the training."""
        self.optimiser.zero_grad()
        cross_entropy(self.network(images.to(self.device)), target.to(self.device)).backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()


def with_workers(training: PlainPretraining | PlainFinetuning, side: int, batch: int, device: torch.device) -> float:
    """Seconds a step when as many workers as there are cores make the views: of some seconds, after the first steps."""
    slices = _Views(4 * batch, side, isinstance(training, PlainFinetuning))
    cores = usable_cores()
    # Forking a process whose libraries have threads can lock up.
    loader = DataLoader(
        slices, batch, num_workers=cores, persistent_workers=True, multiprocessing_context=multiprocessing.get_context("spawn")
    )
    batches: Iterator[Any] = itertools.chain.from_iterable(iter(loader) for _ in itertools.count())
    for _ in range(_WARM):
        training.step(*next(batches))
    synchronise(device)
    begin, steps = time.perf_counter(), 0
    while steps < _AT_LEAST or time.perf_counter() - begin < _SECONDS:
        training.step(*next(batches))
        synchronise(device)
        steps += 1
    return (time.perf_counter() - begin) / steps


def read_plainly(paths: list[Path], side: int) -> None:
    """Reads volumes one after the other and resamples them by cubic interpolation."""
    for path in paths:
        voxels = np.asarray(nibabel.load(path).dataobj, dtype=np.float32)  # type: ignore[attr-defined]
        low, high = np.percentile(voxels, [1, 99])
        scaled = (voxels.clip(low, high) - low) / (high - low)
        factors = [min(1.0, side / length) for length in scaled.shape[:2]]
        ndimage.zoom(scaled, [*factors, 1.0], order=3)


@torch.inference_mode()
def label_plainly(network: nn.Module, slices: Tensor) -> None:
    """Labels (N, 1, S, S) one slice after the other in 32 bits."""
    for one in slices:
        network(one[None]).argmax(dim=1).cpu()
