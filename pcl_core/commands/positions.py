"""``positions INPUT --json FILE``: whether slices at the same position show the same anatomy, and where they do not."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pcl_core.cancellation import Cancellation
from pcl_core.commands.comparing import compare
from pcl_core.commands.planning import start
from pcl_core.events import Reporter, plain
from pcl_core.files import require_writable_file, write_text
from pcl_core.slices.atlas import Placement, align
from pcl_core.slices.bank import BankedVolume
from pcl_core.slices.likeness import Likeness, advise, likeness
from pcl_core.slices.neighbours import neighbours
from pcl_core.slices.outliers import Outlier, find_outliers
from pcl_core.volumes.volume import VolumeSource


def run(args: argparse.Namespace, reporter: Reporter, cancellation: Cancellation) -> None:
    """Shows the outliers and the proposed threshold, and writes everything when a file is named."""
    device = start(args, reporter)
    if args.json is not None:
        require_writable_file(args.json)
    compared = compare(args, device, reporter, cancellation)
    _tell(args, _Looked.at(compared.volumes, compared.parts), compared.sources, reporter)


class _Looked:
    """What was found about a set of volumes."""

    def __init__(self, volumes: Sequence[BankedVolume], parts: Sequence[np.ndarray], placements: list[Placement]) -> None:
        self.volumes, self.parts, self.placements = volumes, parts, placements
        self.relative = [(np.arange(one.count) + 1) / one.count for one in volumes]
        self.before: Likeness = likeness(parts, [place - 0.5 / len(place) for place in self.relative])
        self.after: Likeness = likeness(parts, [one.positions(len(p)) for one, p in zip(placements, parts, strict=True)])
        named = {volume.id: placement for volume, placement in zip(volumes, placements, strict=True)}
        self.outliers: list[Outlier] = find_outliers(named, {volume.id: volume.count for volume in volumes})

    @classmethod
    def at(cls, volumes: Sequence[BankedVolume], parts: Sequence[np.ndarray]) -> _Looked:
        """Aligns the volumes and looks for outliers."""
        return cls(volumes, parts, align(parts))

    def to_json(self, paths: dict[str, Path]) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        near = neighbours(self.parts)
        advice = advise(self.before)
        document: dict[str, Any] = plain(
            {
                "threshold": None if advice is None else {"proposed": advice.threshold, "reason": advice.reason},
                "likeness": {"relative": self.before.matrix, "aligned": self.after.matrix},
                "volumes": [self._volume(number, paths, near[number]) for number in range(len(self.volumes))],
            }
        )
        return document

    def _volume(self, number: int, paths: dict[str, Path], near: list[list[tuple[int, int, float]]]) -> dict[str, Any]:
        volume, placement = self.volumes[number], self.placements[number]
        return {
            "id": volume.id,
            "patient": volume.patient,
            "path": paths[volume.id],
            "slices": volume.count,
            "slice_mm": round(volume.slice_mm, 4),
            "start": round(placement.start, 4),
            "length": round(placement.length, 4),
            "flipped": placement.flipped,
            "misfit": round(placement.misfit, 4),
            "outliers": [
                {"kind": one.kind, "reason": one.reason, "slice": one.slice} for one in self.outliers if one.volume == volume.id
            ],
            "positions": self.relative[number].round(4),
            "aligned": placement.positions(volume.count).round(4),
            "neighbours": [
                [{"volume": self.volumes[v].id, "slice": s, "similarity": round(cosine, 3)} for v, s, cosine in one]
                for one in near
            ],
        }


def _tell(args: argparse.Namespace, looked: _Looked, sources: Sequence[VolumeSource], reporter: Reporter) -> None:
    paths = {source.id: source.path for source in sources}
    if len(looked.volumes) < 4:
        reporter.warning("With fewer than four volumes there is no telling which of them is unlike the others.", args.input)
    for one in looked.outliers:
        reporter.warning(f"{paths[one.volume]}: {one.reason}", paths[one.volume])
    advice = advise(looked.before)
    if args.json is not None:
        text = json.dumps({"input": str(args.input), **looked.to_json(paths)}, ensure_ascii=False, allow_nan=False)
        write_text(args.json, text + "\n")
        reporter.artifact("positions", args.json)
    reporter.done(
        volumes=len(looked.volumes),
        slices=sum(volume.count for volume in looked.volumes),
        flipped=[one.volume for one in looked.outliers if one.kind == "flipped"],
        truncated=[one.volume for one in looked.outliers if one.kind == "truncated"],
        unlike=[one.volume for one in looked.outliers if one.kind == "unlike"],
        threshold=None if advice is None else advice.threshold,
        reason="The positions of these volumes say nothing." if advice is None else advice.reason,
    )
