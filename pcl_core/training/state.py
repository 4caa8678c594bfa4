"""Everything that a run needs to go on where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from pcl_core.errors import InputError, StateError
from pcl_core.files import writable_folder
from pcl_core.plan import PLAN_FILE, Plan
from pcl_core.training.context import Context
from pcl_core.training.descent import Descent
from pcl_core.training.weights import WeightFile, fill, load_weights, save_weights

FILE = "state.safetensors"
STATE_FOLDER = "state"
_SCALING = "scaling"  # in the facts of the training


def first_step(restore: Callable[[], int], out: Path, plan: Plan, context: Context, resume: bool) -> int:
    """Decides where a run begins, and then writes its plan.

    Args:
        restore: loads the checkpoint and returns its step.
        out: folder of the run.
        plan: of the run; written as ``plan.json`` only when nothing speaks against the run.
        context: its reporter is told of the plan, or that there is nothing to resume.
        resume: whether to begin where the checkpoint in ``out`` was written.

    Raises:
        InputError: the checkpoint belongs to another run, or the plan cannot be written.
    """
    if context.first:
        writable_folder(out / STATE_FOLDER)
    start = 0
    if resume and (out / STATE_FOLDER / FILE).exists():
        start = restore()
    elif resume:
        context.reporter.warning(f"There is nothing to resume in {out}; the run starts from its beginning.", out)
    if not context.first:
        return start
    if not start:  # a checkpoint of an earlier run is not one of this plan
        (out / STATE_FOLDER / FILE).unlink(missing_ok=True)
    plan.save(out / PLAN_FILE)
    context.reporter.artifact("plan", out / PLAN_FILE)
    return start


def save_state(folder: Path, modules: dict[str, nn.Module], descent: Descent, step: int, about: WeightFile) -> None:
    """Writes the tensors of modules and optimiser after ``step`` steps, and how losses are scaled.

    Args:
        folder: of the state.
        modules: by name; their parameters and buffers are saved.
        descent: of the parameters of the first module.
        step: steps that are done.
        about: plan, training facts and data of the run; compared when the run is resumed.
    """
    tensors = {f"{name}.{key}": value for name, module in modules.items() for key, value in module.state_dict().items()}
    named: dict[Tensor, str] = {parameter: name for name, parameter in next(iter(modules.values())).named_parameters()}
    for parameter, values in descent.optimiser.state.items():
        for key, value in values.items():
            if isinstance(value, Tensor):
                tensors[f"optimiser.{named[parameter]}.{key}"] = value
    training = {**about.training, "step": step, _SCALING: descent.scaling()}
    save_weights(folder / FILE, tensors, replace(about, kind="state", training=training))


def load_state(folder: Path, modules: dict[str, nn.Module], descent: Descent, about: WeightFile) -> int:
    """Restores what save_state wrote, in place.

    Returns:
        the steps that are done.

    Raises:
        StateError: the state is damaged, or belongs to another plan, seed or other data.
    """
    try:
        return _load(folder / FILE, modules, descent, about)
    except InputError as error:
        raise StateError(error.message, error.hint) from error


def _load(path: Path, modules: dict[str, nn.Module], descent: Descent, about: WeightFile) -> int:
    tensors, saved = load_weights(path, "state")
    _require_same_run(saved, about, path)
    for name, module in modules.items():
        own = {key.removeprefix(f"{name}."): value for key, value in tensors.items() if key.startswith(f"{name}.")}
        fill(module, own, path, "Leave out --resume to start anew.")
    optimiser = descent.optimiser
    # Adam keeps its step counter on the CPU, unless its step is one kernel.
    on_cpu = () if optimiser.defaults.get("fused") else ("step",)
    for name, parameter in next(iter(modules.values())).named_parameters():
        prefix = f"optimiser.{name}."
        restored = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
        if restored:  # weights that are not trained have none
            optimiser.state[parameter] = {
                key: value if key in on_cpu else _beside(parameter, value) for key, value in restored.items()
            }
    descent.go_on_scaling(saved.training.get(_SCALING, {}))
    return int(saved.training["step"])


def _beside(parameter: Tensor, value: Tensor) -> Tensor:
    """What an optimiser remembers of a parameter, on its device and in its layout, as kernels for all weights at once ask."""
    if value.shape != parameter.shape:  # a counter of steps
        return value.to(parameter.device)
    return torch.empty_like(parameter, dtype=value.dtype).copy_(value)


def _require_same_run(saved: WeightFile, about: WeightFile, path: Path) -> None:
    differences = [
        words
        for words, same in (
            ("the plan", saved.plan.decisive() == about.plan.decisive()),
            ("the data", saved.data == about.data),
            ("the seed", saved.training.get("seed") == about.training.get("seed")),
            ("which volumes are flipped", saved.training.get("flipped") == about.training.get("flipped")),
            ("the classes", saved.classes == about.classes),
            ("the annotated slices", saved.training.get("annotated_slices") == about.training.get("annotated_slices")),
            ("what it starts from", saved.training.get("start_hash") == about.training.get("start_hash")),
        )
        if not same
    ]
    if differences:
        raise InputError(
            f"The run in {path} cannot be resumed: {' and '.join(differences)} changed.",
            "Call it as before, or leave out --resume to start anew.",
        )
