"""What accompanies a run from the command line to the last step."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from pcl_core.cancellation import Cancellation
from pcl_core.events import Reporter


@dataclass(frozen=True)
class Context:
    """Where a run happens and whom it answers to.

    Attributes:
        device: where networks run.
        seed: of weights, order and views.
        reporter: is told of progress, figures and warnings.
        cancellation: is looked at between two steps.
        first: whether this process writes files; of several that train together one does.
    """

    device: torch.device
    seed: int
    reporter: Reporter
    cancellation: Cancellation
    first: bool = True
