"""The stages before the network: volumes to slices, slices to batches, batches to views."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch

from pcl_core.bench import plain
from pcl_core.bench.floors import Rates
from pcl_core.bench.material import Setting, bank_of, plan_of, small_volumes
from pcl_core.bench.measuring import forget_peak, measure, peak_since
from pcl_core.bench.timing import Stage, Timing
from pcl_core.cancellation import Cancellation
from pcl_core.events import Reporter
from pcl_core.slices.augmentation import Augmenter
from pcl_core.slices.bank import BankItem
from pcl_core.slices.banking import build_bank
from pcl_core.slices.loading import loader_for
from pcl_core.training.devices import usable_cores

_CPU = torch.device("cpu")


def preparing(setting: Setting, rates: Rates) -> list[Stage]:
    """Reads small volumes and banks their slices. Its floor is that of the copies alone, without unpacking."""
    with tempfile.TemporaryDirectory() as name:
        sources = small_volumes(Path(name) / "volumes", 40)
        items, slices = [BankItem(source) for source in sources], plan_of(setting).slices
        count = sum(source.geometry.size[2] for source in sources)
        folders = iter(range(100))
        forget_peak(_CPU)
        found = measure(lambda: build_bank(Path(name) / str(next(folders)), items, slices, Reporter(), Cancellation()), _CPU)
        peak = peak_since(_CPU)
        plainly = measure(lambda: plain.read_plainly([source.path for source in sources], setting.side), _CPU).seconds
    moved = count * (2 * setting.side**2 + 2 * sources[0].geometry.size[0] * sources[0].geometry.size[1])
    floor = moved / (rates if setting.device.type == "cpu" else Rates.of(_CPU)).bytes
    title = f"prepare {len(sources)} volumes of {count // len(sources)} slices"
    return [Stage(Timing(title, found.seconds, floor, plainly, count / found.seconds, peak), found.busy)]


def reading(setting: Setting, rates: Rates) -> list[Stage]:
    """A batch of slices from the bank to the device; the plain way loads a volume for each slice."""
    with tempfile.TemporaryDirectory() as name:
        bank = bank_of(Path(name), setting)
        loader = loader_for(bank.images, setting.device)
        rows = np.sort(np.random.default_rng(0).choice(len(bank.images), setting.batch))
        forget_peak(setting.device)
        found = measure(lambda: loader.images(rows), setting.device)
        peak = peak_since(setting.device)
        volume = Path(name) / "volume.npy"
        np.save(volume, np.asarray(bank.images[: bank.volumes[0].count], dtype=np.float32))
        plainly = measure(lambda: [np.load(volume)[0] for _ in rows], _CPU).seconds
    floor = rates.floor(moved=len(rows) * setting.side**2 * 6)
    title = f"read {setting.batch} slices of {setting.side} x {setting.side} from the bank"
    return [Stage(Timing(title, found.seconds, floor, plainly, len(rows) / found.seconds, peak), found.busy)]


def augmentation(setting: Setting, rates: Rates) -> list[Stage]:
    """Two random views of a batch of slices; the plain way has as many workers as there are cores."""
    augment = Augmenter(plan_of(setting).pretrain.augmentation)
    images = torch.rand(2 * setting.batch, 1, setting.side, setting.side, device=setting.device)
    generator = torch.Generator().manual_seed(0)
    forget_peak(setting.device)
    found = measure(lambda: augment(images, generator), setting.device)
    peak = peak_since(setting.device)
    random, one = np.random.default_rng(0), images[0, 0].cpu().numpy()
    plainly = measure(lambda: plain.plain_view(one, random), _CPU, 1.0).seconds * len(images) / usable_cores()
    floor = rates.floor(moved=2 * images.numel() * 4)
    title = f"augment {len(images)} views of {setting.side} x {setting.side}"
    return [Stage(Timing(title, found.seconds, floor, plainly, setting.batch / found.seconds, peak), found.busy)]
