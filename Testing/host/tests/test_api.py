import json

import pytest

from Testing.host.api import extract
from Testing.host.api.kept import kept_classes

SHOWN = {
    "QDial": {
        "properties": ["value"],
        "methods": ["setValue"],
        "signals": ["valueChanged"],
        "enums": {},
        "beyond": "QWidget",
    },
}
DECLARED = {
    "ctkKnob": {
        "bases": ["QWidget"],
        "properties": {"turns": {"type": "int"}},
        "signals": ["turned(int turns)", "turned(double angle)"],
        "slots": ["turn(int turns)"],
        "invokables": ["angle()"],
    },
}


@pytest.fixture
def listings(tmp_path, monkeypatch):
    """The arguments that name two small listings; what is kept goes to a file of the test's own."""
    monkeypatch.setattr(extract, "KEPT", tmp_path / "kept.json")
    (tmp_path / "pythonqt.json").write_text(json.dumps({"classes": SHOWN}))
    (tmp_path / "widgets.json").write_text(json.dumps({"classes": DECLARED}))
    return ["--pythonqt", str(tmp_path / "pythonqt.json"), "--widgets", str(tmp_path / "widgets.json")]


def test_a_class_is_added_by_its_name(listings, tmp_path):
    assert extract.main([*listings, "QDial"]) == 0
    assert extract.main([*listings, "ctkKnob"]) == 0
    kept = json.loads((tmp_path / "kept.json").read_text())
    assert kept["QDial"]["methods"] == ["setValue"]
    assert (kept["ctkKnob"]["methods"], kept["ctkKnob"]["signals"]) == (["angle", "turn"], ["turned"])
    assert kept["ctkKnob"]["signatures"] == ["turned(int turns)", "turned(double angle)"]


def test_a_class_that_no_listing_has_is_named_and_nothing_is_written(listings, tmp_path, capsys):
    assert extract.main([*listings, "QDial", "QDail"]) == 2
    assert "QDail" in capsys.readouterr().err
    assert not (tmp_path / "kept.json").exists()


def test_every_kept_class_exists_on_the_bench(host):
    from Testing.host.pythonqt.wrapping import registry

    assert sorted(set(kept_classes()) - set(registry)) == []


def test_no_class_shows_more_than_its_listing(host):
    from Testing.host.pythonqt.wrapping import Wrapper, registry

    listing = kept_classes()
    plain = set(dir(Wrapper)) | {"__weakref__"}
    for name, made in registry.items():
        allowed, reached = set(), name
        while reached in listing:
            api = listing[reached]
            allowed |= api.names() | {f"{method}_" for method in api.methods}
            allowed |= {value for values in api.enums.values() for value in values}
            everything = "*" in api.enums
            reached = api.beyond
        shown = {attribute for attribute in dir(made) if not attribute.startswith("_")}
        assert everything or not shown - allowed - plain, (name, sorted(shown - allowed - plain))


def test_a_ui_file_with_a_widget_that_has_no_stand_in_is_refused(bench, slicer, tmp_path):
    file = tmp_path / "panel.ui"
    file.write_text('<ui version="4.0"><class>A</class><widget class="ctkThermometer" name="warmth"/></ui>')
    with pytest.raises(RuntimeError, match=r"ctkThermometer \('warmth'\)"):
        slicer.util.loadUI(str(file))
