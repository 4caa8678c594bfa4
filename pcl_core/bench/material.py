"""What the stages are timed on: generated volumes, their banks, and plans."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pcl_core.cancellation import Cancellation
from pcl_core.events import Reporter
from pcl_core.plan import Fingerprint, Plan
from pcl_core.presets import make_plan
from pcl_core.slices.bank import BankItem, SliceBank
from pcl_core.slices.banking import build_bank
from pcl_core.slices.batch import SliceBatch
from pcl_core.training.devices import device_facts
from pcl_core.training.suiting import suited_to_machine
from pcl_core.training.weights import SegmentClass
from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.volume import Volume, VolumeSource
from pcl_core.volumes.writing import write_volume

SMALL = (36, 50, 35)  # x, y, z, as in the Decathlon's hippocampi
_DIRECTION = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Setting:
    """What is timed.

    Attributes:
        device: where networks run.
        side: of the slices in pixels.
        filters: f.
        batch: slices a step of the pretraining; two views of each.
    """

    device: torch.device
    side: int
    filters: int
    batch: int

    def __str__(self) -> str:
        return f"{self.side} x {self.side}, f = {self.filters}, batch {self.batch}"

    def slice_batch(self) -> SliceBatch:
        """Random slices with positions, on the device."""
        numbers = torch.arange(self.batch, device=self.device)
        images = torch.rand(self.batch, 1, self.side, self.side, device=self.device)
        return SliceBatch(images, numbers, torch.full_like(numbers, self.batch), torch.zeros_like(numbers))


def bank_of(folder: Path, setting: Setting, volumes: int = 12) -> SliceBank:
    """Makes a bank of small volumes in a folder."""
    items = [BankItem(source) for source in small_volumes(folder / "volumes", volumes)]
    return build_bank(folder / "bank", items, plan_of(setting).slices, Reporter(), Cancellation(), processes=1)


def plan_of(setting: Setting) -> Plan:
    """The recommended plan for small volumes, at the size that is timed, as a training on the device would have it."""
    millimetres = float(max(SMALL[:2]))
    fingerprint = Fingerprint(12, 12 * SMALL[2], SMALL[2], (1.0, 1.0, 1.0), millimetres, millimetres)
    plan = make_plan("recommended", fingerprint, device_facts(setting.device))
    plan = plan.override(slices__size=setting.side, network__filters=setting.filters, pretrain__batch=setting.batch)
    return suited_to_machine(plan, setting.device, fingerprint.slices)


def classes_of(count: int) -> tuple[SegmentClass, ...]:
    """So many classes."""
    return tuple(SegmentClass(value, str(value), (1.0, 0.0, 0.0)) for value in range(1, count + 1))


def labelled_bank(bank: SliceBank) -> SliceBank:
    """The same slices with random labels of three classes."""
    labels = np.random.default_rng(0).integers(0, 4, bank.images.shape, dtype=np.uint8)
    return SliceBank(bank.images, labels, bank.volumes, (), "")


def small_volumes(folder: Path, count: int, size: tuple[int, int, int] = SMALL) -> tuple[VolumeSource, ...]:
    """Writes volumes (x, y, z) of smooth random content as NIfTI."""
    folder.mkdir(parents=True)
    for number in range(count):
        write_volume(folder / f"volume_{number:04d}.nii.gz", _content(size, number), _grid(size))
    return find_volumes(folder).sources


def large_volume(side: int, slices: int) -> Volume:
    """A volume of so many square slices, in memory only."""
    size = (side, side, slices)
    voxels = _content(size, 0)
    return Volume(voxels, VolumeSource("large", (Path("large.nii.gz"),), "nifti", _grid(size), str(voxels.dtype), "large"))


def _grid(size: tuple[int, int, int]) -> Geometry:
    return Geometry(size, (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), _DIRECTION)


def _content(size: tuple[int, int, int], seed: int) -> np.ndarray:
    ramp = np.linspace(0, 500, size[2])[:, None, None]
    return (ramp + np.random.default_rng(seed).integers(0, 200, size[::-1])).astype(np.int16)
