"""The pretext tasks by name. A new method is one file and one line here."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

import torch

from pcl_core.errors import InputError
from pcl_core.networks.unet import Encoder
from pcl_core.plan import Plan
from pcl_core.pretext.gcl import GCL, GCLGD
from pcl_core.pretext.moco import MoCo
from pcl_core.pretext.pcl import PCL
from pcl_core.pretext.pirl import PIRL
from pcl_core.pretext.rotation import Rotation
from pcl_core.pretext.simclr import SimCLR
from pcl_core.pretext.soft_pcl import SoftPCL
from pcl_core.pretext.task import PretextTask


@dataclass(frozen=True, eq=False)
class _Needs:
    """What a task may be made of: the plan, the encoder, the number of rows of the bank, and random numbers."""

    plan: Plan
    encoder: Encoder
    rows: int
    generator: torch.Generator

    @property
    def embedding(self) -> tuple[int, int, float]:
        """Width of the bottleneck, dimensions of the embedding, temperature."""
        return self.encoder.width, self.plan.network.projection, self.plan.pretrain.temperature


_MAKERS: dict[str, Callable[[_Needs], PretextTask]] = {
    "pcl": lambda of: (SoftPCL if of.plan.pretrain.weighting == "soft" else PCL)(*of.embedding, of.plan.pretrain.threshold),
    "gcl": lambda of: GCL(*of.embedding),
    "gcl-gd": lambda of: GCLGD(*of.embedding),
    "simclr": lambda of: SimCLR(*of.embedding),
    "rotation": lambda of: Rotation(of.encoder.width, of.plan.pretrain.augmentation),
    "pirl": lambda of: PIRL(*of.embedding, of.rows, of.generator),
    "moco": lambda of: MoCo(of.encoder, *of.embedding[1:], 0.0, of.rows),
    "moco-pcl": lambda of: MoCo(of.encoder, *of.embedding[1:], of.plan.pretrain.threshold, of.rows, "moco-pcl"),
}
NAMES = tuple(_MAKERS)


def make_task(plan: Plan, encoder: Encoder, rows: int, generator: torch.Generator) -> PretextTask:
    """The pretext task that a plan names.

    Args:
        plan: method, threshold, temperature, views, dimensions of the embedding.
        encoder: that is trained, with its first weights.
        rows: of the slice bank, for tasks that remember each slice.
        generator: of the heads' first weights, and of what is random in a task's memory.

    Raises:
        InputError: there is no such method (with the nearest valid name), or the plan does not suit it.
    """
    maker = _MAKERS.get(plan.pretrain.method)
    if maker is None:
        near = difflib.get_close_matches(plan.pretrain.method, _MAKERS, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else f"Choose one of {', '.join(_MAKERS)}."
        raise InputError(f"There is no method '{plan.pretrain.method}'.", hint)
    task = maker(_Needs(plan, encoder, rows, generator))
    task.initialise(generator)
    return task
