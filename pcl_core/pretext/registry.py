"""The pretext tasks by name. A new method is one file and one line here.

A method's file is imported when its task is made: the command line offers the names, and is not to wait for PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pcl_core.errors import InputError
from pcl_core.near import nearest
from pcl_core.plan import Plan

if TYPE_CHECKING:
    import torch

    from pcl_core.networks.unet import Encoder
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

    @property
    def threshold(self) -> float:
        """T of the methods that go by positions."""
        return self.plan.pretrain.threshold

    @property
    def soft(self) -> bool:
        """Whether positions count by weights, and not by the threshold."""
        return self.plan.pretrain.weighting == "soft"


def _task(name: str) -> Any:
    """The class of a task, named by its file in this folder and its own name: ``gcl.GCLGD``."""
    file, _, own = name.partition(".")
    return getattr(import_module(f"pcl_core.pretext.{file}"), own)


_MAKERS: dict[str, Callable[[_Needs], PretextTask]] = {
    "pcl": lambda of: _task("soft_pcl.SoftPCL" if of.soft else "pcl.PCL")(*of.embedding, of.threshold),
    "gcl": lambda of: _task("gcl.GCL")(*of.embedding),
    "gcl-gd": lambda of: _task("gcl.GCLGD")(*of.embedding),
    "simclr": lambda of: _task("simclr.SimCLR")(*of.embedding),
    "rotation": lambda of: _task("rotation.Rotation")(of.encoder.width, of.plan.pretrain.augmentation),
    "pirl": lambda of: _task("pirl.PIRL")(*of.embedding, of.rows, of.generator),
    "moco": lambda of: _task("moco.MoCo")(of.encoder, *of.embedding[1:], 0.0, of.rows),
    "moco-pcl": lambda of: _task("moco.MoCo")(of.encoder, *of.embedding[1:], of.threshold, of.rows, "moco-pcl"),
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
        raise InputError(f"There is no method '{plan.pretrain.method}'.", nearest(plan.pretrain.method, _MAKERS))
    task = maker(_Needs(plan, encoder, rows, generator))
    task.initialise(generator)
    return task
