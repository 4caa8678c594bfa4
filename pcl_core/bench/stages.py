"""The stages that are timed, each with its floor and its baseline.

``floor_seconds`` is what the arithmetic (or, for stages without any, the bytes) of the stage takes at the machine's measured
peak rate; ``baseline_seconds`` is the same work in the plain way of the published implementation, on the same machine.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from pcl_core.bench import published
from pcl_core.bench.machine import copy_rate, peak_bytes, peak_rate
from pcl_core.cancellation import Cancellation
from pcl_core.events import Reporter
from pcl_core.networks.heads import PretextNetwork, ProjectionHead
from pcl_core.networks.unet import Encoder, UNet
from pcl_core.plan import Fingerprint, Plan
from pcl_core.presets import DeviceFacts, make_plan
from pcl_core.slices.augmentation import Augmenter
from pcl_core.slices.bank import BankItem, SliceBank
from pcl_core.slices.banking import build_bank
from pcl_core.training.cases import Split
from pcl_core.training.context import Context
from pcl_core.training.finetuning import Annotations, finetune
from pcl_core.training.pretraining import pretrain
from pcl_core.training.weights import SegmentClass, WeightFile, save_weights
from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.volume import VolumeSource
from pcl_core.volumes.writing import write_volume

SIDE, FILTERS, BATCH, STEPS = 64, 16, 32, 60
_TUNING_BATCH = 8
_VOLUMES = 200
_VOLUME = (36, 50, 35)  # x, y, z, as in the Decathlon's hippocampi
_LARGE = (256, 256, 100)
_LARGE_FILTERS = 32


@dataclass(frozen=True)
class Timing:
    """One stage.

    Attributes:
        name: of the stage, with its size.
        seconds: as this software does it.
        floor_seconds: at the machine's peak rate.
        baseline_seconds: in the plain way.
        slices_per_second: of ``seconds``.
        peak_bytes: largest memory of the process that ran the stage, or of the GPU.
    """

    name: str
    seconds: float
    floor_seconds: float
    baseline_seconds: float
    slices_per_second: float
    peak_bytes: int | None


def banking(_device_name: str) -> Timing:
    """Reads 200 small volumes and banks their slices, by all processes; the baseline uses one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = _write_volumes(folder / "volumes", _VOLUMES, _VOLUME)
        items = [BankItem(source) for source in sources]
        plan = _plan().slices
        slices = _VOLUMES * _VOLUME[2]
        bytes_moved = slices * (2 * plan.size**2 + 2 * _VOLUME[0] * _VOLUME[1])
        plain = _timed(lambda: build_bank(folder / "one", items, plan, Reporter(), Cancellation(), processes=1))
        seconds = _timed(lambda: build_bank(folder / "all", items, plan, Reporter(), Cancellation()))
    floor = bytes_moved / copy_rate(torch.device("cpu"))
    return Timing(f"read and bank {_VOLUMES} volumes", seconds, floor, plain, slices / seconds, peak_bytes(_CPU))


def augmentation(device_name: str) -> Timing:
    """Two random views of a batch of slices."""
    device = torch.device(device_name)
    augment = Augmenter(_plan().pretrain.augmentation)
    images = torch.rand(2 * BATCH, 1, SIDE, SIDE, device=device)
    generator = torch.Generator().manual_seed(0)
    seconds = published.fastest(lambda: augment(images, generator), device, 20)
    floor = 2 * images.numel() * 4 / copy_rate(device)
    plain = 2 * BATCH * published.augmented_view(SIDE)
    return Timing(f"augment {2 * BATCH} views of {SIDE} x {SIDE}", seconds, floor, plain, BATCH / seconds, peak_bytes(device))


def pretraining(device_name: str) -> Timing:
    """A step of the pretraining end to end: from the bank to the changed weights, checkpoints and reports included."""
    device = torch.device(device_name)
    plan = _plan().override(pretrain__steps=STEPS)
    encoder = Encoder(FILTERS)
    network = PretextNetwork(encoder, ProjectionHead(encoder.width, plan.network.projection))
    floor = _operations(network, 2 * BATCH) / peak_rate(device)
    with tempfile.TemporaryDirectory() as name:
        bank = _bank(Path(name), plan)
        context = Context(device, 0, Reporter(), Cancellation())
        pretrain(bank, plan.override(pretrain__steps=5), Path(name) / "warm", context)
        seconds = _timed(lambda: pretrain(bank, plan, Path(name) / "out", context)) / STEPS
    plain = published.pretraining_step(SIDE, FILTERS, BATCH, device, 5)
    title = f"pretrain {SIDE} x {SIDE}, f = {FILTERS}, batch {BATCH}, a step"
    return Timing(title, seconds, floor, plain, BATCH / seconds, peak_bytes(device))


def finetuning(device_name: str) -> Timing:
    """A step of the fine-tuning end to end."""
    device = torch.device(device_name)
    plan = _plan().override(finetune__steps=STEPS, finetune__batch=_TUNING_BATCH)
    classes = tuple(SegmentClass(value, str(value), (1.0, 0.0, 0.0)) for value in (1, 2, 3))
    floor = _operations(UNet(FILTERS, 1 + len(classes)), _TUNING_BATCH) / peak_rate(device)
    with tempfile.TemporaryDirectory() as name:
        bank = _bank(Path(name), plan)
        labels = np.random.default_rng(0).integers(0, 4, bank.images.shape, dtype=np.uint8)
        labelled = SliceBank(bank.images, labels, bank.volumes, (), "")
        annotations = Annotations(labelled, classes, Split(bank.volumes, ()))
        context = Context(device, 0, Reporter(), Cancellation())
        finetune(annotations, plan.override(finetune__steps=5), Path(name) / "warm", context)
        seconds = _timed(lambda: finetune(annotations, plan, Path(name) / "out", context)) / STEPS
    plain = published.finetuning_step(SIDE, FILTERS, _TUNING_BATCH, 1 + len(classes), device, 5)
    title = f"fine-tune {SIDE} x {SIDE}, f = {FILTERS}, batch {_TUNING_BATCH}, a step"
    return Timing(title, seconds, floor, plain, _TUNING_BATCH / seconds, peak_bytes(device))


def segmenting(device_name: str) -> Timing:
    """The command ``segment`` on one large volume, its start included; the baseline is one slice after the other."""
    device = torch.device(device_name)
    plan = _plan().override(network__filters=_LARGE_FILTERS, slices__size=_LARGE[0], slices__resolution_mm=1.0)
    network = UNet(_LARGE_FILTERS, 4, torch.Generator().manual_seed(0))
    floor = _operations(network, 1, _LARGE[0], train=False) * _LARGE[2] / peak_rate(device)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_volumes(folder / "volumes", 1, _LARGE)
        classes = tuple(SegmentClass(value, str(value), (1.0, 0.0, 0.0)) for value in (1, 2, 3))
        save_weights(folder / "model.safetensors", network.state_dict(), WeightFile("unet", plan, classes))
        words = ["segment", str(folder / "model.safetensors"), str(folder / "volumes"), "--out", str(folder / "out")]
        command = [sys.executable, "-m", "pcl_core", *words, "--device", device_name, "--events"]
        seconds = _timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))
    plain = published.labelling(network, _LARGE[0], device) * _LARGE[2]
    title = f"segment {' x '.join(map(str, _LARGE))}, f = {_LARGE_FILTERS}, with start"
    return Timing(title, seconds, floor, plain, _LARGE[2] / seconds, peak_bytes(device, of_children=True))


STAGES: tuple[Callable[[str], Timing], ...] = (banking, augmentation, pretraining, finetuning, segmenting)
_CPU = torch.device("cpu")


def _plan() -> Plan:
    """The recommended plan for a CPU, at the size that is timed everywhere."""
    millimetres = float(max(_VOLUME[:2]))
    fingerprint = Fingerprint(_VOLUMES, _VOLUMES * _VOLUME[2], _VOLUME[2], (1.0, 1.0, 1.0), millimetres, millimetres)
    plan = make_plan("recommended", fingerprint, DeviceFacts("cpu", 0))
    return plan.override(slices__size=SIDE, network__filters=FILTERS, pretrain__batch=BATCH)


def _bank(folder: Path, plan: Plan) -> SliceBank:
    sources = _write_volumes(folder / "volumes", 12, _VOLUME)
    return build_bank(folder / "bank", [BankItem(source) for source in sources], plan.slices, Reporter(), Cancellation())


def _write_volumes(folder: Path, count: int, size: tuple[int, int, int]) -> tuple[VolumeSource, ...]:
    """Volumes of smooth random content, as NIfTI."""
    folder.mkdir(parents=True)
    geometry = Geometry(size, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    ramp = np.linspace(0, 500, geometry.shape[0])[:, None, None]
    for number in range(count):
        noise = np.random.default_rng(number).integers(0, 200, geometry.shape)
        write_volume(folder / f"volume_{number:03d}.nii.gz", (ramp + noise).astype(np.int16), geometry)
    return find_volumes(folder).sources


def _operations(network: torch.nn.Module, batch: int, side: int = SIDE, train: bool = True) -> int:
    """Multiplications and additions of a forward pass, and of the backward pass when training."""
    images = torch.rand(batch, 1, side, side)
    with FlopCounterMode(display=False) as counter:
        output = network(images)
        if train:
            output.sum().backward()
    return int(counter.get_total_flops())


def _timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin
