"""Fine-tunes a U-Net on a few annotated cases, from a pretrained encoder, a model, or random weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pcl_core.gpu_memory import kept_to_the_gpu
from pcl_core.memory_model import finetuning_bytes
from pcl_core.networks.unet import UNet
from pcl_core.plan import Plan, steps_in
from pcl_core.slices.augmentation import Augmenter
from pcl_core.slices.bank import SliceBank
from pcl_core.slices.loading import loader_for, moved
from pcl_core.training.averaging import averaged_copy, update_average
from pcl_core.training.best import BestSoFar
from pcl_core.training.cases import Split, annotated_rows, channel_table, new_patients
from pcl_core.training.context import Context
from pcl_core.training.descent import Descent, adamw
from pcl_core.training.devices import autocast, channels_last, compute_type, less_memory, on_device
from pcl_core.training.history import Row
from pcl_core.training.learned import KEY, Learned
from pcl_core.training.loop import Loop
from pcl_core.training.losses import segmentation_loss
from pcl_core.training.pretraining import METRICS_FILE
from pcl_core.training.schedules import cosine
from pcl_core.training.seeding import epoch_batches, generator_for
from pcl_core.training.starting import Start
from pcl_core.training.state import STATE_FOLDER, first_step, load_state, save_state
from pcl_core.training.validation import VALIDATIONS, pooled_dice, validation_due
from pcl_core.training.weights import SegmentClass, WeightFile, save_weights

MODEL_FILE = "model.safetensors"


@dataclass(frozen=True, eq=False)
class Annotations:
    """What is learned from.

    Attributes:
        bank: prepared slices with labels.
        classes: in the order of the network's channels from 1.
        split: volumes to train on, and held-out ones.
        annotated_slices: numbers of the annotated slices of partly annotated volumes, by id.
        learned: what the model to go on from has learned from already.
    """

    bank: SliceBank
    classes: tuple[SegmentClass, ...]
    split: Split
    annotated_slices: Mapping[str, Sequence[int]] = field(default_factory=dict)
    learned: Learned = field(default_factory=Learned)

    @property
    def new_patients(self) -> list[str]:
        """Those of whom nothing was learned before, in order of their names."""
        return new_patients(self.bank.volumes, self.learned.ids)


@dataclass(frozen=True)
class Finetuned:
    """What a fine-tuning ended with.

    Attributes:
        model: the weight file.
        transferred: tensors that came from the file that it began with; 0 without one.
        steps: that were done.
        loss: mean over the last reported steps.
        rows: of metrics.csv.
    """

    model: Path
    transferred: int
    steps: int
    loss: float
    rows: list[Row]


def finetune(
    annotations: Annotations,
    plan: Plan,
    out: Path,
    context: Context,
    begin: Start | None = None,
    resume: bool = False,
) -> Finetuned:
    """Trains a U-Net and writes ``model.safetensors``, ``metrics.csv``, ``plan.json`` and ``state/`` into ``out``.

    The weights at the last step are kept (averaged, when the plan says so): the held-out case does not choose among them, so
    that its Dice is an honest one. A cancelled run has no last step worth the name; it keeps the best on the held-out case.

    Args:
        annotations: slices, labels, classes, split.
        plan: network and fine-tuning.
        out: folder.
        context: device, seed, reporter, cancellation.
        begin: weights to begin with; None begins with random ones.
        resume: goes on from ``out/state`` when there is one.

    Raises:
        InputError: the weights to begin with do not match, the state is of another run, or files cannot be written.
        OutOfMemoryError: with the next smaller batch as its hint.
        CancelledError: a checkpoint and the best model so far (without a held-out case, the last one) are kept.
    """
    with less_memory(plan.finetune.batch, least=1), kept_to_the_gpu(context.device):
        run = _Finetuning(annotations, plan, out, context, begin)
        start = first_step(run.restore, out, plan, context, resume)
        run.best.begin(start)
        loop = Loop("finetune", run.total, run.per_epoch, run.per_checkpoint, out / METRICS_FILE, out / STATE_FOLDER, context)
        rows = loop.run(run, start)
    run.finish()
    return Finetuned(out / MODEL_FILE, run.transferred, run.total, rows[-1]["loss"] if rows else math.nan, rows)


class _Finetuning:
    """One fine-tuning: the networks, the optimiser, and how a step is done."""

    def __init__(self, annotations: Annotations, plan: Plan, out: Path, context: Context, begin: Start | None) -> None:
        self.annotations, self.plan, self.out = annotations, plan, out
        self.device, self.seed = context.device, context.seed
        self.bank = annotations.bank
        self.rows = annotated_rows(self.bank, annotations.split.train, annotations.annotated_slices)
        held_out = annotations.split.held_out
        self.held_out = annotated_rows(self.bank, held_out, annotations.annotated_slices) if held_out else np.array([], int)
        self.batch = min(plan.finetune.batch, len(self.rows))
        self.per_epoch = -(-len(self.rows) // self.batch)
        self.total = steps_in(plan.finetune.steps, plan.finetune.epochs, len(self.rows), self.batch)
        # Epochs of a few cases last a second: checkpoints follow the validations instead.
        self.per_checkpoint = max(self.per_epoch, self.total // VALIDATIONS, 1)
        self.classes = annotations.classes
        self.table = torch.from_numpy(channel_table(self.classes, self.bank.label_values)).to(self.device)
        self.augment = Augmenter(plan.finetune.augmentation)
        network = UNet(plan.network.filters, 1 + len(annotations.classes), generator_for(self.seed, "weights"))
        self.transferred, start = (0, {"encoder": "", "start_hash": ""}) if begin is None else begin.fill(network, self.classes)
        self.network = on_device(network, self.device)
        self.average = averaged_copy(self.network)
        optimiser = adamw(self.network.parameters(), self.device, plan.finetune.weight_decay)
        self.descent = Descent(optimiser, self.device)
        step_bytes = finetuning_bytes(plan, compute_type(self.device).itemsize, 1 + len(self.classes))
        self.loader = loader_for(self.bank.images, self.device, step_bytes)
        self.about = WeightFile(
            "unet",
            plan,
            annotations.classes,
            {
                "seed": self.seed,
                **start,
                "tensors_transferred": self.transferred,
                "annotated_slices": {case: sorted(numbers) for case, numbers in annotations.annotated_slices.items()},
                KEY: annotations.learned.with_volumes(annotations.split.train),
            },
            {volume.id: volume.hash for volume in annotations.split.train},
        )
        self.best = BestSoFar(out / STATE_FOLDER)
        self._losses: list[Tensor] = []
        self._order: tuple[int, list[np.ndarray]] = (-1, [])

    def restore(self) -> int:
        return load_state(self.out / STATE_FOLDER, self._modules(), self.descent, self.about)

    def train_step(self, step: int) -> int:
        images, target = self._batch(step)
        self.network.train()
        views, target_views = self.augment(images, generator_for(self.seed, "views", step), target)
        assert target_views is not None
        with autocast(self.device):
            logits = self.network(channels_last(views))
        loss = segmentation_loss(self.plan.finetune.loss, logits, target_views)
        self.descent.backward(loss)
        self.descent.step(cosine(step, self.total, self.plan.finetune.learning_rate, self.plan.finetune.warmup))
        update_average(self.average, self.network, self.plan.finetune.ema, step)
        self._losses.append(loss.detach())
        return len(images)

    def figures(self, step: int) -> Row:
        loss = float(torch.stack(self._losses).mean())
        self._losses.clear()
        rate = cosine(step - 1, self.total, self.plan.finetune.learning_rate, self.plan.finetune.warmup)
        row = {"loss": loss, "learning_rate": rate}
        if not len(self.held_out) or not validation_due(step, self.total):
            return row
        dice = self._held_out_dice()
        if dice:
            self.best.offer(sum(dice.values()) / len(dice), self.average.state_dict(), self._about(step))
        return {**row, **dice}

    def save(self, step: int) -> None:
        save_state(self.out / STATE_FOLDER, self._modules(), self.descent, step, self.about)
        if not len(self.held_out):
            self.best.stand_in(self.average.state_dict(), self._about(step))

    def keep(self, step: int) -> None:
        tensors, about = self.best.found() or (self.average.state_dict(), self._about(step))
        save_weights(self.out / MODEL_FILE, tensors, about)

    def finish(self) -> None:
        """Writes the model of the last step."""
        save_weights(self.out / MODEL_FILE, self.average.state_dict(), self._about(self.total))

    def _about(self, step: int) -> WeightFile:
        held_out = [volume.id for volume in self.annotations.split.held_out]
        return replace(
            self.about, training={**self.about.training, "steps": step, "of_steps": self.total, "held_out": held_out}
        )

    def _modules(self) -> dict[str, torch.nn.Module]:
        return {"network": self.network, "average": self.average}

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        epoch, within = divmod(step, self.per_epoch)
        if self._order[0] != epoch:
            self._order = (epoch, epoch_batches(self.rows, self.batch, self.seed, epoch))
        return self._load(np.sort(self._order[1][within]))

    def _load(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Images (B, 1, S, S) and channels (B, S, S); slices that are not annotated are 255 throughout."""
        assert self.bank.labels is not None
        labels = moved(torch.from_numpy(self.bank.labels[rows]), self.device)  # as bytes, an eighth of what channels are
        return self.loader.images(rows), self.table[labels.long()]

    def _held_out_dice(self) -> Row:
        parts = np.array_split(self.held_out, -(-len(self.held_out) // 16))
        return pooled_dice(self.average, (self._load(part) for part in parts), self.annotations.classes, self.device)
