"""results.csv: whole at any time, and read back as it was written."""

from __future__ import annotations

import math

import pytest

from pcl_core.errors import InputError
from pcl_core.evaluation.cells import Cell, Result, Results
from pcl_core.evaluation.metrics import ClassMetrics
from pcl_core.evaluation.patients import patient_scores, without_evaluation
from pcl_core.evaluation.summary import Evaluation

CELL = Cell("semi-supervised", "pcl", 0.35, 2, 1, 0)
UNKNOWN = ClassMetrics(math.nan, math.nan, math.nan)
FOUND = Evaluation(
    cases={
        "a_1": {1: ClassMetrics(0.5, 2.0, 1.0), 2: ClassMetrics(0.0, math.nan, math.nan)},
        "b": {1: ClassMetrics(0.7, 4.0, 1.0), 2: UNKNOWN},
    },
    classes=(1, 2),
    pooled={1: 0.625, 2: 0.125},
    names={1: "ventricle, left"},
)


def other(**values):
    return Cell(**{**CELL.__dict__, **values})


def test_the_figures_of_a_cell_are_those_of_its_evaluation():
    figures = Result.of(CELL, ["p1"], FOUND, 12.345).figures
    assert figures["dice"] == pytest.approx((0.6 + 0.0) / 2)
    assert (figures["pooled_dice"], figures["hd95_mm"], figures["seconds"]) == (0.375, 3.0, 12.3)
    assert (figures["dice ventricle, left"], figures["dice 2"]) == (0.6, 0.0)


def test_what_is_written_is_read_back_and_written_the_same(tmp_path):
    results = Results(tmp_path / "results.csv")
    first = Result.of(CELL, ["patient 1", "p2"], FOUND, 1.0, collapse=0.5)
    nothing = Result(other(method="random", threshold=None), ("p1",), {**first.figures, "hd95_mm": math.nan})
    for result in (first, nothing):
        results.add(result)
    before = (tmp_path / "results.csv").read_bytes()
    again = Results(tmp_path / "results.csv")
    assert again.of([CELL]) == [first]
    assert math.isnan(again.of([nothing.cell])[0].figures["hd95_mm"])
    assert nothing.cell in again
    assert other(seed=1) not in again
    again.add(again.of([nothing.cell])[0])
    assert (tmp_path / "results.csv").read_bytes() == before


def test_the_collapse_of_the_encoder_is_kept_and_missing_in_tables_of_earlier_versions(tmp_path):
    results = Results(tmp_path / "results.csv")
    results.add(Result.of(CELL, ["p1"], FOUND, 1.0, collapse=0.875))
    assert Results(tmp_path / "results.csv").of([CELL])[0].figures["collapse"] == 0.875
    text = (tmp_path / "results.csv").read_text()
    (tmp_path / "results.csv").write_text(text.replace(",collapse", "").replace(",0.875", ""))
    found = Results(tmp_path / "results.csv").of([CELL])[0]
    assert math.isnan(found.figures["collapse"])
    assert found.figures["dice 2"] == 0.0


def test_rows_stay_in_the_order_in_which_cells_ended(tmp_path):
    results = Results(tmp_path / "results.csv")
    cells = [other(seed=seed) for seed in (3, 1, 2)]
    for cell in cells:
        results.add(Result.of(cell, ["p1"], FOUND, 1.0))
    lines = (tmp_path / "results.csv").read_text().splitlines()
    assert lines[0].startswith("setting,method,threshold,labelled,fold,seed,patients,dice,pooled_dice,hd95_mm,seconds,")
    assert [line.split(",")[5] for line in lines[1:]] == ["3", "1", "2"]
    assert [result.cell for result in results.of(sorted(cells, key=lambda cell: cell.seed))] == [cells[1], cells[2], cells[0]]


def test_rows_that_another_process_adds_meanwhile_are_kept(tmp_path):
    ours, theirs = Results(tmp_path / "results.csv"), Results(tmp_path / "results.csv")
    for results, seed in ((ours, 0), (theirs, 1), (ours, 2)):
        results.add(Result.of(other(seed=seed), ["p1"], FOUND, 1.0))
    found = Results(tmp_path / "results.csv")
    assert all(other(seed=seed) in found for seed in (0, 1, 2))


@pytest.mark.parametrize("text", ["method,dice\npcl,0.5\n", "setting,method\n", "\x00"])
def test_a_damaged_table_is_refused_by_name_unless_it_has_no_rows(text, tmp_path):
    path = tmp_path / "results.csv"
    path.write_text(text)
    if text.count("\n") < 2:
        assert CELL not in Results(path)
        return
    with pytest.raises(InputError, match=r"results\.csv"):
        Results(path)


def test_a_patient_has_the_mean_over_classes_by_seed_and_case(tmp_path):
    again = other(seed=1)
    for cell in (CELL, again):
        FOUND.save(tmp_path / cell.folder / "evaluation.json")
    results = [Result.of(cell, ["p1"], FOUND, 1.0) for cell in (CELL, again, other(seed=2))]
    assert patient_scores(results, tmp_path, {"a_1": "a", "b": "b"}) == {
        ("pcl", 2): {"a": {(0, "a_1"): 0.25, (1, "a_1"): 0.25}, "b": {(0, "b"): 0.7, (1, "b"): 0.7}}
    }
    joined = patient_scores(results, tmp_path, {"a_1": "x", "b": "x"})["pcl", 2]["x"]
    assert joined == {(0, "a_1"): 0.25, (0, "b"): 0.7, (1, "a_1"): 0.25, (1, "b"): 0.7}
    assert without_evaluation(results, tmp_path) == [other(seed=2).folder]


def test_a_damaged_evaluation_is_refused_by_name(tmp_path):
    (tmp_path / CELL.folder).mkdir()
    (tmp_path / CELL.folder / "evaluation.json").write_text("{}")
    with pytest.raises(InputError, match=r"evaluation\.json"):
        patient_scores([Result.of(CELL, ["p1"], FOUND, 1.0)], tmp_path, {})
