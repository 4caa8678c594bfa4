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
    paths = {source.id: str(source.path) for source in compared.sources}
    numbers = {paths[volume.id]: number for number, volume in enumerate(compared.volumes)}
    numbers |= {volume.id: number for number, volume in enumerate(compared.volumes)}
    found = {}
    for case, slices in listed.items():
        if case not in numbers:
            raise InputError(f"{path} names '{case}', which is no volume.", nearest(case, numbers))
        chosen = build(tuple[int, ...], slices, f"{path}: {case}", _HINT)
        count = compared.volumes[numbers[case]].count
        for number in chosen:
            if not 0 <= number < count:
                raise InputError(f"{path}: {case} has no slice {number}; they go from 0 to {count - 1}.", _HINT)
        found[numbers[case]] = list(chosen) or list(range(count))
    return found


def _uncertainty(
    model: Path, compared: Compared, device: torch.device, reporter: Reporter, cancellation: Cancellation
) -> list[np.ndarray]:
    """For each volume (slices,) of 0 to 1: what the model lacks of certainty where it is least certain."""
    predictor = Predictor.load(model, device)
    sources = {source.id: source for source in compared.sources}
    found = []
    for number, volume in enumerate(compared.volumes):
        reporter.progress("uncertainty", number, len(compared.volumes))
        source = sources[volume.id]
        prediction = predictor.predict(read_volume(source), cancellation=cancellation, confidence=True)
        assert prediction.confidence is not None
        confidence = canonical_view(source.geometry, predictor.about.plan.slices.axis).apply(prediction.confidence)
        lacking = np.sort(1 - confidence.reshape(len(confidence), -1) / 100, axis=1)
        worst = lacking[:, -max(1, round(_PIXELS * lacking.shape[1])) :]
        found.append(np.clip(2 * worst.mean(axis=1), 0, 1))
    reporter.progress("uncertainty", len(compared.volumes), len(compared.volumes))
    for volume, values in zip(compared.volumes, found, strict=True):
        if len(values) != volume.count:
            raise InputError(f"{model} goes by another slice axis than the one asked for.", "Give its --axis.")
    return found


def _row(one: Suggestion, compared: Compared, positions: Sequence[np.ndarray]) -> dict[str, Any]:
    volume = compared.volumes[one.volume]
    paths = {source.id: source.path for source in compared.sources}
    return {
        "id": volume.id,
        "path": str(paths[volume.id]),
        "slices": list(one.slices),
        "positions": [round(float(positions[one.volume][number]), 3) for number in one.slices],
        "distance": round(one.distance, 3),
        "uncertainty": round(one.uncertainty, 3),
    }


def _shown(row: dict[str, Any]) -> list[str]:
    slices = ", ".join(str(number) for number in row["slices"])
    return [row["id"], slices, f"{row['distance']:.2f}", f"{row['uncertainty']:.2f}"]
