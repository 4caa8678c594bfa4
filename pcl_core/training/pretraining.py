"""Pretrains an encoder on the slices of a bank by a pretext task (paper, sections 3.1 and 4.1)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pcl_core.errors import InputError
from pcl_core.networks.blocks import initialise
from pcl_core.networks.unet import Encoder
from pcl_core.plan import Plan, steps_in
from pcl_core.pretext.positives import partition
from pcl_core.pretext.registry import make_task
from pcl_core.slices.augmentation import Augmenter
from pcl_core.slices.bank import SliceBank
from pcl_core.slices.batch import SliceBatch
from pcl_core.slices.placing import place
from pcl_core.training.context import Context
from pcl_core.training.devices import autocast, less_memory, on_device
from pcl_core.training.history import Row
from pcl_core.training.loop import Loop
from pcl_core.training.schedules import cosine
from pcl_core.training.seeding import epoch_batches, generator_for, partition_batches
from pcl_core.training.state import STATE_FOLDER, first_step, load_state, save_state
from pcl_core.training.weights import WeightFile, save_weights

ENCODER_FILE = "encoder.safetensors"
METRICS_FILE = "metrics.csv"
# A figure above this means that no slice is told from another.
COLLAPSED = 0.98
# Methods that go by the positions of slices in their volumes.
_BY_POSITION = ("pcl", "gcl")


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
    with less_memory(plan.pretrain.batch, least=2):
        run = _Pretraining(placed(bank, plan, context), plan, out, context)
        start = first_step(run.restore, out, plan, context, resume)
        loop = Loop("pretrain", run.total, run.per_epoch, run.per_epoch, out / METRICS_FILE, out / STATE_FOLDER, context)
        rows = loop.run(run, start)
    last = rows[-1] if rows else {"loss": math.nan, "collapse": math.nan}  # resumed when done, and the curve is lost
    if last["collapse"] > COLLAPSED:
        context.reporter.warning(
            f"The embeddings are all the same (collapse figure {last['collapse']:.2f} of 1): the encoder has learned "
            "nothing. Use more steps, a lower --learning-rate, or another --threshold."
        )
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
        weights = generator_for(self.seed, "weights")
        self.encoder = Encoder(plan.network.filters)
        initialise(self.encoder, weights)
        self.task = make_task(plan, self.encoder, len(bank.images), weights)
        self.network = on_device(nn.ModuleDict({"encoder": self.encoder, "task": self.task}), self.device)
        self.optimiser = torch.optim.SGD(
            [parameter for parameter in self.network.parameters() if parameter.requires_grad],
            lr=plan.pretrain.learning_rate,
            momentum=plan.pretrain.momentum,
            weight_decay=plan.pretrain.weight_decay,
        )
        told = {"flipped": sorted(bank.flipped)} if bank.flipped else {}
        training = {"seed": self.seed, **told}
        self.about = WeightFile("encoder", plan, training=training, data={v.id: v.hash for v in bank.volumes})
        self.reporter = context.reporter
        self._seen: list[tuple[Tensor, SliceBatch]] = []  # loss and batch (without its images) of each step since a report
        self._warned = False
        self._order: tuple[int, list[np.ndarray]] = (-1, [])

    def restore(self) -> int:
        return load_state(self.out / STATE_FOLDER, {"network": self.network}, self.optimiser, self.about)

    def train_step(self, step: int) -> int:
        batch = self._batch(step)
        self.network.train()
        for group in self.optimiser.param_groups:
            group["lr"] = cosine(step, self.total, self.plan.pretrain.learning_rate, self.plan.pretrain.warmup)
        loss = self.task.loss(self._forward, batch, self.augment, generator_for(self.seed, "views", step))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimiser.step()
        self.task.after_step(self.encoder)
        self._seen.append((loss.detach(), replace(batch, images=batch.images[:0])))
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
        save_state(self.out / STATE_FOLDER, {"network": self.network}, self.optimiser, step, self.about)

    def keep(self, step: int) -> None:
        training = {**self.about.training, "steps": step, "of_steps": self.total, "method": self.task.name}
        about = WeightFile("encoder", self.plan, training=training, data=self.about.data)
        save_weights(self.out / ENCODER_FILE, self.encoder.state_dict(), about)

    def _forward(self, images: Tensor, head: nn.Module, encoder: Encoder | None = None) -> Tensor:
        with autocast(self.device):
            features, _ = (encoder or self.encoder)(images.contiguous(memory_format=torch.channels_last))
            outputs: Tensor = head(features)
        return outputs.float()

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
        rows = np.sort(self._order[1][within])  # neighbours in the file are read together
        images = torch.from_numpy(self.bank.images[rows]).to(self.device, torch.float32)
        return SliceBatch(
            images=images[:, None],
            index=torch.from_numpy(self.index[rows]).to(self.device),
            count=torch.from_numpy(self.count[rows]).to(self.device),
            row=torch.from_numpy(rows).to(self.device),
        )
