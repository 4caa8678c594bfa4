"""Small real things for the tests: grids, volumes and their files, plans, banks, and what accompanies a run."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from pcl_core.cancellation import Cancellation
from pcl_core.events import Collected, Event, Reporter
from pcl_core.plan import AugmentationPlan, FinetunePlan, NetworkPlan, Plan, PretrainPlan, SlicePlan
from pcl_core.slices.bank import BankItem, SliceBank
from pcl_core.slices.banking import build_bank
from pcl_core.training.context import Context
from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.geometry import Geometry
from pcl_core.volumes.volume import Volume, VolumeSource
from pcl_core.volumes.writing import write_volume

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


def grid_of(
    shape: Sequence[int],
    spacing: tuple[float, float, float] = (1.0, 1.0, 4.0),
    direction: tuple[float, ...] = IDENTITY,
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Geometry:
    """The grid of an array of ``shape`` (z, y, x); spacing (x, y, z) in mm."""
    return Geometry((shape[2], shape[1], shape[0]), spacing, origin, direction)


def volume_of(array: np.ndarray, geometry: Geometry | None = None, name: str = "case") -> Volume:
    """A volume that is in no file; its path is ``<name>.nrrd``."""
    geometry = geometry or grid_of(array.shape)
    return Volume(array, VolumeSource(name, (Path(f"{name}.nrrd"),), "nrrd", geometry, str(array.dtype), name))


def stored(path: Path, array: np.ndarray, geometry: Geometry | None = None) -> VolumeSource:
    """Writes an array (z, y, x) into a file and finds it again."""
    write_volume(path, array, geometry or grid_of(array.shape))
    (source,) = find_volumes(path).sources
    return source


def slice_plan(size: int = 32, resolution_mm: float = 1.0, **values: object) -> SlicePlan:
    """A plan of small slices."""
    return replace(SlicePlan("auto", resolution_mm, size), **values)  # type: ignore[arg-type]


def tiny_plan(**values: object) -> Plan:
    """A plan that a core trains by in seconds; ``values`` as Plan.override takes them."""
    views = AugmentationPlan(30, 0.8, 1.25, translation=0.05, mirror=True, elastic=0.02, gamma=1.2, contrast=0.1, noise=0.02)
    return Plan(
        preset="recommended",
        slices=slice_plan(),
        network=NetworkPlan(filters=4, projection=16),
        pretrain=PretrainPlan("pcl", 0.2, 0.1, 8, 12, None, 0.05, 0.1, 0.9, 1e-5, views),
        finetune=FinetunePlan("dice+ce", 4, 12, None, 2e-3, 0.1, 1e-5, 0.9, views),
    ).override(**values)


def stack(seed: int, slices: int = 10, side: int = 32) -> tuple[np.ndarray, np.ndarray]:
    """A volume (z, y, x) of 16-bit integers whose slices tell their position, and its labels.

    A disc (1) grows and brightens from the first slice to the last; a small one (2) walks around it.
    """
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side] - (side - 1) / 2
    image = random.normal(100, 5, (slices, side, side))
    labels = np.zeros((slices, side, side), dtype=np.uint8)
    for k in range(slices):
        position = (k + 1) / slices
        disc = rows**2 + columns**2 < (side * (0.1 + 0.2 * position)) ** 2
        angle = 2 * np.pi * position
        away = (rows - 0.38 * side * np.sin(angle)) ** 2 + (columns - 0.38 * side * np.cos(angle)) ** 2
        image[k][disc] += 100 + 200 * position
        image[k][away < (0.1 * side) ** 2] += 500
        labels[k][disc] = 1
        labels[k][away < (0.1 * side) ** 2] = 2
    return image.astype(np.int16), labels


def stored_items(folder: Path, count: int, labelled: bool = False, slices: int = 10) -> list[BankItem]:
    """Files of ``count`` stacks."""
    items = []
    for number in range(count):
        image, labels = stack(number, slices)
        source = stored(folder / "images" / f"case{number}.nrrd", image)
        items.append(BankItem(source, stored(folder / "labels" / f"case{number}.nrrd", labels) if labelled else None))
    return items


def bank_of(folder: Path, items: Sequence[BankItem], plan: SlicePlan | None = None) -> SliceBank:
    """The bank of some items."""
    return build_bank(folder / "bank", items, plan or slice_plan(), Reporter(), Cancellation(), processes=1)


class CancelAt(Collected):
    """Keeps events, and asks to stop when a stage reports that so many units are done."""

    def __init__(self, cancellation: Cancellation, stage: str, done: int) -> None:
        super().__init__()
        self._cancellation, self._stage, self._done = cancellation, stage, done

    def write(self, event: Event) -> None:
        """Keeps one event."""
        super().write(event)
        if event["event"] == "progress" and event["stage"] == self._stage and event["done"] >= self._done:
            self._cancellation.request()


def untiring_reporter(sink: Collected) -> Reporter:
    """A reporter whose clock jumps a second at every look, so that no progress is held back."""
    seconds = itertools.count()
    return Reporter(sink, clock=lambda: float(next(seconds)))


def context_of(sink: Collected | None = None, seed: int = 0, cancel_at: tuple[str, int] | None = None) -> Context:
    """What accompanies a run on the CPU; ``cancel_at`` a stage and the units that are done when it is asked to stop."""
    cancellation = Cancellation()
    if cancel_at is not None:
        sink = CancelAt(cancellation, *cancel_at)
    return Context(torch.device("cpu"), seed, untiring_reporter(sink or Collected()), cancellation)


def restored(
    array: np.ndarray, geometry: Geometry, order: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> tuple[np.ndarray, Geometry]:
    """The same anatomy as other software might have stored it: axes (z, y, x) taken in ``order``, then some flipped."""
    kept = [2 - axis for axis in reversed(order)]  # stored axes x, y, z of the old grid, in the order of the new one
    matrix, origin = geometry.matrix, np.array(geometry.origin)
    columns = []
    for new, old in enumerate(kept):
        flipped = flips[2 - new]
        columns.append(-matrix[:, old] if flipped else matrix[:, old])
        if flipped:
            origin = origin + matrix[:, old] * geometry.spacing[old] * (geometry.size[old] - 1)
    moved = np.flip(array.transpose(order), [axis for axis in range(3) if flips[axis]])
    return np.ascontiguousarray(moved), Geometry(
        size=(geometry.size[kept[0]], geometry.size[kept[1]], geometry.size[kept[2]]),
        spacing=(geometry.spacing[kept[0]], geometry.spacing[kept[1]], geometry.spacing[kept[2]]),
        origin=(float(origin[0]), float(origin[1]), float(origin[2])),
        direction=tuple(np.stack(columns, axis=1).ravel().tolist()),
    )
