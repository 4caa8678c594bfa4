"""PIRL: the embedding of a slice and that of its jigsaw are the same, and unlike those of other slices."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from pcl_core.networks.unet import STRIDE, Encoder
from pcl_core.pretext.task import Forward, PretextTask
from pcl_core.slices.augmentation import Augmenter
from pcl_core.slices.batch import SliceBatch

_CELLS = 3
_MOST_NEGATIVES = 4096
_KEPT = 0.5  # share of the old embedding in the memory bank
_LAMBDA = 0.5


class PIRL(PretextTask):
    """Pretext-invariant representation learning with the jigsaw task (Misra and van der Maaten 2020).

    L = lambda NCE(m, g) + (1 - lambda) NCE(m, f) (their Eq. 5), lambda = 0.5, where f is the embedding of a view, g that of
    the jigsaw of its 3 x 3 cells, m the slice's entry in a memory bank, and

        NCE(m, v) = - log h(v, m) - sum_k log(1 - h(v, m_k)),  h(v, m) = exp(s(v, m)/tau) / sum_{m, m_1..m_K} exp(s(v, .)/tau)

    over K random other entries (their Eqs. 3 and 4). The bank is a moving average (0.5) of the f of past steps.

    Shapes: views (N, 1, S, S), cells (9N, 1, S', S'), f and g (N, D), the bank (rows, D).

    Deviations: the jigsaw is cut from the view that f embeds, not from another; the bank begins with random unit vectors, not
    with embeddings of the untrained network; D is the plan's (512), not 128; cells are cut from the view resized to three times
    a multiple of 16, which the encoder needs, without gaps or jitter; K = min(4096, slices - 1).

    Attributes:
        temperature: tau.
        bank: (rows, projection) unit vectors.
    """

    name = "pirl"
    bank: Tensor

    def __init__(self, width: int, projection: int, temperature: float, rows: int, generator: torch.Generator) -> None:
        super().__init__()
        self.temperature = temperature
        self.image_head = nn.Sequential(_Pool(), nn.Linear(width, projection))
        self.cell_head = nn.Sequential(_Pool(), nn.Linear(width, projection))
        self.join = nn.Linear(_CELLS**2 * projection, projection)
        self.register_buffer("bank", functional.normalize(torch.randn(rows, projection, generator=generator), dim=1))
        self._seen: tuple[Tensor, Tensor] | None = None

    def loss(self, forward: Forward, batch: SliceBatch, augment: Augmenter, generator: torch.Generator) -> Tensor:
        """Eq. 5 on one view of each slice and its jigsaw."""
        views, _ = augment(batch.images, generator)
        image = functional.normalize(forward(views, self.image_head), dim=1)
        cells = forward(jigsaw(views, generator), self.cell_head)
        jig = functional.normalize(self.join(cells.reshape(len(views), -1)), dim=1)
        self._seen = (batch.row, image.detach())
        negatives = self._negatives(batch.row, generator)
        own = self.bank[batch.row]
        return _LAMBDA * self._nce(jig, own, negatives) + (1 - _LAMBDA) * self._nce(image, own, negatives)

    def collapse(self, loss: float, batch: SliceBatch) -> float:
        """1 when all similarities are the same, which gives ln(K + 1) + K ln((K + 1) / K)."""
        k = self._negative_count()
        return loss / (math.log(k + 1) + k * math.log1p(1 / k)) if k else 1.0

    @torch.no_grad()
    def after_step(self, encoder: Encoder) -> None:
        """Moves the bank's entries of the batch towards their new embeddings."""
        if self._seen is not None:
            row, image = self._seen
            self.bank[row] = functional.normalize(_KEPT * self.bank[row] + (1 - _KEPT) * image, dim=1)
            self._seen = None

    def _negative_count(self) -> int:
        return min(_MOST_NEGATIVES, len(self.bank) - 1)

    def _negatives(self, row: Tensor, generator: torch.Generator) -> Tensor:
        """(N, K, D) entries of other slices, drawn with replacement."""
        drawn = torch.randint(max(1, len(self.bank) - 1), (len(row), self._negative_count()), generator=generator).to(
            row.device
        )
        return self.bank[drawn + (drawn >= row[:, None])]

    def _nce(self, found: Tensor, own: Tensor, negatives: Tensor) -> Tensor:
        positive = (found * own).sum(dim=1, keepdim=True)
        other = torch.einsum("nd,nkd->nk", found, negatives)
        log_share = (torch.cat([positive, other], dim=1) / self.temperature).log_softmax(dim=1)
        # log(1 - h) of the negatives; h is never quite 1 in exact arithmetic, only in rounding.
        rejected = torch.log1p(-log_share[:, 1:].exp().clamp_max(1 - 1e-6))
        return -(log_share[:, 0] + rejected.sum(dim=1)).mean()


class _Pool(nn.Module):
    """Global average pool: (B, C, H, W) -> (B, C)."""

    def forward(self, features: Tensor) -> Tensor:
        return features.mean(dim=(2, 3))


def jigsaw(views: Tensor, generator: torch.Generator) -> Tensor:
    """Cuts each view into 3 x 3 square cells and puts them in random order.

    Args:
        views: (N, 1, S, S).
        generator: draws an order for each view.

    Returns:
        (9N, 1, c, c), the nine cells of a view after each other; c is the multiple of 16 nearest to S / 3, at least 16.
    """
    side = max(STRIDE, round(views.shape[-1] / _CELLS / STRIDE) * STRIDE)
    whole = functional.interpolate(views, size=_CELLS * side, mode="bilinear", align_corners=False)
    cells = whole.unfold(2, side, side).unfold(3, side, side)  # (N, 1, 3, 3, c, c)
    cells = cells.reshape(len(views), _CELLS**2, 1, side, side)
    order = torch.rand(len(views), _CELLS**2, generator=generator).argsort(dim=1).to(views.device)
    return cells[torch.arange(len(views), device=views.device)[:, None], order].flatten(0, 1)
