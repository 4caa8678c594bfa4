"""The gradients of a batch; where memory runs out, once more with the first levels in parts."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from pcl_core.events import Reporter
from pcl_core.memory_model import part_of
from pcl_core.networks.joining import process_count
from pcl_core.slices.augmentation import Augmenter
from pcl_core.slices.batch import SliceBatch
from pcl_core.training.descent import Descent
from pcl_core.training.devices import is_want_of_memory
from pcl_core.training.objective import Objective, over_processes


class Gradients:
    """Computes the gradients of an objective.

    Args:
        objective: whose weights get gradients.
        descent: does the backward pass.
        views: images that go through the encoder in a step.
        reporter: is told when memory runs out.
    """

    def __init__(self, objective: Objective, descent: Descent, views: int, reporter: Reporter) -> None:
        self.descent = descent
        self._objective = objective
        self._whole = over_processes(objective)
        self._views = views
        self._reporter = reporter
        self._norms = [module for module in objective.modules() if isinstance(module, nn.BatchNorm2d)]

    def of(self, batch: SliceBatch, augment: Augmenter, generator: Callable[[], torch.Generator]) -> Tensor:
        """The loss of a batch, without graph; the gradients are put in place.

        When memory runs out and the first levels of the encoder see all images at once, they see them in parts from then on,
        and the batch is begun again: a fall that happens once at most. Processes that train together do not fall: the others
        would wait for the one that did.

        Args:
            batch: slices.
            augment: makes views.
            generator: makes the generator of this step, anew at each call.
        """
        if self._objective.part or process_count() > 1:
            return self._once(batch, augment, generator())
        before = [buffer.clone() for norm in self._norms for buffer in norm.buffers()]
        try:
            return self._once(batch, augment, generator())
        except (RuntimeError, MemoryError) as error:
            if not is_want_of_memory(error):
                raise
        # Here and not above: what the error held is given back by now.
        self._fall(before)
        return self._once(batch, augment, generator())

    def _once(self, batch: SliceBatch, augment: Augmenter, generator: torch.Generator) -> Tensor:
        loss: Tensor = self._whole(batch, augment, generator)
        self.descent.backward(loss)
        return loss.detach()

    @torch.no_grad()
    def _fall(self, before: list[Tensor]) -> None:
        for buffer, value in zip((buffer for norm in self._norms for buffer in norm.buffers()), before, strict=True):
            buffer.copy_(value)
        self.descent.optimiser.zero_grad(set_to_none=True)
        if self._objective.device.type == "cuda":
            torch.cuda.empty_cache()
        self._objective.part = part_of(self._views)
        self._reporter.warning(
            f"The memory is not enough for {self._views} views at once: the first two levels of the network see "
            f"{self._objective.part} at a time from now on, which is slower. The result is the same."
        )
