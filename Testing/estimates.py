"""Estimates that panels make by themselves, each in a process of seconds."""

from __future__ import annotations

import pytest


def without_estimates(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps a panel from estimating, which takes a sixth of the time of its tests, unless the test asks for ``estimates``."""
    if "estimates" not in request.fixturenames:
        monkeypatch.setattr("PCLLib.estimating.Estimating.start", lambda _self, _settings, _report: None)
        monkeypatch.setattr("PCLLib.finetune_part._PATIENCE_MS", 2**30)
