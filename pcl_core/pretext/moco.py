"""MoCo: keys of a slowly moving encoder wait in a queue; with their positions in it, the queue gives PCL many negatives."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor
from torch.nn import functional

from pcl_core.networks.blocks import initialise
from pcl_core.networks.heads import ProjectionHead
from pcl_core.networks.unet import Encoder
from pcl_core.pretext.positives import closer_than
from pcl_core.pretext.task import Forward, PretextTask
from pcl_core.slices.augmentation import Augmenter
from pcl_core.slices.batch import SliceBatch

_MOMENTUM = 0.999
_LONGEST_QUEUE = 65_536


class MoCo(PretextTask):
    """Momentum contrast (He et al. 2020, their Eqs. 1 and 2), and its positional variant.

    The anchor q is one view of a slice by the trained encoder; the candidates are the other view's key by the momentum
    encoder and the keys in the queue. The loss of an anchor is

        L_q = - 1/|P| sum_{j in P} log( exp(q k_j / tau) / sum_{k in candidates} exp(q k / tau) )

    over its own key and the K keys of the queue, all unit vectors of D values; P is its own key (He et al.) and, with a
    threshold, the queue's keys at positions that differ by less (Eq. 2 of Zeng et al.). The slow encoder follows by
    0.999 old + 0.001 new.

    Deviations: a head with a hidden layer and the plan's outputs (512) in place of a linear one of 128, and the views of PCL;
    no shuffled BatchNorm (one device); the queue is at most as long as there are slices, so that a slice does not meet many old
    keys of its own; a positional queue adds positives, which He et al. do not have.

    Attributes:
        threshold: t, or 0 for MoCo as published.
    """

    name = "moco"
    keys: Tensor
    index: Tensor
    count: Tensor
    filled: Tensor

    def __init__(
        self, encoder: Encoder, projection: int, temperature: float, threshold: float, rows: int, name: str = "moco"
    ) -> None:
        super().__init__()
        self.name = name
        self.temperature = temperature
        self.threshold = threshold
        self.head = ProjectionHead(encoder.width, projection)
        self.slow_encoder = copy.deepcopy(encoder).requires_grad_(False)
        self.slow_head = copy.deepcopy(self.head).requires_grad_(False)
        length = min(_LONGEST_QUEUE, rows)
        self.register_buffer("keys", torch.zeros(length, projection))
        self.register_buffer("index", torch.zeros(length, dtype=torch.long))
        self.register_buffer("count", torch.ones(length, dtype=torch.long))
        self.register_buffer("filled", torch.zeros((), dtype=torch.long))  # keys that were ever put in
        self._new: tuple[Tensor, SliceBatch] | None = None
        self._bounds = (torch.zeros(()), torch.zeros(()))

    def initialise(self, generator: torch.Generator) -> None:
        """Draws the head's first weights; the slow head begins as its copy, as the slow encoder did."""
        initialise(self.head, generator)
        self.slow_head.load_state_dict(self.head.state_dict())

    def loss(self, forward: Forward, batch: SliceBatch, augment: Augmenter, generator: torch.Generator) -> Tensor:
        """Eq. 2 with queries as anchors and keys as candidates."""
        queries, _ = augment(batch.images, generator)
        views, _ = augment(batch.images, generator)
        query = functional.normalize(forward(queries, self.head), dim=1)
        with torch.no_grad():
            key = functional.normalize(forward(views, self.slow_head, self.slow_encoder), dim=1)
        self._new = (key, batch)
        own = (query * key).sum(dim=1, keepdim=True)
        length = self._length()
        share = (torch.cat([own, query @ self.keys[:length].T], dim=1) / self.temperature).log_softmax(dim=1)
        positive = self._positives(batch)
        self._bounds = (positive.sum(dim=1).log().mean(), positive.new_tensor(math.log(1 + length)))
        return -((share * positive).sum(dim=1) / positive.sum(dim=1)).mean()

    def collapse(self, loss: float, batch: SliceBatch) -> float:
        """1 when all candidates of the last step were equally similar, which gives ln(1 + length of the queue)."""
        floor, ceiling = (float(bound) for bound in self._bounds)
        return (loss - floor) / (ceiling - floor) if ceiling - floor > 1e-9 else 1.0

    @torch.no_grad()
    def after_step(self, encoder: Encoder) -> None:
        """Moves the slow encoder by a thousandth and puts the new keys into the queue, over the oldest."""
        for slow, fast in ((self.slow_encoder, encoder), (self.slow_head, self.head)):
            for old, new in zip(slow.parameters(), fast.parameters(), strict=True):
                old.lerp_(new, 1 - _MOMENTUM)
        if self._new is not None:
            key, batch = self._new
            place = (self.filled + torch.arange(len(key), device=key.device)) % len(self.keys)
            self.keys[place], self.index[place], self.count[place] = key, batch.index, batch.count
            self.filled += len(key)
            self._new = None

    def _length(self) -> int:
        return min(int(self.filled), len(self.keys))

    def _positives(self, batch: SliceBatch) -> Tensor:
        """(N, 1 + length) weights: the own key, and the queue's keys at close positions."""
        length = self._length()
        own = torch.ones(len(batch.index), 1, device=batch.index.device)
        others = (self.index[:length], self.count[:length])
        return torch.cat([own, closer_than(batch.index, batch.count, self.threshold, others).float()], dim=1)
