"""The cells of an experiment, and the file that grows as they end."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from pcl_core.errors import InputError
from pcl_core.evaluation.protocol import ExperimentConfig
from pcl_core.evaluation.summary import Evaluation
from pcl_core.files import write_text
from pcl_core.plan import Plan

RESULTS_FILE = "results.csv"
# Methods that go by the threshold of the plan.
_BY_THRESHOLD = ("pcl", "moco-pcl")
FIGURES = ("dice", "pooled_dice", "hd95_mm", "seconds")


@dataclass(frozen=True)
class Cell:
    """One fine-tuning and what it is judged by.

    Attributes:
        setting: semi-supervised or transfer.
        method: initialisation.
        threshold: t of methods that go by it; None for others.
        labelled: M, number of annotated patients.
        fold: number of the fold that is tested on.
        seed: of everything random.
    """

    setting: str
    method: str
    threshold: float | None
    labelled: int
    fold: int
    seed: int

    @property
    def variant(self) -> str:
        """The method with its threshold: ``pcl-t0.35``, ``simclr``."""
        return self.method if self.threshold is None else f"{self.method}-t{self.threshold:g}"

    @property
    def folder(self) -> str:
        """Name of its folder."""
        return f"{self.variant}_m{self.labelled}_fold{self.fold}_seed{self.seed}"

    def key(self) -> dict[str, str]:
        """What it is called in results.csv."""
        return {name: "" if value is None else str(value) for name, value in asdict(self).items()}


def cells_of(config: ExperimentConfig, plan: Plan) -> list[Cell]:
    """All cells in the order in which they are done: by seed and fold, then M, then method, so that all methods grow together.

    Args:
        config: with ``thresholds``, each is a variant of pcl of its own beside that of the plan.
        plan: whose threshold is that of the methods that go by one.
    """
    own = plan.pretrain.threshold
    variants: list[tuple[str, float | None]] = [(method, own if method in _BY_THRESHOLD else None) for method in config.methods]
    variants += [("pcl", threshold) for threshold in config.thresholds if ("pcl", threshold) not in variants]
    return [
        Cell(config.setting, method, threshold, labelled, fold, seed)
        for seed in config.seeds
        for fold in config.folds_to_run
        for labelled in config.labelled
        for method, threshold in variants
    ]


@dataclass(frozen=True)
class Result:
    """A cell that is done.

    Attributes:
        cell: which.
        patients: that were annotated.
        figures: dice (mean of the classes' means over cases), pooled_dice (the paper's way of counting, on the native grid),
            hd95_mm, seconds (without the pretraining; of a cell that was gone on with, since then), collapse (the figure that
            its encoder ended with; 1 is collapsed), and ``dice <class>``; NaN where not known.
    """

    cell: Cell
    patients: tuple[str, ...]
    figures: Mapping[str, float]

    @classmethod
    def of(cls, cell: Cell, patients: Sequence[str], found: Evaluation, seconds: float, collapse: float = math.nan) -> Self:
        """Takes the figures from an evaluation of the test fold."""
        figures = {
            "dice": found.over_classes("dice"),
            "pooled_dice": found.pooled_dice(),
            "hd95_mm": found.over_classes("hd95_mm"),
            "seconds": round(seconds, 1),
            "collapse": collapse,
            **{f"dice {found.name(label)}": found.over_cases(label, "dice")[0] for label in found.classes},
        }
        return cls(cell, tuple(patients), {name: round(value, 6) for name, value in figures.items()})

    def row(self) -> dict[str, str]:
        """As results.csv has it; what is not known is empty."""
        figures = {name: "" if math.isnan(value) else repr(value) for name, value in self.figures.items()}
        return {**self.cell.key(), "patients": ";".join(self.patients), **figures}

    @classmethod
    def from_row(cls, row: Mapping[str, str]) -> Self:
        """Reads what row made. Raises KeyError or ValueError when it is no such row."""
        cell = Cell(
            setting=row["setting"],
            method=row["method"],
            threshold=float(row["threshold"]) if row["threshold"] else None,
            labelled=int(row["labelled"]),
            fold=int(row["fold"]),
            seed=int(row["seed"]),
        )
        figures = {name: row[name] for name in FIGURES}
        figures["collapse"] = row.get("collapse", "")  # earlier versions left it to the folder of the encoder
        figures |= {name: value for name, value in row.items() if name.startswith("dice ")}
        return cls(cell, tuple(row["patients"].split(";")), {name: float(value or "nan") for name, value in figures.items()})


class Results:
    """The cells that are done, in a file that is whole at any time.

    Args:
        path: of results.csv; what is in it already counts as done.

    Raises:
        InputError: the file cannot be read, or is no such table.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._done = self._read()

    def __contains__(self, cell: Cell) -> bool:
        return cell in self._done

    def of(self, cells: Sequence[Cell]) -> list[Result]:
        """The results of those of the cells that are done."""
        return [self._done[cell] for cell in cells if cell in self._done]

    def add(self, result: Result) -> None:
        """Adds a cell and writes the file anew, with what another process may have added to it meanwhile.

        Raises:
            InputError: that is impossible, or somebody has damaged the file.
        """
        self._done = {**self._read(), **self._done, result.cell: result}
        rows = [result.row() for result in self._done.values()]
        stream = io.StringIO()
        writer = csv.DictWriter(stream, list(dict.fromkeys(name for row in rows for name in row)), "", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(self._path, stream.getvalue())

    def _read(self) -> dict[Cell, Result]:
        if not self._path.exists():
            return {}
        try:
            rows = list(csv.DictReader(io.StringIO(self._path.read_text(encoding="utf-8"))))
            found = [Result.from_row(row) for row in rows]
        except OSError as error:
            raise InputError(f"Cannot read {self._path}: {error.strerror or error}.", "Check your rights.") from error
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            hint = "Mend it, or take it away: its cells are then done again."
            raise InputError(f"{self._path} is not a table of results: {error}.", hint) from error
        return {result.cell: result for result in found}
