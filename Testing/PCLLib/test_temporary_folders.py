"""Folders that a process of the engine writes into, and that are removed when it is over."""

from __future__ import annotations

import ast
from pathlib import Path

PCLLIB = Path(__file__).parents[2] / "PCLLib"


def test_a_process_that_has_not_quite_ended_cannot_turn_the_removal_of_its_folder_into_an_error():
    """Windows keeps files that somebody has open, and any system refuses a folder into which something is being written."""
    calls = [
        (path.name, node)
        for path in sorted(PCLLIB.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("TemporaryDirectory")
    ]
    assert len(calls) > 5
    patient = ("ignore_cleanup_errors", "True")
    complaining = [name for name, call in calls if patient not in {(one.arg, ast.unparse(one.value)) for one in call.keywords}]
    assert complaining == []
