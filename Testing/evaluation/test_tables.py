"""Tables in the paper's form, the tests between methods, and the curve."""

from __future__ import annotations

import io
import itertools
import math
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_rgb

from pcl_core.evaluation import learning_curve
from pcl_core.evaluation.cells import Cell, Result
from pcl_core.evaluation.learning_curve import colour_of_method, learning_curve_png, line_of_method
from pcl_core.evaluation.protocol import METHODS, ExperimentConfig, PretrainOn
from pcl_core.evaluation.significance import compare, compare_all, holm
from pcl_core.evaluation.tables import main_results, mean_with_deviation, paper_table, table_md


def config_of(**values):
    least = {"name": "Hearts", "images": Path("i"), "labels": Path("l"), "methods": ("random", "pcl"), "labelled": (2, 4)}
    return ExperimentConfig(**{**least, "folds": 2, **values})


def result_of(method, labelled, dice, fold=0, threshold=None):
    figures = {"dice": dice, "pooled_dice": dice + 0.1, "hd95_mm": 10 * dice, "seconds": 1.0}
    return Result(Cell("semi-supervised", method, threshold, labelled, fold, 0), ("a", "b"), figures)


def by_case(dice, seeds=(0,)):
    """Scores of patients with one case each, the same with every seed."""
    return {patient: {(seed, patient): value for seed in seeds} for patient, value in dice.items()}


def rows_of(table):
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def section(text, title):
    return text.split(f"## {title}")[1].split("\n## ")[0]


def test_a_cell_is_written_as_the_paper_writes_it():
    assert mean_with_deviation([0.611, 0.731]) == "0.671(.08)"
    assert mean_with_deviation([0.5]) == "0.500"
    assert mean_with_deviation([]) == "-"
    assert mean_with_deviation([math.nan, 0.25]) == "0.250"
    assert mean_with_deviation([10.0, 13.0], 1) == "11.5(2.1)"
    assert mean_with_deviation([10.0, 10.2], 1) == "10.1(0.1)"


def test_the_best_of_each_column_is_bold_and_so_is_what_equals_it_as_printed():
    table = paper_table({"random": {2: [0.5], 4: [0.80004]}, "pcl": {2: [0.6], 4: [0.80001]}, "gcl": {2: [0.1]}}, [2, 4])
    assert rows_of(table) == [
        ["Method", "M=2", "M=4"],
        ["---", "---", "---"],
        ["random", "0.500", "**0.800**"],
        ["pcl", "**0.600**", "**0.800**"],
        ["gcl", "0.100", "-"],
    ]


def test_the_table_has_a_row_a_method_and_both_ways_of_counting_dice():
    results = [result_of(method, m, dice) for method, dice in (("random", 0.2), ("pcl", 0.3)) for m in (2, 4)]
    text = table_md(config_of(), results, 0.35, {}, len(results), {})
    assert text.startswith("# Hearts\n")
    assert rows_of(section(text, "Dice, mean"))[2:] == [["random", "0.200", "0.200"], ["pcl", "**0.300**", "**0.300**"]]
    assert rows_of(section(text, "Dice, pooled"))[3] == ["pcl", "**0.400**", "**0.400**"]
    assert rows_of(section(text, "HD95"))[2:] == [["random", "**2.0**", "**2.0**"], ["pcl", "3.0", "3.0"]]
    assert "Not finished" not in text


def test_a_table_of_an_unfinished_experiment_says_so():
    text = table_md(
        config_of(), [result_of("random", 2, 0.1), result_of("random", 2, 0.2, 1), result_of("pcl", 2, 0.3)], 0.35, {}, 8, {}
    )
    assert "3 of 8 cells" in text
    assert "1 to 2 cells each" in text


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"pool": "all"}, "those of the test fold included"),
        ({"pool": "train"}, "without those of the test fold"),
        ({"pretrain_on": PretrainOn(Path("chd"))}, "another data set"),
        ({"methods": ("random",)}, "Nothing was pretrained"),
    ],
)
def test_the_table_says_what_the_encoders_have_seen(values, words):
    assert words in table_md(config_of(**values), [result_of("random", 2, 0.1)], 0.35, {}, 1, {})


def test_the_sweep_stands_in_a_table_of_its_own_and_not_in_the_main_one():
    results = [result_of("pcl", 2, 0.3, threshold=0.35), result_of("pcl", 2, 0.9, threshold=0.1), result_of("random", 2, 0.2)]
    text = table_md(config_of(thresholds=(0.1, 0.35)), results, 0.35, {}, 3, {})
    assert rows_of(section(text, "Dice, mean"))[2:] == [["pcl", "**0.300**", "-"], ["random", "0.200", "-"]]
    sweeps = [section(text, f"Threshold of PCL: Dice, {kind}") for kind in ("mean", "pooled")]
    assert rows_of(sweeps[0])[2:] == [["t = 0.1", "**0.900**", "-"], ["t = 0.35", "0.300", "-"]]
    assert rows_of(sweeps[1])[2:] == [["t = 0.1", "**1.000**", "-"], ["t = 0.35", "0.400", "-"]]
    assert main_results(results, ("random", "pcl"), 0.35) == [results[0], results[2]]


def test_a_sweep_without_pcl_among_the_methods_stays_out_of_the_main_table():
    results = [result_of("pcl", 2, 0.3, threshold=0.35), result_of("random", 2, 0.2)]
    assert main_results(results, ("random", "gcl"), 0.35) == results[1:]


def test_the_table_names_the_encoders_that_collapsed_or_says_that_none_did():
    results = [result_of("pcl", 2, 0.3)]
    bad = table_md(config_of(), results, 0.35, {}, 1, {"pcl_seed0": 1.0, "gcl_seed0": 0.4})
    assert "**Collapsed" in bad
    assert "pcl_seed0 (1.00)." in bad
    good = table_md(config_of(), results, 0.35, {}, 1, {"pcl_seed0": 0.3, "gcl_seed0": 0.4})
    assert "No encoder collapsed" in good
    assert "0.40 (gcl_seed0)" in good


def test_ten_patients_that_all_gain_give_the_exact_p_of_the_signed_ranks():
    ours = by_case({f"p{k}": 0.5 + 0.01 * k for k in range(10)})
    theirs = by_case({f"p{k}": 0.4 + 0.005 * k for k in range(10)} | {"stranger": 0.1})
    found = compare("pcl", "random", 2, ours, theirs)
    assert found.n == 10
    assert found.p == pytest.approx(2 / 2**10)
    assert found.difference == pytest.approx(0.1 + 0.005 * 4.5)
    back = compare("random", "pcl", 2, theirs, ours)
    assert (back.p, back.difference) == (pytest.approx(found.p), pytest.approx(-found.difference))


def test_methods_that_are_alike_differ_by_nothing_and_without_patients_nothing_is_said():
    same = by_case({"a": 0.5, "b": 0.1})
    assert compare("pcl", "random", 2, same, same).p == 1
    assert compare("pcl", "random", 2, by_case({"a": 0.5}), by_case({"b": 0.5})).n == 0
    assert compare("a", "b", 2, by_case({"a": math.nan}), by_case({"a": 1.0})).n == 0


def test_methods_are_compared_on_the_seeds_and_cases_that_both_have():
    ours = {f"p{k}": {(0, f"p{k}_ed"): 0.5, (0, f"p{k}_es"): 0.7, (1, f"p{k}_ed"): 0.1} for k in range(8)}
    theirs = {f"p{k}": {(0, f"p{k}_ed"): 0.5, (0, f"p{k}_es"): 0.7 - 0.01 * k} for k in range(8)}
    found = compare("pcl", "random", 2, ours, theirs)
    assert found.n == 8
    assert found.difference == pytest.approx(0.01 * 3.5 / 2)
    theirs["p7"] = {(1, "p7_es"): 0.9}
    assert compare("pcl", "random", 2, ours, theirs).n == 7


def test_the_correction_of_holm_on_a_worked_example():
    assert holm([0.01, 0.04, math.nan, 0.03, 0.005])[:2] == pytest.approx([0.03, 0.06])
    assert holm([0.01, 0.04, math.nan, 0.03, 0.005])[3:] == pytest.approx([0.06, 0.02])
    assert math.isnan(holm([0.01, math.nan])[1])


@given(st.lists(st.floats(0, 1), max_size=12))
def test_the_correction_of_holm_never_lowers_a_p_nor_changes_their_order(values):
    corrected = holm(values)
    assert all(p <= q <= 1 for p, q in zip(values, corrected, strict=True))
    order = np.argsort(values, kind="stable")
    assert all(corrected[a] <= corrected[b] for a, b in itertools.pairwise(order))


def test_every_two_methods_are_compared_at_every_m_with_the_number_of_patients():
    scores = {
        (method, m): by_case({f"p{k}": 0.1 * (method == "pcl") + 0.01 * k for k in range(8)}, seeds=(0, 1))
        for method in ("random", "pcl")
        for m in (2,)
    }
    assert [(c.first, c.second, c.labelled, c.n) for c in compare_all(("random", "pcl"), (2, 4), scores)] == [
        ("pcl", "random", 2, 8),
        ("pcl", "random", 4, 0),
    ]
    text = table_md(config_of(), [result_of("random", 2, 0.1)], 0.35, scores, 1, {})
    assert rows_of(section(text, "Between methods"))[2:] == [["pcl - random", "**+0.100, p=0.008, n=8**", "-"]]
    assert "evaluation.json" not in text


def test_cells_that_take_no_part_in_the_tests_are_named():
    text = table_md(config_of(), [result_of("random", 2, 0.1)], 0.35, {}, 1, {}, ["random_m2_fold0_seed0"])
    assert "1 that are done have no evaluation.json" in section(text, "Between methods")
    assert "(random_m2_fold0_seed0)" in section(text, "Between methods")


def test_ten_patients_that_all_gain_can_be_told_from_chance_among_six_methods_and_four_m():
    methods, labelled = ("random", "rotation", "pirl", "simclr", "gcl", "pcl"), (2, 4, 6, 8)
    scores = {
        (method, m): by_case({f"p{k}": 0.01 * k + 0.1 * (method == "pcl") for k in range(10)})
        for method in methods
        for m in labelled
    }
    found = [c for c in compare_all(methods, labelled, scores) if c.first == "pcl"]
    assert len(found) == 20
    assert all(c.holm == pytest.approx(15 * 2 / 2**10) for c in found)


def test_each_method_has_a_look_of_its_own_also_when_more_are_added(monkeypatch):
    assert len({colour_of_method(method) for method in METHODS}) == min(9, len(METHODS))
    many = (*METHODS, *(f"method {k}" for k in range(12)))
    monkeypatch.setattr(learning_curve, "METHODS", many)
    assert len({(colour_of_method(method), line_of_method(method)) for method in many}) == len(many)


def test_the_better_method_lies_higher_in_the_curve():
    dice = {("random", 2): 0.2, ("random", 8): 0.3, ("pcl", 2): 0.6, ("pcl", 8): 0.7}
    results = [result_of(method, m, value + 0.02 * fold, fold) for (method, m), value in dice.items() for fold in (0, 1)]
    picture = matplotlib.image.imread(io.BytesIO(learning_curve_png(results, "Hearts")), format="png")[..., :3]
    heights = {}
    for method in ("random", "pcl"):
        near = (np.abs(picture - np.array(to_rgb(colour_of_method(method)))) < 0.06).all(axis=-1)
        heights[method] = np.nonzero(near[:, picture.shape[1] // 2])[0].mean()
    assert heights["pcl"] < heights["random"]


def test_a_curve_of_nothing_yet_is_a_picture():
    assert learning_curve_png([], "Hearts").startswith(b"\x89PNG")


def test_a_heading_is_shown_whole_and_as_it_is_written():
    picture = matplotlib.image.imread(io.BytesIO(learning_curve_png([], r"$5 \frac$ " + "words " * 14)), format="png")
    assert (picture[:45, -8:, :3] > 0.9).all()  # nothing is cut off at the right
