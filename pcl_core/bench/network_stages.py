"""The stages of the network: the passes of a step, whole steps, and a volume."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from pcl_core.bench import plain
from pcl_core.bench.floors import BACKWARD, Rates, Work, work_of
from pcl_core.bench.material import Setting, bank_of, classes_of, labelled_bank, large_volume, plan_of
from pcl_core.bench.measuring import Measured, each, forget_peak, measure, peak_since
from pcl_core.bench.timing import Stage, Timing
from pcl_core.cancellation import Cancellation
from pcl_core.events import Reporter
from pcl_core.inference.predicting import Predictor
from pcl_core.networks.blocks import initialise
from pcl_core.networks.heads import PretextNetwork, ProjectionHead
from pcl_core.networks.unet import Encoder, UNet
from pcl_core.pretext.registry import make_task
from pcl_core.slices.augmentation import Augmenter
from pcl_core.training.cases import Split
from pcl_core.training.compiling import Compiled, modes_of
from pcl_core.training.context import Context
from pcl_core.training.descent import Descent, sgd
from pcl_core.training.finetuning import Annotations, finetune
from pcl_core.training.objective import Objective
from pcl_core.training.pretraining import pretrain
from pcl_core.training.weights import WeightFile

# Steps of a short and of a longer training; a step takes what these differ by.
_FEW, _MANY = 3, 27
# On a GPU, steps are short beside a checkpoint: so many lie between that of the first epoch and the next one.
_WARM, _TIMED = 6, 200
_TUNING_SHARE = 4


class _Still(Augmenter):
    """Views that are the slices themselves, so that the passes are timed alone."""

    def __call__(
        self, images: Tensor, generator: torch.Generator, labels: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        return images, labels


def few_and_many(device: torch.device, per_epoch: int, most: int) -> tuple[int, int]:
    """Steps of the two trainings, with equally many checkpoints in both."""
    if device.type != "cuda":
        return _FEW, _MANY
    return per_epoch + _WARM, per_epoch + _WARM + min(_TIMED, most)


def _pretraining_work(setting: Setting) -> Work:
    encoder = Encoder(setting.filters)
    network = PretextNetwork(encoder, ProjectionHead(encoder.width, 512))
    return work_of(network, 2 * setting.batch, setting.side, setting.device)


def passes(setting: Setting, rates: Rates) -> list[Stage]:
    """Forward, backward and optimiser of a pretraining step, without loading and augmentation."""
    plan, device = plan_of(setting), setting.device
    encoder = Encoder(setting.filters)
    weights = torch.Generator().manual_seed(0)
    initialise(encoder, weights)
    how = plan.pretrain
    compiled = Compiled(modes_of(how.compiled, how.graphs, device), Reporter())
    objective = Objective(encoder, make_task(plan, encoder, 1, weights), device, how.part, compiled)
    objective.train()
    descent = Descent(sgd(objective.parameters(), device, 0.9, 1e-5), device)
    batch, still = setting.slice_batch(), _Still(plan.pretrain.augmentation)

    def forward() -> torch.Tensor:
        loss: torch.Tensor = objective(batch, still, torch.Generator().manual_seed(0))
        return loss

    forget_peak(device)
    one_way = measure(forward, device)
    both = measure(lambda: descent.backward(forward()), device)
    peak = peak_since(device)
    change = measure(lambda: descent.step(0.01), device, 0.5)
    back = Measured(max(both.seconds - one_way.seconds, 1e-9), both.busy)
    plainly = plain.PlainPretraining(setting.side, setting.filters, setting.batch, device).parts()
    work = work_of(
        PretextNetwork(encoder.cpu(), ProjectionHead(encoder.width, 512)).float(), 2 * setting.batch, setting.side, device
    )
    floor = rates.floor(work.operations, work.moved)
    weight_bytes = 4 * sum(parameter.numel() for parameter in objective.parameters())
    lines = (
        ("forward", one_way, floor, plainly.forward),
        ("backward", back, BACKWARD * floor, plainly.backward),
        ("optimiser", change, rates.floor(moved=5 * weight_bytes), plainly.optimiser),
    )
    return [
        Stage(Timing(f"{name}, {setting}", found.seconds, least, before, setting.batch / found.seconds, peak), found.busy)
        for name, found, least, before in lines
    ]


def pretraining(setting: Setting, rates: Rates) -> list[Stage]:
    """A step of the pretraining end to end: from the bank to the changed weights, reports included."""
    device, plan = setting.device, plan_of(setting)
    work = _pretraining_work(setting)
    with tempfile.TemporaryDirectory() as name:
        bank = bank_of(Path(name), setting)
        context = Context(device, 0, Reporter(), Cancellation())

        def run(steps: int) -> None:
            pretrain(bank, plan.override(pretrain__steps=steps), Path(name) / f"{steps} steps", context)

        few, many = few_and_many(device, -(-len(bank.rows) // setting.batch), _TIMED)
        run(few)
        forget_peak(device)
        found = each(run, device, few, many)
        peak = peak_since(device)
    training = plain.PlainPretraining(setting.side, setting.filters, setting.batch, device)
    plainly = plain.with_workers(training, setting.side, setting.batch, device)
    floor = (1 + BACKWARD) * rates.floor(work.operations, work.moved)
    title = f"pretraining step, {setting}"
    return [Stage(Timing(title, found.seconds, floor, plainly, setting.batch / found.seconds, peak), found.busy)]


def finetuning(setting: Setting, rates: Rates) -> list[Stage]:
    """A step of the fine-tuning end to end."""
    batch, device, classes = max(2, setting.batch // _TUNING_SHARE), setting.device, classes_of(3)
    plan = plan_of(setting).override(finetune__batch=batch)
    work = work_of(UNet(setting.filters, 1 + len(classes)), batch, setting.side, device)
    with tempfile.TemporaryDirectory() as name:
        bank = labelled_bank(bank_of(Path(name), setting))
        annotations = Annotations(bank, classes, Split(bank.volumes, ()))
        context = Context(device, 0, Reporter(), Cancellation())

        def run(steps: int) -> None:
            finetune(annotations, plan.override(finetune__steps=steps), Path(name) / f"{steps} steps", context)

        per_epoch = -(-len(bank.rows) // batch)
        few, many = few_and_many(device, per_epoch, max(1, per_epoch - _WARM - 1))
        run(few)
        forget_peak(device)
        found = each(run, device, few, many)
        peak = peak_since(device)
    plainly = plain.with_workers(plain.PlainFinetuning(setting.filters, 1 + len(classes), device), setting.side, batch, device)
    floor = (1 + BACKWARD) * rates.floor(work.operations, work.moved)
    title = f"fine-tuning step, {replace(setting, batch=batch)}"
    return [Stage(Timing(title, found.seconds, floor, plainly, batch / found.seconds, peak), found.busy)]


def segmenting(setting: Setting, rates: Rates) -> list[Stage]:
    """One volume by a model in memory; the plain way takes one slice after the other."""
    device, classes = setting.device, classes_of(3)
    volume = large_volume(2 * setting.side, 48)
    plan = plan_of(replace(setting, side=2 * setting.side)).override(slices__resolution_mm=1.0)
    network = UNet(setting.filters, 1 + len(classes), torch.Generator().manual_seed(0)).eval()
    count, side = volume.voxels.shape[:2]
    work = work_of(network, count, side, device)
    predictor = Predictor(network, WeightFile("unet", plan, classes), device)
    forget_peak(device)
    found = measure(lambda: predictor.predict(volume), device)
    peak = peak_since(device)
    slices = torch.rand(8, 1, side, side, device=device)
    plainly = measure(lambda: plain.label_plainly(network.to(device), slices), device, 1.0).seconds * count / len(slices)
    title = f"segment {side} x {side} x {count}, f = {setting.filters}"
    floor = rates.floor(work.operations, work.moved)
    return [Stage(Timing(title, found.seconds, floor, plainly, count / found.seconds, peak), found.busy)]
