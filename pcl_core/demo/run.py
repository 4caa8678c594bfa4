"""The whole path on one data set: pretrain, fine-tune with and without the encoder, segment, evaluate, report."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from pcl_core.demo.hearts import write_hearts
from pcl_core.demo.report import write_report
from pcl_core.demo.report_data import CaseView, MethodResult, ReportData, view_case
from pcl_core.errors import InputError
from pcl_core.evaluation.evaluate import evaluate
from pcl_core.evaluation.summary import Evaluation
from pcl_core.events import Reporter, plain
from pcl_core.files import writable_folder, write_text
from pcl_core.fingerprinting import take_fingerprint
from pcl_core.inference.predicting import Predictor
from pcl_core.inference.segmenting import segment
from pcl_core.plan import Plan
from pcl_core.presets import make_plan
from pcl_core.slices.bank import BankItem
from pcl_core.slices.banking import build_bank
from pcl_core.training.cases import find_classes, split_cases
from pcl_core.training.context import Context
from pcl_core.training.devices import device_facts, device_name
from pcl_core.training.finetuning import Annotations, Finetuned, finetune
from pcl_core.training.pretraining import Pretrained, pretrain
from pcl_core.training.starting import Start
from pcl_core.volumes.cases import Case, find_cases
from pcl_core.volumes.class_names import class_names
from pcl_core.volumes.discovery import find_volumes
from pcl_core.volumes.geometry import canonical_view
from pcl_core.volumes.reading import read_labels, read_volume
from pcl_core.volumes.volume import VolumeSource

UNLABELED, LABELLED, UNSEEN = 24, 2, 6
# Sized so that two cores need three minutes, and a machine half as fast six.
SIZE, PRETRAINING_STEPS, FINETUNING_STEPS = 64, 600, 400
WITH, WITHOUT = "with pretraining", "without pretraining"
WITH_FOLDER, WITHOUT_FOLDER = "with", "without"
REPORT_FILE, RESULTS_FILE = "report.html", "results.json"
_SHOWN_CASES = 3

Result = TypeVar("Result")


@dataclass(frozen=True)
class Division:
    """Which volumes play which part. The labelled ones are among those of the pretraining, whose labels are not read."""

    pretraining: tuple[VolumeSource, ...]
    labelled: tuple[Case, ...]
    unseen: tuple[Case, ...]


@dataclass
class Timer:
    """Seconds a stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    def time(self, stage: str, work: Callable[[], Result]) -> Result:
        """Does the work and notes how long it took."""
        begin = time.monotonic()
        result = work()
        self.seconds[stage] = round(time.monotonic() - begin, 2)
        return result


def run_demo(out: Path, data: Path | None, context: Context) -> ReportData:
    """Runs everything and writes ``report.html`` and ``results.json`` into ``out``.

    Args:
        out: folder; the data, weights and label volumes go there too.
        data: a folder with imagesTr and labelsTr, or None for generated hearts.
        context: device, seed, reporter, cancellation.

    Returns:
        what the report says.

    Raises:
        InputError: there are too few labelled volumes, or files cannot be written.
        CancelledError: somebody asked to stop.
    """
    writable_folder(out)
    timer = Timer()
    words = f"The labelled volumes in {data}"
    if data is None:
        data, words = out / "data", f"{UNLABELED + UNSEEN} generated short-axis hearts"
        timer.time("generate", lambda: write_hearts(out / "data", UNLABELED + UNSEEN, context.seed, context.reporter))
    found = find_cases(data / "imagesTr", data / "labelsTr")
    for entry in found.unreadable:
        context.reporter.warning(f"{entry.path}: {entry.reason}. It is left out.", entry.path)
    if len(found.cases) < 3 * LABELLED:
        needed = f"The demo needs at least {3 * LABELLED} labelled volumes"
        raise InputError(f"{needed}, {len(found.cases)} were found in {data}.", "Leave out --data to see it on generated ones.")
    division = divide(found.cases, context.seed)
    plan = _plan(division, context)
    context.reporter.plan(plan.to_json())
    pretrained = timer.time("pretrain", lambda: _pretrain(division, plan, out / "pretrain", context))
    methods = [
        _method(name, out / folder, encoder, division, plan, data, context, timer)
        for name, folder, encoder in ((WITH, WITH_FOLDER, pretrained.encoder), (WITHOUT, WITHOUT_FOLDER, None))
    ]
    segmented = [case for case in division.unseen if _segmented(out / WITH_FOLDER, case).exists()]
    report = ReportData(
        data=words,
        pretraining_volumes=len(division.pretraining),
        pretraining_slices=sum(canonical_view(source.geometry, plan.slices.axis).shape[0] for source in division.pretraining),
        labelled=len(division.labelled),
        unseen=len(division.unseen),
        finetuning_steps=FINETUNING_STEPS,
        methods=methods,
        pretraining=pretrained.rows,
        collapse_loss=math.log(2 * plan.pretrain.batch - 1),
        seconds=timer.seconds,
        cases=[_view(case, plan, out) for case in segmented[:_SHOWN_CASES]],
        device=device_name(context.device),
    )
    _write(out, report, context)
    return report


def _method(
    name: str, out: Path, encoder: Path | None, division: Division, plan: Plan, data: Path, context: Context, timer: Timer
) -> MethodResult:
    """Fine-tunes, segments the unseen cases and compares them with their labels."""
    tuned = timer.time(f"fine-tune {name}", lambda: _finetune(division, plan, out, data, encoder, context))
    found = timer.time(f"segment {name}", lambda: _judge(division, tuned.model, out, data, context))
    return MethodResult(name, found, tuned.rows)


def divide(cases: Sequence[Case], seed: int) -> Division:
    """Draws the unseen and the labelled cases; all others are pretrained on without their labels.

    At most 6 cases are unseen, and never more than a third.
    """
    order = np.random.default_rng(seed).permutation(len(cases))
    unseen = order[: min(UNSEEN, len(cases) // 3)]
    seen = order[len(unseen) :]
    return Division(
        pretraining=tuple(cases[k].source for k in sorted(seen)),
        labelled=tuple(cases[k] for k in sorted(seen[:LABELLED])),
        unseen=tuple(cases[k] for k in sorted(unseen)),
    )


def _plan(division: Division, context: Context) -> Plan:
    fingerprint = take_fingerprint(division.pretraining)
    plan = make_plan("recommended", fingerprint, device_facts(context.device))
    resolution = max(plan.slices.resolution_mm, round(fingerprint.extent_mm / SIZE, 3))
    return plan.override(
        slices__size=SIZE,
        slices__resolution_mm=resolution,
        pretrain__steps=PRETRAINING_STEPS,
        finetune__steps=FINETUNING_STEPS,
    )


def _pretrain(division: Division, plan: Plan, out: Path, context: Context) -> Pretrained:
    items = [BankItem(source) for source in division.pretraining]
    bank = build_bank(out / "state" / "bank", items, plan.slices, context.reporter, context.cancellation)
    return pretrain(bank, plan, out, context)


def _finetune(
    division: Division, plan: Plan, out: Path, data: Path, encoder: Path | None, context: Context
) -> Finetuned:  # fmt: skip
    items = [BankItem(case.source, case.labels) for case in division.labelled]
    bank = build_bank(out / "state" / "bank", items, plan.slices, context.reporter, context.cancellation)
    classes = find_classes(bank, class_names(data / "labelsTr"))
    annotations = Annotations(bank, classes, split_cases(bank.volumes, "none", context.seed))
    return finetune(annotations, plan, out, context, None if encoder is None else Start.encoder(encoder))


def _judge(division: Division, model: Path, out: Path, data: Path, context: Context) -> Evaluation:
    labels = out / "labels"
    for earlier in labels.glob("*_seg.nrrd"):  # of another seed, or of other data: they would be judged too
        earlier.unlink()
    predictor = Predictor.load(model, context.device)
    segment(predictor, [case.source for case in division.unseen], labels, context.reporter, context.cancellation)
    # Most truths have no prediction here, on purpose: that is nobody's warning.
    return evaluate(labels, data / "labelsTr", Reporter())


def _write(out: Path, report: ReportData, context: Context) -> None:
    dice = {
        method.name: {
            **{method.evaluation.name(k): method.evaluation.over_cases(k, "dice")[0] for k in method.evaluation.classes},
            "mean": method.evaluation.over_classes("dice"),
            "pooled": method.evaluation.pooled_dice(),
        }
        for method in report.methods
    }
    write_text(out / RESULTS_FILE, json.dumps(plain({"dice": dice, "seconds": report.seconds}), indent=2) + "\n")
    context.reporter.artifact("results", out / RESULTS_FILE)
    write_report(out / REPORT_FILE, report)
    context.reporter.artifact("report", out / REPORT_FILE)


def _segmented(out: Path, case: Case) -> Path:
    """Where the labels of an unseen case are; a case that cannot be used has none."""
    return out / "labels" / f"{case.id}_seg.nrrd"


def _view(case: Case, plan: Plan, out: Path) -> CaseView:
    """Three slices of an unseen case, with what both methods made of them."""
    view = canonical_view(case.source.geometry, plan.slices.axis)
    labels = [read_labels(find_volumes(_segmented(out / folder, case)).sources[0]) for folder in (WITH_FOLDER, WITHOUT_FOLDER)]
    image, truth = read_volume(case.source).voxels, read_labels(case.labels, case.source)
    spacing = (view.spacing[1], view.spacing[2])
    return view_case(case.id, view.apply(image), view.apply(truth), [view.apply(found) for found in labels], spacing)
