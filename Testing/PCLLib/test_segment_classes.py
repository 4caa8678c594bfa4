"""Class lists: taken over from segments, matched by name afterwards."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def facts():
    from PCLLib.segment_classes import SegmentFacts

    return lambda *names: [SegmentFacts(f"id {name}", name, (0.1, 0.2, 0.3), f"tag {name}") for name in names]


@pytest.fixture
def classes():
    from PCLLib.segment_classes import SegmentClass

    return (SegmentClass(1, "left ventricle", (1, 0, 0)), SegmentClass(4, "myocardium", (0, 1, 0)))


def test_a_list_is_taken_over_from_segments(facts):
    from PCLLib.segment_classes import extended

    found = extended((), facts("RV", "LV"))
    assert [(one.value, one.name, one.color, one.terminology) for one in found] == [
        (1, "RV", (0.1, 0.2, 0.3), "tag RV"),
        (2, "LV", (0.1, 0.2, 0.3), "tag LV"),
    ]


def test_a_list_grows_by_new_names_only_and_keeps_its_values(facts, classes):
    from PCLLib.segment_classes import extended

    found = extended(classes, facts("Left  Ventricle", "atrium", "aorta", "vein", "node"))
    assert [(one.value, one.name) for one in found[2:]] == [(2, "atrium"), (3, "aorta"), (5, "vein"), (6, "node")]
    assert found[:2] == classes


def test_segments_are_matched_by_name_whatever_capitals_and_spaces(facts, classes):
    from PCLLib.segment_classes import matched

    found = matched(facts("LEFT ventricle ", "tumour", "left ventricle"), classes)
    assert found.values == {"id LEFT ventricle ": 1, "id left ventricle": 1}
    assert found.unknown == ("tumour",)
    assert found.absent == ("myocardium",)


def test_a_list_goes_into_a_file_of_the_engine_and_back(classes, tmp_path):
    from pcl_core.commands.class_list import read_class_list as read_by_engine
    from PCLLib.segment_classes import class_list, read_class_list, write_class_list

    assert read_class_list(class_list(classes)) == classes
    assert read_class_list("") == ()
    path = write_class_list(tmp_path / "classes.json", classes)
    assert [one.name for one in read_by_engine(path)] == [one["name"] for one in json.loads(path.read_text())]


def test_a_class_that_is_renamed_again_goes_by_its_last_name():
    from PCLLib.segment_classes import SegmentClass, renamed, with_renaming

    names = with_renaming({}, "block", "ventricle")
    names = with_renaming(names, "Ventricle", "LV")
    (entry,) = renamed([SegmentClass(3, "Block", (1.0, 0.0, 0.0))], names)
    assert (entry.value, entry.name) == (3, "LV")
    names = with_renaming(names, "LV", "block")
    assert renamed([SegmentClass(3, "block", (1.0, 0.0, 0.0))], names)[0].name == "block"
