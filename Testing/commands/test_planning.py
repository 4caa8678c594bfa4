"""What the planning of a command says of the volumes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pcl_core.commands.planning import warn_of_shrinking
from pcl_core.events import Collected, Reporter
from pcl_core.plan import SlicePlan
from pcl_core.volumes.discovery import find_volumes
from Testing.data_sets import save


def test_volumes_that_a_training_shrinks_and_a_prediction_does_not_are_warned_of(tmp_path: Path) -> None:
    for name, side in (("fits", 20), ("nearly", 22), ("wide", 30)):
        save(tmp_path / f"{name}.nii.gz", np.arange(2 * side * side, dtype=np.int16).reshape(2, side, side), (1.0, 1.0, 4.0))
    sources = find_volumes(tmp_path, "folder").sources
    sink = Collected()
    warn_of_shrinking(sources, SlicePlan("auto", 0.5, 40), Reporter(sink))
    (warning,) = sink.named("warning")
    assert "1 of 3 volumes are wider than the 20 mm" in warning["message"]
    assert "1.50 times" in warning["message"]
    warn_of_shrinking([source for source in sources if source.id != "wide"], SlicePlan("auto", 0.5, 40), Reporter(sink))
    assert len(sink.named("warning")) == 1
