"""What panels do by themselves, in processes of seconds each: looking for graphics cards, and estimating."""

from __future__ import annotations

import pytest


def without_asides(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps a panel from these things, which take a third of the time of its tests, unless the test asks for ``asides``.

    Called before the panel is made.
    """
    if "asides" not in request.fixturenames:
        monkeypatch.setattr("PCLLib.graphics.Graphics.look", lambda _self: None)
        monkeypatch.setattr("PCLLib.estimating.Estimating.start", lambda _self, _settings, _report: None)
        monkeypatch.setattr("PCLLib.finetune_part._PATIENCE_MS", 2**30)
