"""Several experiments by one command."""

from __future__ import annotations

import json

import pytest

from pcl_core.errors import InputError
from pcl_core.evaluation.series import load_series
from pcl_core.evaluation.tables import series_md

ONE = {"name": "Hearts", "images": "data", "labels": "data", "methods": ["random"], "labelled": [1], "folds": 2}


@pytest.fixture
def write(tmp_path):
    def put(file, **data):
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(data))
        return path

    return put


def test_one_experiment_is_a_series_of_one_without_a_folder_of_its_own(write):
    series = load_series(write("one.json", **ONE))
    assert (series.name, list(series.experiments)) == ("Hearts", [""])


def test_a_list_reads_each_from_its_own_folder(write, tmp_path):
    write("one.json", **ONE)
    write("more/two.json", **{**ONE, "name": "Livers"})
    series = load_series(write("both.json", name="Table 1", experiments=["one.json", "more/two.json"]))
    assert series.name == "Table 1"
    assert {name: config.images for name, config in series.experiments.items()} == {
        "one": tmp_path / "data",
        "two": tmp_path / "more" / "data",
    }


@pytest.mark.parametrize(
    ("data", "fragment"),
    [
        ({"name": "T", "experiments": []}, "empty"),
        ({"name": "T", "experiments": ["one.json", "more/one.json"]}, "twice"),
        ({"name": "T", "experiments": ["three.json"]}, r"three\.json"),
        ({"name": "T", "experiments": "one.json"}, "experiments"),
        ({"experiments": ["one.json"]}, "lacks 'name'"),
        ({"name": "T", "experiments": ["one.json"], "fold": 3}, "unknown key 'fold'"),
        ({"name": "T", "experiments": ["bad.json"]}, r"no method 'pcll'.*'pcl'"),
    ],
    ids=str,
)
def test_a_list_that_cannot_be_run_is_refused(data, fragment, write):
    write("one.json", **ONE)
    write("more/one.json", **ONE)
    write("bad.json", **{**ONE, "methods": ["pcll"]})
    with pytest.raises(InputError, match=fragment):
        load_series(write("list.json", **data))


def test_the_joint_table_has_one_heading_and_the_others_below_it():
    assert series_md("Table 1", ["# CHD\n\n## Dice\n", "# ACDC\n\n| # | 1 |\n"]) == (
        "# Table 1\n\n## CHD\n\n### Dice\n\n## ACDC\n\n| # | 1 |\n"
    )
