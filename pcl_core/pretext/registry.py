"""The pretext tasks by name. A new method is one file and one line here."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from pcl_core.errors import InputError
from pcl_core.plan import Plan
from pcl_core.pretext.contrastive_tasks import gcl, pcl, simclr
from pcl_core.pretext.task import PretextTask

_MAKERS: dict[str, Callable[[Plan], PretextTask]] = {
    "pcl": lambda plan: pcl(plan.pretrain.temperature, plan.network.projection, plan.pretrain.threshold),
    "gcl": lambda plan: gcl(plan.pretrain.temperature, plan.network.projection),
    "simclr": lambda plan: simclr(plan.pretrain.temperature, plan.network.projection),
}


NAMES = tuple(_MAKERS)


def make_task(plan: Plan) -> PretextTask:
    """The pretext task that a plan names. Raises InputError with the nearest valid name when there is none."""
    maker = _MAKERS.get(plan.pretrain.method)
    if maker is None:
        near = difflib.get_close_matches(plan.pretrain.method, _MAKERS, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else f"Choose one of {', '.join(_MAKERS)}."
        raise InputError(f"There is no method '{plan.pretrain.method}'.", hint)
    return maker(plan)
