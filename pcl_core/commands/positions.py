"""``positions INPUT --json FILE``: whether slices at the same position show the same anatomy, and where they do not."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pcl_core.cancellation import Cancellation
from pcl_core.commands.comparing import Compared, compare
from pcl_core.commands.planning import start
from pcl_core.events import Reporter, plain
from pcl_core.files import require_writable_file, write_text
from pcl_core.slices.bank import SliceBank
from pcl_core.slices.likeness import Likeness, advise, likeness
from pcl_core.slices.neighbours import neighbours
from pcl_core.slices.outliers import Outlier, find_outliers
from pcl_core.slices.pictures import SIDE, write_pictures
from pcl_core.slices.placing import turned
from pcl_core.volumes.geometry import canonical_view, slice_line

_PLANES = {"S": "axial", "A": "coronal", "L": "sagittal"}


def run(args: argparse.Namespace, reporter: Reporter, cancellation: Cancellation) -> None:
    """Shows the outliers and the proposed threshold, and writes everything when a file is named."""
    device = start(args, reporter)
    for path in (args.json, args.pictures):
        if path is not None:
            require_writable_file(path)

    def pictures(bank: SliceBank) -> None:
        if args.pictures is not None:
            write_pictures(bank, args.pictures)

    compared = compare(args, device, reporter, cancellation, pictures)
    if args.pictures is not None:
        reporter.artifact("pictures", args.pictures)
    _tell(args, _Looked(compared), reporter)


class _Looked:
    """What was found about a set of volumes."""

    def __init__(self, compared: Compared) -> None:
        self.compared, self.volumes, self.parts = compared, compared.volumes, compared.parts
        self.sources = {source.id: source for source in compared.sources}
        self.placements = compared.placements()
        self.relative = [
            np.arange(one.count, 0, -1) / one.count if flip else (np.arange(one.count) + 1) / one.count
            for one, flip in zip(self.volumes, compared.turned, strict=True)
        ]
        self.before: Likeness = likeness(self.parts, [place - 0.5 / len(place) for place in self.relative])
        aligned = [one.positions(len(part)) for one, part in zip(self.placements, self.parts, strict=True)]
        self.after: Likeness = likeness(self.parts, aligned)
        self.outliers = self._outliers()

    def _outliers(self) -> list[Outlier]:
        """What is wrong with the volumes, as they are after those were turned that are said to run the other way."""
        counts = {volume.id: volume.count for volume in self.volumes}
        everything = zip(self.volumes, self.placements, self.compared.turned, strict=True)
        placed = {volume.id: turned(one) if flip else one for volume, one, flip in everything}
        return [
            replace(one, slice=counts[one.volume] - 1 - one.slice) if one.volume in self.compared.flipped else one
            for one in find_outliers(placed, counts)
        ]

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON can hold it."""
        near = neighbours(self.parts)
        advice = advise(self.before)
        rows = np.cumsum([0, *(volume.count for volume in self.volumes)])
        document: dict[str, Any] = plain(
            {
                "axis": self.compared.axis,
                "threshold": None if advice is None else {"proposed": advice.threshold, "reason": advice.reason},
                "likeness": {"relative": self.before.matrix, "aligned": self.after.matrix},
                "picture_side": SIDE,
                "left_out": [{"path": path, "reason": reason} for path, reason in self.compared.left_out],
                "volumes": [
                    {**self._volume(number, near[number]), "first_row": rows[number]} for number in range(len(self.volumes))
                ],
            }
        )
        return document

    def _volume(self, number: int, near: list[list[tuple[int, int, float]]]) -> dict[str, Any]:
        volume, placement = self.volumes[number], self.placements[number]
        source = self.sources[volume.id]
        line = slice_line(source.geometry, self.compared.axis)
        return {
            "id": volume.id,
            "patient": volume.patient,
            "path": source.path,
            "frame": source.frame,
            "part": self.compared.part_of.get(volume.id),
            "format": source.format,
            "slices": volume.count,
            "slice_mm": round(volume.slice_mm, 4),
            "plane": _PLANES[canonical_view(source.geometry, self.compared.axis).normal],
            "first_centre": line.first,
            "step": line.step,
            "counted_from_the_other_end": volume.id in self.compared.flipped,
            "start": round(placement.start, 4),
            "length": round(placement.length, 4),
            "flipped": placement.flipped,
            "misfit": round(placement.misfit, 4),
            "outliers": [
                {"kind": one.kind, "reason": one.reason, "slice": one.slice} for one in self.outliers if one.volume == volume.id
            ],
            "positions": self.relative[number].round(4),
            "aligned": placement.positions(volume.count).round(6),  # as the pretraining compares them
            "neighbours": [
                [{"volume": self.volumes[v].id, "slice": s, "similarity": round(cosine, 3)} for v, s, cosine in one]
                for one in near
            ],
        }


def _tell(args: argparse.Namespace, looked: _Looked, reporter: Reporter) -> None:
    if len(looked.volumes) < 4:
        where: Path = args.inputs[0]
        reporter.warning("With fewer than four volumes there is no telling which of them is unlike the others.", where)
    for one in looked.outliers:
        path = looked.sources[one.volume].path
        reporter.warning(f"{path}: {one.reason}", path)
    advice = advise(looked.before)
    if args.json is not None:
        inputs = [str(path) for path in args.inputs]
        text = json.dumps({"inputs": inputs, **looked.to_json()}, ensure_ascii=False, allow_nan=False)
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
