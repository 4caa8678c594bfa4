from __future__ import annotations

import re
from pathlib import Path

import pytest

from PCLLib.events import Failed, Warned, parse
from PCLLib.panel_words import _PHRASES, panel_words

ENGINE = Path(__file__).resolve().parents[2] / "pcl_core"


@pytest.mark.parametrize(
    ("engine", "panel"),
    [
        ("Use fewer processes, or a larger --batch.", "Use fewer processes, or a larger batch."),
        ("Lower --learning-rate.", "Use another batch size, or leave out volumes with unusual values."),
        ("Choose another --out.", "Choose another output folder."),
        ("Call it as before, or leave out --resume to start anew.", "Call it as before, or start anew."),
        ("Close other programs, or use --device cpu.", "Close other programs, or choose Processor under Compute on."),
        ("Repair it, or leave out --strict to skip it.", "Repair it."),
        ("Slices -- all of them -- are 2-3 mm apart.", "Slices -- all of them -- are 2-3 mm apart."),
    ],
)
def test_options_become_words(engine: str, panel: str) -> None:
    assert panel_words(engine) == panel


@pytest.mark.parametrize("phrase", [engine for engine, _ in _PHRASES])
def test_every_phrase_is_one_that_the_engine_says(phrase: str) -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in ENGINE.rglob("*.py"))
    assert phrase in re.sub(r'"\s*\n\s*f?"', "", sources)


def test_errors_and_warnings_reach_the_panel_without_options() -> None:
    error = parse('{"event": "error", "kind": "input", "message": "It diverged.", "hint": "Lower --learning-rate."}')
    assert error == Failed("input", "It diverged.", "Use another batch size, or leave out volumes with unusual values.")
    assert parse('{"event": "warning", "message": "Use another --threshold."}') == Warned("Use another threshold.", None)
