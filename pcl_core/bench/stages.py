"""The stages that are timed, each alone, with its floor and its baseline.

The floor is what a stage takes at the machine's measured rates (floors.py); the baseline is the same work in the plain way
(plain.py), in the same process on the same machine.
"""

from __future__ import annotations

from collections.abc import Callable

from pcl_core.bench.floors import Rates
from pcl_core.bench.input_stages import augmentation, preparing, reading
from pcl_core.bench.material import Setting
from pcl_core.bench.network_stages import finetuning, passes, pretraining, segmenting
from pcl_core.bench.timing import Stage

STAGES: tuple[Callable[[Setting, Rates], list[Stage]], ...] = (
    preparing,
    reading,
    augmentation,
    passes,
    pretraining,
    finetuning,
    segmenting,
)
