"""What a training will take, from some steps of it, of a pretraining on some of the volumes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import torch

from pcl_core.bench.machine import peak_bytes
from pcl_core.cancellation import Cancellation
from pcl_core.errors import CancelledError
from pcl_core.events import Event, Reporter
from pcl_core.plan import Plan, steps_in
from pcl_core.pretext.gcl import GCLGD
from pcl_core.slices.bank import BankedVolume, BankItem, SliceBank
from pcl_core.slices.banking import build_bank
from pcl_core.training.cases import annotated_rows
from pcl_core.training.context import Context
from pcl_core.training.finetuning import Annotations, finetune
from pcl_core.training.pretraining import pretrain
from pcl_core.training.starting import Start
from pcl_core.volumes.geometry import canonical_view
from pcl_core.volumes.volume import VolumeSource

_STEPS = 12
# The first step also starts threads and chooses algorithms; so many seconds after it, what was timed is enough.
_SECONDS = 4.0
_BYTES_A_PIXEL = 2
# A batch of partitions has one slice of each quarter of a volume.
_SLICES_BY_PARTITION = 4


@dataclass(frozen=True)
class Estimate:
    """What a training will take.

    Attributes:
        steps: of the training.
        seconds: of preparing all slices and of all steps.
        memory_bytes: largest memory of the process, or of the GPU; None where the system does not tell.
        bank_bytes: of the prepared slices on the disk.
    """

    steps: int
    seconds: float
    memory_bytes: int | None
    bank_bytes: int


def estimate(
    sources: Sequence[VolumeSource], plan: Plan, device: torch.device, reporter: Reporter, cancellation: Cancellation
) -> Estimate:
    """Prepares enough volumes for a batch, trains for some seconds in a folder that is then removed, and scales up.

    Args:
        sources: all volumes.
        plan: of the pretraining.
        device: that it will run on.
        reporter: is told how far this is, and of sampled volumes that cannot be used.
        cancellation: is looked at between volumes and steps.

    Raises:
        InputError: the sampled volumes cannot be used.
        OutOfMemoryError: the training would run out of memory, with the next smaller setting.
        CancelledError: somebody asked to stop.
    """
    slices = {one.id: canonical_view(one.geometry, plan.slices.axis).shape[0] for one in sources}
    sampled = enough(sources, slices, plan)
    with tempfile.TemporaryDirectory(prefix="pclseg-") as name:
        begin = time.monotonic()
        items = [BankItem(source) for source in sampled]
        bank = build_bank(Path(name) / "bank", items, plan.slices, reporter, cancellation, processes=1)
        preparing = (time.monotonic() - begin) * _voxels(sources) / _voxels(sampled)
        speed = _slices_a_second(bank, plan, Path(name), device, reporter, cancellation)
        del bank  # a mapped file cannot be removed everywhere
    total = sum(slices.values())
    steps = steps_in(plan.pretrain.steps, plan.pretrain.epochs, total, plan.pretrain.batch)
    training = steps * min(plan.pretrain.batch, total) / speed
    return Estimate(steps, preparing + training, peak_bytes(device), total * plan.slices.size**2 * _BYTES_A_PIXEL)


def estimate_finetuning(
    annotations: Annotations,
    plan: Plan,
    device: torch.device,
    begin: Start | None,
    reporter: Reporter,
    cancellation: Cancellation,
) -> Estimate:
    """Fine-tunes for some seconds in a folder that is then removed, and scales up. The slices are prepared already.

    Raises:
        InputError: the weights to begin with do not fit, or no slice is annotated.
        OutOfMemoryError: the training would run out of memory, with the next smaller setting.
        CancelledError: somebody asked to stop.
    """
    rows = len(annotated_rows(annotations.bank, annotations.split.train, annotations.annotated_slices))
    batch = min(plan.finetune.batch, rows)
    steps = steps_in(plan.finetune.steps, plan.finetune.epochs, rows, batch)
    watch = _Watch(reporter, cancellation)
    few = replace(plan, finetune=replace(plan.finetune, steps=_STEPS, epochs=None))
    with tempfile.TemporaryDirectory(prefix="pclseg-") as name, suppress(CancelledError):
        finetune(annotations, few, Path(name), Context(device, 0, Reporter(watch), watch.enough), begin)
    if cancellation.requested:
        raise CancelledError()
    speed = median(watch.speeds[1:] or watch.speeds)
    bank_bytes = len(annotations.bank.rows) * plan.slices.size**2 * (_BYTES_A_PIXEL + 1)
    return Estimate(steps, steps * batch / speed, peak_bytes(device), bank_bytes)


def enough(sources: Sequence[VolumeSource], slices: Mapping[str, int], plan: Plan) -> list[VolumeSource]:
    """The first volumes that together fill a batch, or all.

    Args:
        sources: all volumes.
        slices: of each, by id.
        plan: of the pretraining.
    """
    most = _SLICES_BY_PARTITION if plan.pretrain.method == GCLGD.name else None
    taken: list[VolumeSource] = []
    for source in sources:
        taken.append(source)
        if sum(slices[one.id] if most is None else min(most, slices[one.id]) for one in taken) >= plan.pretrain.batch:
            break
    return taken


def one_batch(bank: SliceBank, batch: int) -> SliceBank:
    """The bank with as many of its slices as a batch has, or all: more would be shared out among batches that are smaller."""
    volumes: list[BankedVolume] = []
    for volume in bank.volumes:
        left = batch - sum(one.count for one in volumes)
        if left > 0:
            volumes.append(replace(volume, count=min(volume.count, left)))
    return replace(bank, volumes=tuple(volumes))


def short(plan: Plan) -> Plan:
    """The plan for some steps of a pretraining; compiling would take longer than all of them."""
    return replace(plan, pretrain=replace(plan.pretrain, steps=_STEPS, epochs=None, compiled=False, graphs=False))


def _voxels(sources: Sequence[VolumeSource]) -> int:
    return sum(one.geometry.size[0] * one.geometry.size[1] * one.geometry.size[2] for one in sources)


def _slices_a_second(
    bank: SliceBank, plan: Plan, out: Path, device: torch.device, reporter: Reporter, cancellation: Cancellation
) -> float:
    """Median speed of the steps after the first."""
    watch = _Watch(reporter, cancellation)
    if plan.pretrain.method != GCLGD.name:  # which takes few slices of each volume
        bank = one_batch(bank, plan.pretrain.batch)
    with suppress(CancelledError):
        pretrain(bank, short(plan), out, Context(device, 0, Reporter(watch), watch.enough))
    if cancellation.requested:
        raise CancelledError()
    return median(watch.speeds[1:] or watch.speeds)


class _Watch:
    """Takes the events of the short training: keeps its speeds, and ends it when they are enough."""

    def __init__(self, reporter: Reporter, cancellation: Cancellation) -> None:
        self.speeds: list[float] = []
        self.enough = Cancellation()
        self._reporter, self._cancellation = reporter, cancellation
        self._deadline: float | None = None

    def write(self, event: Event) -> None:
        """Takes one event."""
        if event["event"] != "metric":
            return
        self.speeds.append(event["slices_per_second"])
        self._reporter.progress("estimate", len(self.speeds), _STEPS)
        now = time.monotonic()
        self._deadline = self._deadline or now + _SECONDS
        if self._cancellation.requested or (now > self._deadline and len(self.speeds) > 1):
            self.enough.request()

    def close(self) -> None:
        """Nothing is held back."""
