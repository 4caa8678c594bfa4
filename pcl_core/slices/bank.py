"""The slice bank: all prepared slices of a set of volumes in one flat file that is mapped into memory.

A folder with ``slices.f16`` (slices x side x side, half floats), ``labels.u8`` when there are labels, and ``index.json``, which
is written last: a bank without it is not there. The index holds a key over the slice plan and the contents of all inputs; a
bank is used again only when the key is the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pcl_core.exact_positions import FINEST
from pcl_core.plan import SlicePlan
from pcl_core.slices.atlas import Placement
from pcl_core.volumes.data_sets import DATA_SETS
from pcl_core.volumes.geometry import canonical_view
from pcl_core.volumes.volume import VolumeSource

FORMAT = 3
SLICES, LABELS, INDEX = "slices.f16", "labels.u8", "index.json"


@dataclass(frozen=True)
class BankItem:
    """One volume to be banked, with its label map when it has one."""

    source: VolumeSource
    labels: VolumeSource | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """All files whose contents matter."""
        return self.source.files + (self.labels.files if self.labels else ())


@dataclass(frozen=True)
class BankedVolume:
    """Where a volume's slices lie in the bank.

    Attributes:
        id: of its source.
        patient: of its source.
        start: row of its first slice.
        count: number of slices.
        hash: of the contents of its files.
        slice_mm: distance of its slices.
    """

    id: str
    patient: str
    start: int
    count: int
    hash: str
    slice_mm: float


@dataclass(frozen=True, eq=False)
class SliceBank:
    """An opened bank.

    Attributes:
        images: (rows, side, side) half floats of 0 to 1, mapped.
        labels: (rows, side, side) uint8, mapped; None without labels.
        placements: where volumes lie in a common frame, by id; a volume that is not in it covers the whole of it.
        flipped: ids of volumes that a person says run the other way: their slices are counted from the other end. What is in
            the files does not depend on it, and neither does the key.
        label_values: what the labels 1, 2, ... stand for in the label maps; empty when they are the label maps' own values.
        volumes: the volumes in it.
        skipped: path and reason of each volume that could not be banked.
        key: over the slice plan and the contents of the inputs.
    """

    images: np.ndarray
    labels: np.ndarray | None
    volumes: tuple[BankedVolume, ...]
    skipped: tuple[tuple[str, str], ...]
    key: str
    label_values: tuple[int, ...] = ()
    placements: Mapping[str, Placement] = field(default_factory=dict)
    flipped: frozenset[str] = frozenset()

    @property
    def rows(self) -> np.ndarray:
        """(n,) rows of all slices of all volumes."""
        return np.concatenate([np.arange(v.start, v.start + v.count) for v in self.volumes])

    def positions(self) -> tuple[np.ndarray, np.ndarray]:
        """For every row of the file, the slice's number in its volume and the volume's number of slices (0: no slice).

        Position (m + 1) / n of the number m in n; of a volume with a placement the numbers are those of a volume of a million
        slices that fills the frame, and may lie outside it.
        """
        index = np.zeros(len(self.images), dtype=np.int64)
        count = np.zeros(len(self.images), dtype=np.int64)
        for volume in self.volumes:
            numbers = np.arange(volume.count)
            index[volume.start : volume.start + volume.count] = numbers[::-1] if volume.id in self.flipped else numbers
            count[volume.start : volume.start + volume.count] = volume.count
            placement = self.placements.get(volume.id)
            if placement is not None:
                places = np.round(placement.positions(volume.count) * FINEST).astype(np.int64) - 1
                index[volume.start : volume.start + volume.count] = places
                count[volume.start : volume.start + volume.count] = FINEST
        return index, count


def content_hash(files: Sequence[Path]) -> str:
    """BLAKE2b over the contents of files, in order; empty when one cannot be read (reading it as a volume will say why)."""
    digest = hashlib.blake2b(digest_size=16)
    try:
        for path in files:
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).digest())
    except OSError:
        return ""
    return digest.hexdigest()


def content_hashes(items: Sequence[BankItem]) -> list[str]:
    """The hash of each item's files; several are read at once, and files that items share (frames of a 4-D file) once."""
    distinct = list(dict.fromkeys(item.files for item in items))
    with ThreadPoolExecutor() as pool:
        hashes = dict(zip(distinct, pool.map(content_hash, distinct), strict=True))
    return [hashes[item.files] for item in items]


def bank_key(plan: SlicePlan, items: Sequence[BankItem], hashes: Sequence[str]) -> str:
    """What a bank depends on: the slice plan, the inputs' contents, and which is called what."""
    facts = {
        "format": FORMAT,
        "plan": asdict(plan),
        "items": [
            [item.source.id, item.source.patient, item.source.frame, _rule(item), digest]
            for item, digest in zip(items, hashes, strict=True)
        ],
    }
    return hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=16).hexdigest()


def _rule(item: BankItem) -> str | None:
    """By which rule an item's labels are read: that of a data set, or none in particular; None without labels."""
    return None if item.labels is None else item.labels.data_set


def label_values_of(items: Sequence[BankItem]) -> tuple[int, ...]:
    """What the labels 1, 2, ... of a bank of these items stand for; empty when they are the label maps' own values.

    Raises:
        ValueError: only some of the items need it, so that the same number would mean two things.
    """
    found = [DATA_SETS.get(_rule(item) or "") for item in items]
    rules = {one.coded if one else () for one in found}
    if len(rules) > 1:
        raise ValueError("label maps of different data sets cannot be in one bank")
    return rules.pop()


def layout_rows(plan: SlicePlan, items: Sequence[BankItem], hashes: Sequence[str]) -> list[BankedVolume]:
    """Gives every volume its rows, from the headers."""
    volumes, start = [], 0
    for item, digest in zip(items, hashes, strict=True):
        view = canonical_view(item.source.geometry, plan.axis)
        count = view.shape[0]
        volumes.append(BankedVolume(item.source.id, item.source.patient, start, count, digest, float(view.spacing[0])))
        start += count
    return volumes


def open_bank(folder: Path) -> SliceBank | None:
    """Opens the bank in a folder; None when there is none, or not a whole one of this format."""
    try:
        index: dict[str, Any] = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        if index["format"] != FORMAT:
            return None
        shape = (index["rows"], index["side"], index["side"])
        return SliceBank(
            images=np.memmap(folder / SLICES, dtype=np.float16, mode="r", shape=shape),
            labels=np.memmap(folder / LABELS, dtype=np.uint8, mode="r", shape=shape) if index["labels"] else None,
            volumes=tuple(BankedVolume(**volume) for volume in index["volumes"]),
            skipped=tuple((path, reason) for path, reason in index["skipped"]),
            key=index["key"],
            label_values=tuple(index["label_values"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
