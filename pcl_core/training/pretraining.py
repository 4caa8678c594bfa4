"""Pretrains an encoder on the slices of a bank by a pretext task (paper, sections 3.1 and 4.1)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pcl_core.errors import InputError
from pcl_core.gpu_memory import kept_to_the_gpu
from pcl_core.memory_model import pretraining_bytes, views_a_step
from pcl_core.networks.blocks import initialise
from pcl_core.networks.joining import process_count
from pcl_core.networks.unet import Encoder
from pcl_core.plan import Plan, steps_in
from pcl_core.pretext.contrastive import COLLAPSED
from pcl_core.pretext.positives import partition
from pcl_core.pretext.registry import make_task
from pcl_core.slices.augmentation import Augmenter
from pcl_core.slices.bank import SliceBank
from pcl_core.slices.batch import SliceBatch
from pcl_core.slices.loading import loader_for, moved
from pcl_core.slices.placing import place
from pcl_core.training.compiling import Compiled, modes_of
from pcl_core.training.context import Context
from pcl_core.training.descent import Descent, sgd
from pcl_core.training.devices import compute_type, less_memory
from pcl_core.training.gradients import Gradients
from pcl_core.training.history import Row
from pcl_core.training.loop import Loop
from pcl_core.training.objective import Objective
from pcl_core.training.schedules import cosine
from pcl_core.training.seeding import epoch_batches, generator_for, partition_batches
from pcl_core.training.state import STATE_FOLDER, first_step, load_state, save_state
from pcl_core.training.weights import WeightFile, save_weights

ENCODER_FILE = "encoder.safetensors"
METRICS_FILE = "metrics.csv"
# A checkpoint follows each epoch, unless the last one is younger: writing takes half a second, as long as epochs on a fast GPU.
_CHECKPOINT_SECONDS = 30.0
# Methods that go by the positions of slices in their volumes.
_BY_POSITION = ("pcl", "gcl", "gcl-gd", "moco-pcl")


@dataclass(frozen=True)
class Pretrained:
    """What a pretraining ended with.

    Attributes:
        encoder: the weight file.
        steps: that were done.
        loss: mean over the last reported steps.
        collapse: at the end; 1 is collapsed, 0 the best.
        rows: of metrics.csv.
    """

    encoder: Path
    steps: int
    loss: float
    collapse: float
    rows: list[Row]


def pretrain(
    bank: SliceBank,
    plan: Plan,
    out: Path,
    context: Context,
    resume: bool = False,
) -> Pretrained:
    """Pretrains an encoder and writes ``encoder.safetensors``, ``metrics.csv``, ``plan.json`` and ``state/`` into ``out``.

    Args:
        bank: prepared slices.
        plan: network and pretraining.
        out: folder.
        context: device, seed, reporter, cancellation.
        resume: goes on from ``out/state`` when there is one. On the CPU the result is that of an unbroken run, bit for bit.

    Raises:
        InputError: the state in ``out`` is of another run, or files cannot be written.
        OutOfMemoryError: with the next smaller batch as its hint.
        CancelledError: a checkpoint and the encoder so far are kept.
    """
    with less_memory(plan.pretrain.batch, least=2), kept_to_the_gpu(context.device):
        run = _Pretraining(placed(bank, plan, context), plan, out, context)
        start = first_step(run.restore, out, plan, context, resume)
        files = (out / METRICS_FILE, out / STATE_FOLDER)
        loop = Loop("pretrain", run.total, run.per_epoch, run.per_epoch, *files, context, _CHECKPOINT_SECONDS)
        rows = loop.run(run, start)
    last = rows[-1] if rows else {"loss": math.nan, "collapse": math.nan}  # resumed when done, and the curve is lost
    if last["collapse"] > COLLAPSED:
        context.reporter.warning(
            f"The embeddings are all the same (collapse figure {last['collapse']:.2f} of 1): the encoder has learned "
            "nothing. Use more steps, a lower --learning-rate, or another --threshold."
        )
    if context.first:
        run.keep(run.total)
    return Pretrained(out / ENCODER_FILE, run.total, last["loss"], last["collapse"], rows)


def placed(bank: SliceBank, plan: Plan, context: Context) -> SliceBank:
    """The bank with the positions that the plan asks for; tells which volumes turned out to be stored the other way round."""
    bank = place(bank, plan.pretrain.position)
    turned = [name for name, placement in bank.placements.items() if placement.flipped and name not in bank.flipped]
    if turned:
        some = ", ".join(turned[:5]) + (", ..." if len(turned) > 5 else "")
        words = f"{len(turned)} volumes run the other way than most; their positions are turned round: {some}."
        context.reporter.warning(words)
    return bank


class _Pretraining:
    """One pretraining: the network, its optimiser, and how a step is done."""

    def __init__(self, bank: SliceBank, plan: Plan, out: Path, context: Context) -> None:
        self.bank, self.plan, self.out = bank, plan, out
        self.device, self.seed = context.device, context.seed
        self.rows = bank.rows
        self.index, self.count = bank.positions()
        if len(self.rows) == 1:
            raise InputError(f"{bank.volumes[0].id} has one slice, and there is no other to tell it from.", "Add volumes.")
        if self.count.max() == 1 and plan.pretrain.method in _BY_POSITION:
            context.reporter.warning(
                "No volume has more than one slice, so their positions say nothing: --method simclr suits such slices."
            )
        self.per_epoch = -(-len(self.rows) // plan.pretrain.batch)
        self.total = steps_in(plan.pretrain.steps, plan.pretrain.epochs, len(self.rows), plan.pretrain.batch)
        self.augment = Augmenter(plan.pretrain.augmentation)
        self.network = self._network(context)
        self.encoder, self.task = self.network.encoder, self.network.task
        optimiser = sgd(self.network.parameters(), self.device, plan.pretrain.momentum, plan.pretrain.weight_decay)
        self.gradients = Gradients(self.network, Descent(optimiser, self.device), views_a_step(plan), context.reporter)
        step_bytes = pretraining_bytes(plan, compute_type(self.device).itemsize, plan.pretrain.part, process_count())
        self.loader = loader_for(bank.images, self.device, step_bytes)
        told = {"flipped": sorted(bank.flipped)} if bank.flipped else {}
        training = {"seed": self.seed, **told}
        self.about = WeightFile("encoder", plan, training=training, data={v.id: v.hash for v in bank.volumes})
        self.reporter = context.reporter
        self._seen: list[tuple[Tensor, SliceBatch]] = []  # loss and batch (without its images) of each step since a report
        self._warned = False
        self._order: tuple[int, list[np.ndarray]] = (-1, [])
        smallest = min(len(rows) for rows in self._epoch(0))
        if smallest < process_count():
            raise InputError(
                f"A batch of {smallest} slices is too small for {process_count()} processes.",
                "Use fewer processes, or a larger --batch.",
            )

    def _network(self, context: Context) -> Objective:
        weights = generator_for(self.seed, "weights")
        encoder = Encoder(self.plan.network.filters)
        initialise(encoder, weights)
        task = make_task(self.plan, encoder, len(self.bank.images), weights)
        plan = self.plan.pretrain
        modes = modes_of(plan.compiled, plan.graphs, self.device, process_count())
        compiled = Compiled(modes, context.reporter)
        return Objective(encoder, task, self.device, plan.part, compiled)

    def restore(self) -> int:
        return load_state(self.out / STATE_FOLDER, {"network": self.network}, self.gradients.descent, self.about)

    def train_step(self, step: int) -> int:
        batch = self._batch(step)
        self.network.train()
        loss = self.gradients.of(batch, self.augment, lambda: generator_for(self.seed, "views", step))
        self.gradients.descent.step(cosine(step, self.total, self.plan.pretrain.learning_rate, self.plan.pretrain.warmup))
        self.task.after_step(self.encoder)
        self._seen.append((loss, replace(batch, images=batch.images.new_empty(0))))  # a slice would hold them all
        return len(batch.index)

    def figures(self, step: int) -> Row:
        losses = torch.stack([loss for loss, _ in self._seen]).tolist()
        collapse = sum(self.task.collapse(loss, batch) for loss, (_, batch) in zip(losses, self._seen, strict=True))
        row = {"loss": sum(losses) / len(losses), "collapse": collapse / len(losses)}
        self._seen.clear()
        self._warn_early(row["collapse"], step)
        rate = cosine(step - 1, self.total, self.plan.pretrain.learning_rate, self.plan.pretrain.warmup)
        return {**row, "learning_rate": rate}

    def _warn_early(self, collapse: float, step: int) -> None:
        if collapse > COLLAPSED and max(20, self.total // 4) < step < self.total and not self._warned:
            self._warned = True
            self.reporter.warning(
                f"After {step} of {self.total} steps the embeddings are still all the same (collapse figure {collapse:.2f} "
                "of 1). If that stays, cancel, and use a lower --learning-rate or another --threshold."
            )

    def save(self, step: int) -> None:
        save_state(self.out / STATE_FOLDER, {"network": self.network}, self.gradients.descent, step, self.about)

    def keep(self, step: int) -> None:
        training = {**self.about.training, "steps": step, "of_steps": self.total, "method": self.task.name}
        about = WeightFile("encoder", self.plan, training=training, data=self.about.data)
        save_weights(self.out / ENCODER_FILE, self.encoder.state_dict(), about)

    def _epoch(self, epoch: int) -> list[np.ndarray]:
        batch = self.plan.pretrain.batch
        if self.task.sampling == "slices":
            return epoch_batches(self.rows, batch, self.seed, epoch)
        index, count = (torch.from_numpy(values[self.rows]) for values in (self.index, self.count))
        volume = np.repeat(np.arange(len(self.bank.volumes)), [one.count for one in self.bank.volumes])
        return partition_batches(self.rows, partition(index, count).numpy(), volume, batch, self.seed, epoch)

    def _batch(self, step: int) -> SliceBatch:
        epoch, within = divmod(step, self.per_epoch)
        if self._order[0] != epoch:
            self._order = (epoch, self._epoch(epoch))
        rows, *more = (np.sort(rows) for rows in self._order[1][within : within + 2])  # neighbours are read together
        return SliceBatch(
            images=self.loader.images(rows, more[0] if more else None),
            index=moved(torch.from_numpy(self.index[rows]), self.device),
            count=moved(torch.from_numpy(self.count[rows]), self.device),
            row=moved(torch.from_numpy(rows), self.device),
        )
