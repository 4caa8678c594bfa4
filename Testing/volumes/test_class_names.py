from __future__ import annotations

import json
from pathlib import Path

import pytest

from pcl_core.errors import InputError
from pcl_core.volumes.class_names import class_names, described_values


@pytest.mark.parametrize(
    "labels", [{"0": "background", "1": "liver", "2": "spleen"}, {"background": 0, "liver": 1, "spleen": 2}]
)
def test_class_names_come_from_either_form(tmp_path: Path, labels: dict) -> None:
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": labels}))
    (tmp_path / "labelsTr").mkdir()
    expected = {0: "background", 1: "liver", 2: "spleen"}
    assert class_names(tmp_path) == class_names(tmp_path / "labelsTr") == expected


def test_regions_are_left_out_and_a_missing_file_names_nothing(tmp_path: Path) -> None:
    assert class_names(tmp_path) == {}
    assert described_values(tmp_path) == frozenset()
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": {"background": 0, "whole": [1, 2], "core": 2}}))
    assert class_names(tmp_path) == {0: "background", 2: "core"}
    assert described_values(tmp_path) == {0, 1, 2}


@pytest.mark.parametrize("text", ["no json", "[]", '{"labels": {"a": "b"}}', '{"labels": 3}'])
def test_a_broken_dataset_json_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(InputError, match=r"dataset\.json"):
        class_names(tmp_path)


def test_the_names_of_a_known_data_set_are_taken_where_no_file_names_them(tmp_path: Path) -> None:
    assert class_names(tmp_path, "hvsmr") == {1: "myocardium", 2: "blood pool"}
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": {"own": 1}}))
    assert class_names(tmp_path, "hvsmr") == {1: "own"}
