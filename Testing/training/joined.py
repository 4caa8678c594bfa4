"""What tests of several processes run in each of them: two steps of every method, as a run does them. Writes what came out.

Called as ``python -m torch.distributed.run ... -m Testing.training.joined FOLDER``, or as a function in a single process.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from pcl_core.events import Reporter
from pcl_core.networks.blocks import initialise
from pcl_core.networks.joining import process_number
from pcl_core.networks.unet import Encoder
from pcl_core.presets import suited_to
from pcl_core.pretext.registry import NAMES, make_task
from pcl_core.processes import World
from pcl_core.slices.augmentation import Augmenter
from pcl_core.slices.batch import SliceBatch
from pcl_core.training.compiling import Compiled
from pcl_core.training.descent import Descent, sgd
from pcl_core.training.gradients import Gradients
from pcl_core.training.objective import Objective
from pcl_core.training.seeding import generator_for
from pcl_core.training.team import team_on
from Testing.making import tiny_plan

CPU = torch.device("cpu")
ROWS = 11
PARTS = (0, 3)


def batch_of(step: int) -> SliceBatch:
    """Seven slices of eleven: no number of views that two processes share evenly is a multiple of the other numbers here."""
    row = torch.randperm(ROWS, generator=torch.Generator().manual_seed(step))[:7]
    image = torch.rand(ROWS, 1, 32, 32, generator=torch.Generator().manual_seed(9))[row]
    images = image * (row.reshape(-1, 1, 1, 1) + 1) / ROWS
    return SliceBatch(images.double(), row % 6, torch.full((7,), 6), row)


def _in_64_bits(objective: Objective) -> None:
    """Networks in 64 bits, so that no LeakyReLU is decided by rounding; what takes embeddings, which are 32 bits, stays."""
    objective.double()
    for name in ("keys", "bank"):
        if hasattr(objective.task, name):
            setattr(objective.task, name, getattr(objective.task, name).float())
    if hasattr(objective.task, "join"):
        objective.task.join.float()


def two_steps(method: str, part: int) -> dict[str, Tensor]:
    """Loss, gradients and buffers of two steps of a method on the processor."""
    plan = suited_to(tiny_plan(), method).override(pretrain__method=method)
    weights = generator_for(0, "weights")
    encoder = Encoder(4)
    initialise(encoder, weights)
    task = make_task(plan, encoder, ROWS, weights)
    objective = Objective(encoder, task, CPU, part, Compiled((), Reporter()), torch.float32)
    _in_64_bits(objective)
    objective.train()
    optimiser = sgd(objective.parameters(), CPU, 0.9, 1e-5)
    gradients = Gradients(objective, Descent(optimiser, CPU), 14, Reporter())
    found: dict[str, Tensor] = {}
    for step in range(2):
        batch = batch_of(step)
        loss = gradients.of(batch, Augmenter(plan.pretrain.augmentation), lambda step=step: generator_for(0, "views", step))
        found[f"{step}.loss"] = loss.reshape(1)
        for name, parameter in objective.named_parameters():
            if parameter.grad is not None:
                found[f"{step}.gradient.{name}"] = parameter.grad.clone(memory_format=torch.contiguous_format)
        gradients.descent.step(0.05)
        task.after_step(encoder)
        found |= {f"{step}.buffer.{name}": buffer.clone() for name, buffer in objective.named_buffers()}
    return found


def all_methods() -> dict[str, Tensor]:
    """two_steps of all methods, with and without parts."""
    return {
        f"{method}/{part}/{name}": value
        for method in NAMES
        for part in PARTS
        for name, value in two_steps(method, part).items()
    }


def main(folder: Path) -> None:
    """Runs in each process."""
    with team_on(CPU, World.of_environment()):
        save_file(all_methods(), folder / f"{process_number()}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
