"""What of a plan follows from the machine alone, and changes no result."""

from __future__ import annotations

import dataclasses

import torch

from pcl_core.memory_model import fitted_to_memory, pretraining_bytes
from pcl_core.plan import Plan, steps_in
from pcl_core.training.compiling import WHY_NOT_IN_A_TEAM, why_no_graphs, why_not_compiled
from pcl_core.training.devices import device_facts


def suited_to_machine(plan: Plan, device: torch.device, slices: int, processes: int = 1) -> Plan:
    """The plan with what follows from the machine alone and changes no result: how much at once, and whether compiled.

    Args:
        plan: with all options.
        device: of the training.
        slices: of all volumes.
        processes: that share a batch.
    """
    facts = device_facts(device)
    plan = fitted_to_memory(plan, facts, processes)
    if device.type != "cuda":
        return plan
    steps = steps_in(plan.pretrain.steps, plan.pretrain.epochs, slices, plan.pretrain.batch)
    why_not = WHY_NOT_IN_A_TEAM if processes > 1 else why_not_compiled(device, steps)
    return compiled_where_it_works(plan, why_not, facts.value_bytes)


def compiled_where_it_works(plan: Plan, why_not: str, value_bytes: int) -> Plan:
    """The plan with whether the encoder is compiled, and whether it runs as CUDA graphs, each with the reason.

    Args:
        plan: with all options, fitted to the memory.
        why_not: the encoder is not compiled; empty when it is.
        value_bytes: of one activation.
    """
    reasons = {**plan.reasons, "pretrain.compiled": why_not or "The encoder is compiled for the GPU in the first step."}
    graphs = False
    if not why_not:
        no_graphs = why_no_graphs(pretraining_bytes(plan, value_bytes), plan.pretrain.part)
        reasons["pretrain.graphs"] = no_graphs or "Its kernels are started together, as CUDA graphs."
        graphs = not no_graphs
    pretrain = dataclasses.replace(plan.pretrain, compiled=not why_not, graphs=graphs)
    return dataclasses.replace(plan, pretrain=pretrain, reasons=reasons)
