"""The plain way of the published implementation, as a baseline: 32 bits, contiguous, one pass a view, a view at a time."""

from __future__ import annotations

import time

import numpy as np
import torch
from scipy import ndimage
from torch import nn

from pcl_core.bench.machine import synchronise
from pcl_core.networks.heads import PretextNetwork, ProjectionHead
from pcl_core.networks.unet import Encoder, UNet
from pcl_core.pretext.contrastive import contrastive_loss
from pcl_core.training.losses import cross_entropy


def pretraining_step(side: int, filters: int, batch: int, device: torch.device, repeats: int) -> float:
    """Seconds of one step: two passes of the network, loss, backward, SGD; without loading and augmentation."""
    encoder = Encoder(filters)
    network = PretextNetwork(encoder, ProjectionHead(encoder.width, 512), torch.Generator().manual_seed(0)).to(device)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, foreach=False)
    images = torch.rand(batch, 1, side, side, device=device)
    weights = torch.ones(2 * batch, 2 * batch, device=device)

    def step() -> None:
        embeddings = torch.cat([network(images), network(images)])
        optimiser.zero_grad()
        contrastive_loss(embeddings, weights, 0.1).backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return fastest(step, device, repeats)


def finetuning_step(side: int, filters: int, batch: int, classes: int, device: torch.device, repeats: int) -> float:
    """Seconds of one step: the network, cross-entropy, backward, Adam; without loading and augmentation."""
    network = UNet(filters, classes, torch.Generator().manual_seed(0)).to(device)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4, foreach=False)
    images = torch.rand(batch, 1, side, side, device=device)
    target = torch.zeros(batch, side, side, dtype=torch.long, device=device)

    def step() -> None:
        optimiser.zero_grad()
        cross_entropy(network(images), target).backward()  # type: ignore[no-untyped-call]
        optimiser.step()

    return fastest(step, device, repeats)


@torch.inference_mode()
def labelling(network: nn.Module, side: int, device: torch.device) -> float:
    """Seconds of one slice through the network on its own."""
    image = torch.rand(1, 1, side, side, device=device)
    network = network.to(device).eval()
    return fastest(lambda: network(image), device, 5)


def augmented_view(side: int) -> float:
    """Seconds of one view by elastic deformation and cubic interpolation on the CPU."""
    rng = np.random.default_rng(0)
    image = rng.random((side, side))

    def view() -> None:
        shift = [ndimage.gaussian_filter(rng.standard_normal((side, side)), 8) * 20 for _ in range(2)]
        rows, columns = np.mgrid[:side, :side]
        ndimage.map_coordinates(image, [rows + shift[0], columns + shift[1]], order=3)

    return fastest(view, torch.device("cpu"), 5)


def fastest(work: object, device: torch.device, repeats: int) -> float:
    """Seconds of the fastest of some repetitions, after one that is not counted."""
    assert callable(work)
    times = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        work()
        synchronise(device)
        times.append(time.perf_counter() - begin)
    return min(times[1:])
