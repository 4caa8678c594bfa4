"""The command ``evaluate``: predicted label volumes against true ones, each on its own grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pcl_core.errors import InputError
from pcl_core.evaluation.matching import Matched, Pair, match_predictions, shared_name
from pcl_core.evaluation.metrics import ClassMetrics, PooledDice, case_metrics
from pcl_core.evaluation.summary import Evaluation
from pcl_core.events import Reporter
from pcl_core.volumes.cases import find_labels
from pcl_core.volumes.class_names import class_names
from pcl_core.volumes.reading import SAME_GRID, read_labels
from pcl_core.volumes.volume import NOT_ANNOTATED, VolumeSource

_NAMES = "A prediction has the name of its truth, with or without _seg, _gt, _label or _mask."
_RESAMPLE = "Resample the prediction to the grid of the truth (nearest neighbour), or segment the image itself again."
_NOTHING = ClassMetrics(math.nan, math.nan, math.nan)


def evaluate(predictions: Path, truth: Path, reporter: Reporter, strict: bool = False, layout: str = "auto") -> Evaluation:
    """Compares label volumes, matched by name.

    Args:
        predictions: a label file or a folder of them.
        truth: likewise; two single files are compared whatever their names are. The names of the classes are taken from the
            ``dataset.json`` in this folder or beside it, or are those of the data set that its files are named as.
        reporter: told of the progress, of everything left out, and of the figures as a table.
        strict: whether a missing counterpart, an unreadable file or another grid ends the evaluation, instead of being
            reported and left out.
        layout: how the data set names its truths, one of ``layouts.NAMES``.

    Returns:
        the figures. The classes are those that occur in a truth; 0 and 255 ("not annotated") are none.

    Raises:
        InputError: there is nothing to compare, or ``strict`` and something would have been left out.
    """
    skipped = _Skipped(reporter, strict)
    matched = _matched(predictions, truth, skipped, layout)
    cases: dict[str, dict[int, ClassMetrics]] = {}
    in_truths: set[int] = set()
    in_predictions: set[int] = set()
    pooled = PooledDice()
    for number, pair in enumerate(matched.pairs):
        reporter.progress("evaluate", number, len(matched.pairs))
        try:
            predicted, true = _read(pair)
        except InputError as error:
            skipped.add(f"{pair.id} is left out: {error.message}", pair.prediction.path, error)
            continue
        labels, invented = _labels_in(true), _labels_in(np.where(true == NOT_ANNOTATED, 0, predicted))
        in_truths |= labels
        in_predictions |= invented
        cases[pair.id] = case_metrics(predicted, true, pair.truth.geometry.spacing[::-1], sorted(labels | invented))
        pooled.add(predicted, true)
    if not cases:
        first = skipped.causes[0]
        raise InputError(f"Nothing in {predictions} can be compared with {truth}: {first.message}", first.hint)
    reporter.progress("evaluate", len(matched.pairs), len(matched.pairs))
    classes = tuple(sorted(in_truths))
    if not classes:
        reporter.warning("No truth has a label other than 0 and 255, so there are no figures.", truth)
    if in_predictions - in_truths:
        listed = ", ".join(map(str, sorted(in_predictions - in_truths)))
        reporter.warning(
            f"The predictions have labels that no truth has: {listed}. They do not enter the figures.", predictions
        )
    result = Evaluation(
        cases={case: {label: found.get(label, _NOTHING) for label in classes} for case, found in cases.items()},
        classes=classes,
        pooled=pooled.per_class(),
        names={label: name for label, name in _names(truth, matched).items() if label in classes},
        skipped=tuple(skipped.messages),
    )
    columns, rows = result.table()
    reporter.table(
        f"{len(cases)} cases, mean ± standard deviation (missed: only prediction or only truth has it)", columns, rows
    )
    return result


class _Skipped:
    """What was left out; ends the work instead when it is to be strict."""

    def __init__(self, reporter: Reporter, strict: bool) -> None:
        self.messages: list[str] = []
        self.causes: list[InputError] = []
        self._reporter = reporter
        self._strict = strict

    def add(self, message: str, path: Path, cause: InputError | None = None) -> None:
        if cause:
            self.causes.append(cause)
        if self._strict:
            raise cause or InputError(message, "Leave out --strict to go on without.")
        self.messages.append(message)
        self._reporter.warning(message, path)


def _matched(predictions: Path, truth: Path, skipped: _Skipped, layout: str) -> Matched:
    """Finds both sides and pairs them, reporting what has no counterpart."""
    ours, theirs = find_labels(predictions), find_labels(truth, layout)
    for unreadable in (*ours.unreadable, *theirs.unreadable):
        skipped.add(f"{unreadable.path} is left out: {unreadable.reason}.", unreadable.path)
    if predictions.is_file() and truth.is_file() and len(ours.sources) == len(theirs.sources) == 1:
        only = Pair(shared_name(theirs.sources[0].id), ours.sources[0], theirs.sources[0])
        return Matched((only,), (), (), ())
    matched = match_predictions(ours.sources, theirs.sources)
    for name in matched.ambiguous:
        skipped.add(f"{name} is left out: several files have this name without suffix.", predictions)
    if not matched.pairs:
        raise InputError(f"No prediction in {predictions} has the name of a label file in {truth}.", _NAMES)
    if matched.without_prediction:
        skipped.add(f"{_list(matched.without_prediction)} in {truth} have no prediction in {predictions}.", truth)
    if matched.without_truth:
        skipped.add(f"{_list(matched.without_truth)} in {predictions} have no truth in {truth}.", predictions)
    return matched


def _list(sources: Sequence[VolumeSource]) -> str:
    names = ", ".join(source.path.name for source in sources[:3])
    count = f"{len(sources)} label file{'s' * (len(sources) > 1)}"
    return f"{count} ({names}{', ...' if len(sources) > 3 else ''})"


def _read(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """Both label arrays (z, y, x). Raises InputError when one is unreadable or the grids differ."""
    difference = pair.prediction.geometry.differs_from(pair.truth.geometry, SAME_GRID)
    if difference:
        raise InputError(
            f"{pair.prediction.path} does not lie on the grid of its truth {pair.truth.path}: {difference}.", _RESAMPLE
        )
    # What is background or a slip in the truths' data set is so in a prediction, too.
    return read_labels(replace(pair.prediction, data_set=pair.truth.data_set)), read_labels(pair.truth)


def _names(truth: Path, matched: Matched) -> dict[int, str]:
    return class_names(truth if truth.is_dir() else truth.parent, matched.pairs[0].truth.data_set)


def _labels_in(labels: np.ndarray) -> set[int]:
    found = {int(label) for label in np.nonzero(np.bincount(labels.ravel(), minlength=256))[0]}
    return found - {0, NOT_ANNOTATED}
