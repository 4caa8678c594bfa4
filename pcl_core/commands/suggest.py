"""``suggest INPUT``: which case to annotate next, and which few slices of it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pcl_core.cancellation import Cancellation
from pcl_core.commands.comparing import Compared, compare
from pcl_core.commands.planning import start
from pcl_core.errors import InputError
from pcl_core.events import Reporter
from pcl_core.files import require_writable_file, write_text
from pcl_core.inference.predicting import Predictor
from pcl_core.near import nearest
from pcl_core.slices.suggesting import Suggestion, suggest
from pcl_core.strict_json import build, read_json
from pcl_core.volumes.geometry import canonical_view
from pcl_core.volumes.reading import read_volume
from pcl_core.volumes.volume import VolumeSource

_HINT = 'Write for example {"case01": [3, 4, 5], "case02": []}: slices from 0 in order of position; none means all of them.'
# A slice is as uncertain as its most uncertain pixels: a boundary is a small part of it.
_PIXELS = 0.05


def run(args: argparse.Namespace, reporter: Reporter, cancellation: Cancellation) -> None:
    """Shows one row a case, the most useful first, and writes them when a file is named."""
    device = start(args, reporter)
    if args.json is not None:
        require_writable_file(args.json)
    compared = compare(args, device, reporter, cancellation)
    drawn = {} if args.drawn is None else _drawn(args.drawn, compared)
    unsure = None if args.model is None else _uncertainty(args.model, compared, device, reporter, cancellation)
    positions = [one.positions(len(part)) for one, part in zip(compared.placements(), compared.parts, strict=True)]
    found = suggest(compared.parts, positions, drawn, args.cases, args.slices, unsure)
    rows = [_row(one, compared, positions) for one in found]
    columns = ("Case", "Slices", "Unlike what is drawn", "Uncertain")
    reporter.table("Annotate next", columns, [_shown(row) for row in rows])
    if args.json is not None:
        write_text(args.json, json.dumps({"suggestions": rows}, indent=2, ensure_ascii=False) + "\n")
        reporter.artifact("suggestions", args.json)
    reporter.done(suggestions=rows)


def _drawn(path: Path, compared: Compared) -> dict[int, list[int]]:
    """Numbers of the drawn slices, by number of the volume."""
    listed: dict[str, list[int]] = read_json(path)
    if not isinstance(listed, dict):
        raise InputError(f"{path} does not list slices by case.", _HINT)
    known = {name: source.id for source in compared.sources for name in _names(source, compared)}
    known |= {where: "" for where, _ in compared.left_out if where not in known}
    banked = {volume.id: number for number, volume in enumerate(compared.volumes)}
    found = {}
    for case, slices in listed.items():
        if case not in known:
            raise InputError(f"{path} names '{case}', which is no volume.", nearest(case, known))
        if known[case] not in banked:
            continue  # it could not be used, of which was warned
        chosen = build(tuple[int, ...], slices, f"{path}: {case}", _HINT)
        number_of_case = banked[known[case]]
        count = compared.volumes[number_of_case].count
        for number in chosen:
            if not 0 <= number < count:
                raise InputError(f"{path}: {case} has no slice {number}; they go from 0 to {count - 1}.", _HINT)
        found[number_of_case] = list(chosen) or list(range(count))
    return found


def _names(source: VolumeSource, compared: Compared) -> tuple[str, str]:
    """What a volume may be called: its id, and its path, with #0, #1 and so on where several share it."""
    part = compared.part_of.get(source.id)
    return source.id, str(source.path) if part is None else f"{source.path}#{part}"


def _uncertainty(
    model: Path, compared: Compared, device: torch.device, reporter: Reporter, cancellation: Cancellation
) -> list[np.ndarray]:
    """For each volume (slices,) of 0 to 1: what the model lacks of certainty where it is least certain."""
    predictor = Predictor.load(model, device)
    sources = {source.id: source for source in compared.sources}
    axis = predictor.about.plan.slices.axis
    for volume in compared.volumes:  # whose numbers of slices may be the same across both
        geometry = sources[volume.id].geometry
        if canonical_view(geometry, axis).order != canonical_view(geometry, compared.axis).order:
            raise InputError(
                f"{model} takes {axis} slices of {sources[volume.id].path}, and the slices compared are {compared.axis}.",
                "Give the model's --axis, and no encoder of another one.",
            )
    found = []
    for number, volume in enumerate(compared.volumes):
        reporter.progress("uncertainty", number, len(compared.volumes))
        source = sources[volume.id]
        prediction = predictor.predict(read_volume(source), cancellation=cancellation, confidence=True)
        assert prediction.confidence is not None
        confidence = canonical_view(source.geometry, axis).apply(prediction.confidence)
        lacking = np.sort(1 - confidence.reshape(len(confidence), -1) / 100, axis=1)
        worst = lacking[:, -max(1, round(_PIXELS * lacking.shape[1])) :]
        found.append(np.clip(2 * worst.mean(axis=1), 0, 1))
    reporter.progress("uncertainty", len(compared.volumes), len(compared.volumes))
    return found


def _row(one: Suggestion, compared: Compared, positions: Sequence[np.ndarray]) -> dict[str, Any]:
    volume = compared.volumes[one.volume]
    paths = {source.id: source.path for source in compared.sources}
    return {
        "id": volume.id,
        "path": str(paths[volume.id]),
        "part": compared.part_of.get(volume.id),
        "slices": list(one.slices),
        "count": volume.count,
        "positions": [round(float(positions[one.volume][number]), 3) for number in one.slices],
        "distance": round(one.distance, 3),
        "uncertainty": round(one.uncertainty, 3),
    }


def _shown(row: dict[str, Any]) -> list[str]:
    slices = ", ".join(str(number) for number in row["slices"])
    return [row["id"], slices, f"{row['distance']:.2f}", f"{row['uncertainty']:.2f}"]
