"""The gradients of a batch; where memory runs out, or the compiled encoder fails, once more in another way."""

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

        When memory runs out and the first levels of the encoder see all images at once, they see them in parts from then on.
        When the compiled encoder fails in the backward pass, it is compiled otherwise or not at all from then on. In both cases
        the batch is begun again, and each such fall happens once at most. Processes that train together do not fall: the others
        would wait for the one that did.

        Args:
            batch: slices.
            augment: makes views.
            generator: makes the generator of this step, anew at each call.
        """
        if self._objective.part or process_count() > 1:
            return self._once(batch, augment, generator())
        before = [buffer.clone() for buffer in self._statistics()]
        while True:
            try:
                return self._once(batch, augment, generator())
            except (RuntimeError, MemoryError) as error:
                if not self._fall(error):
                    raise
            # Here and not above: what the error held is given back by now.
            self._begin_again(before)

    def _once(self, batch: SliceBatch, augment: Augmenter, generator: torch.Generator) -> Tensor:
        loss: Tensor = self._whole(batch, augment, generator)
        self.descent.backward(loss)
        return loss.detach()

    def _fall(self, error: BaseException) -> bool:
        """Goes on in parts where memory is short, else with an encoder that is compiled otherwise; whether there is a way."""
        if self._objective.part:
            return False
        if not is_want_of_memory(error):
            return self._objective.compiled.fall(error)
        self._objective.part = part_of(self._views)
        self._objective.compiled.stop()  # it is not used together with parts
        self._reporter.warning(
            f"The memory is not enough for {self._views} views at once: the first two levels of the network see "
            f"{self._objective.part} at a time from now on, which is slower. The result is the same."
        )
        return True

    @torch.no_grad()
    def _begin_again(self, before: list[Tensor]) -> None:
        for buffer, value in zip(self._statistics(), before, strict=True):
            buffer.copy_(value)
        self.descent.optimiser.zero_grad(set_to_none=True)
        self._objective.compiled.give_back()
        if self._objective.device.type == "cuda":
            torch.cuda.empty_cache()

    def _statistics(self) -> list[Tensor]:
        return [buffer for norm in self._norms for buffer in norm.buffers()]
