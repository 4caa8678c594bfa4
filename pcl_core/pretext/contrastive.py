"""The contrastive loss that SimCLR, GCL and PCL share; they differ in one matrix of weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional


def contrastive_loss(embeddings: Tensor, weights: Tensor, temperature: float) -> Tensor:
    """Mean over the anchors of Eq. 2 of Zeng et al. 2021 (there a sum, Eq. 1), after Khosla et al. 2020.

    For anchor i with positives P(i) = {j : weights[i, j] > 0},

        L_i = - sum_j w_ij log( exp(s_ij / tau) / sum_{k != i} exp(s_ik / tau) ) / sum_j w_ij

    where s is the cosine similarity. With weights of 0 and 1 this is Eq. 2; all embeddings equal gives ln(M - 1).

    Args:
        embeddings: (M, D), not normalised; M = 2N views.
        weights: (M, M), at least 0. The diagonal is ignored. An anchor without positives takes no part.
        temperature: tau, above 0.

    Returns:
        a scalar, in 32 bits whatever the embeddings' precision.
    """
    unit = functional.normalize(embeddings.float(), dim=1)
    logits = unit @ unit.T / temperature
    itself = torch.eye(len(logits), dtype=torch.bool, device=logits.device)
    log_probability = functional.log_softmax(logits.masked_fill(itself, -math.inf), dim=1).masked_fill(itself, 0)
    positive = weights.to(logits).masked_fill(itself, 0)
    mass = positive.sum(dim=1)
    per_anchor = -(positive * log_probability).sum(dim=1) / mass.clamp_min(torch.finfo(mass.dtype).tiny)
    takes_part = mass > 0  # others are 0 already: choosing by them would hold a GPU up
    return per_anchor.sum() / takes_part.sum().clamp_min(1)


# A figure of collapse above this means that no slice is told from another.
COLLAPSED = 0.98


def collapse(loss: float, weights: Tensor) -> float:
    """How near a loss is to that of embeddings that are all the same: 1 is collapsed, 0 the best that can be had.

    (L - H) / (ln(M - 1) - H), where H is the mean entropy of the anchors' weights: no embeddings have a lower loss. With
    weights of 0 and 1 it is the mean of ln|P|, the loss of perfectly separated groups. When everything is positive both ends
    fall together and the figure is 1.

    Args:
        loss: a value of contrastive_loss.
        weights: the (M, M) weights that it was computed with.
    """
    positive = weights.double().clone().fill_diagonal_(0)
    positive = positive[positive.sum(dim=1) > 0]
    if not len(positive):
        return 1.0
    share = positive / positive.sum(dim=1, keepdim=True)
    floor = float(torch.special.entr(share).sum(dim=1).mean())
    ceiling = math.log(len(weights) - 1)
    return (loss - floor) / (ceiling - floor) if ceiling - floor > 1e-9 else 1.0
