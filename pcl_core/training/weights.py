"""Weight files: safetensors with a JSON text that says everything about them. Nothing is ever unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from pcl_core import __version__
from pcl_core.errors import InputError
from pcl_core.files import replacing
from pcl_core.plan import Plan
from pcl_core.volumes.data_sets import can_be_class

FORMAT = 1
KEY = "pcl"
Kind = Literal["encoder", "unet", "state"]
_HINTS = {
    "encoder": "Give the file that pretrain wrote.",
    "unet": "Give the file that finetune wrote.",
    "state": "Leave out --resume to start anew.",
}


@dataclass(frozen=True)
class SegmentClass:
    """One class of a model.

    Attributes:
        value: in label maps, of those that were learned from and of those that are written.
        name: shown to people.
        color: red, green, blue of 0 to 1.
        terminology: Slicer's terminology entry as text; empty when unknown.
    """

    value: int
    name: str
    color: tuple[float, float, float]
    terminology: str = ""


@dataclass(frozen=True)
class WeightFile:
    """What a weight file says of itself.

    Attributes:
        kind: what the tensors are.
        plan: that they were trained by.
        classes: of a U-Net, in the order of its channels from 1; empty for an encoder.
        training: facts of the training (steps, loss, seed, ...).
        data: content hashes of the volumes that it was trained on, by id.
    """

    kind: Kind
    plan: Plan
    classes: tuple[SegmentClass, ...] = ()
    training: dict[str, Any] = field(default_factory=dict)
    data: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists, with the format's and the software's version."""
        return {
            "format": FORMAT,
            "version": __version__,
            "kind": self.kind,
            "network": asdict(self.plan.network),
            "plan": self.plan.to_json(),
            "classes": [asdict(entry) for entry in self.classes],
            "training": self.training,
            "data": self.data,
        }


def save_weights(path: Path, tensors: dict[str, Tensor], about: WeightFile) -> None:
    """Writes tensors and what they are, whole or not at all. Raises InputError when that is impossible."""
    on_cpu = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    data = save(on_cpu, metadata={KEY: json.dumps(about.to_json())})
    with replacing(path) as partial:
        partial.write_bytes(data)  # safetensors' own writer gives the file to its owner only


def load_weights(path: Path, kind: Kind) -> tuple[dict[str, Tensor], WeightFile]:
    """Reads a weight file of the expected kind.

    Raises:
        InputError: missing, not a weight file of ours (a pickle, for instance), of another kind, or damaged.
    """
    hint = _HINTS[kind]
    try:
        with safe_open(path, framework="pt") as stream:
            text = (stream.metadata() or {}).get(KEY)
            if text is None:
                raise InputError(f"{path} is a safetensors file that was not written by this software.", hint)
            about = _read_about(json.loads(text), path, kind, hint)
            return {name: stream.get_tensor(name) for name in stream.keys()}, about  # noqa: SIM118 (not a mapping)
    except FileNotFoundError as error:
        raise InputError(f"The weight file {path} is missing.", hint) from error
    except OSError as error:
        raise InputError(f"Cannot read {path}: {error.strerror or error}.", hint) from error
    except (SafetensorError, ValueError) as error:
        raise InputError(f"{path} is not a weight file (safetensors); pickled weights are never opened.", hint) from error


def _read_about(data: Any, path: Path, kind: Kind, hint: str) -> WeightFile:
    try:
        return _about(data, path, kind, hint)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} does not say in the usual form what it holds.", hint) from error


def _about(data: Any, path: Path, kind: Kind, hint: str) -> WeightFile:
    if data.get("format") != FORMAT:
        raise InputError(f"{path} has the format {data.get('format')}, this version reads {FORMAT}.", "Update the software.")
    if data["kind"] != kind:
        raise InputError(f"{path} holds weights of the kind '{data['kind']}', not '{kind}'.", hint)
    return WeightFile(
        kind=kind,
        plan=Plan.from_json(data["plan"], f"the plan in {path}"),
        classes=tuple(_segment_class(**entry) for entry in data["classes"]),
        training=dict(data["training"]),
        data=dict(data["data"]),
    )


def _segment_class(value: Any, name: Any, color: Any, terminology: Any) -> SegmentClass:
    if type(value) is not int or not can_be_class(value):
        raise ValueError(f"{value!r} is not a label value")
    red, green, blue = map(float, color)
    return SegmentClass(value, str(name), (red, green, blue), str(terminology))


def fill(module: nn.Module, tensors: Mapping[str, Tensor], path: Path, hint: str) -> None:
    """Copies tensors into a module, all of them.

    Raises:
        InputError: one is missing, left over or of another shape; nothing was copied.
    """
    wanted = module.state_dict()
    for name in [*wanted, *tensors]:
        if name not in tensors or name not in wanted or tensors[name].shape != wanted[name].shape:
            raise InputError(f"The tensors in {path} do not fit what it says of itself (the first: {name}).", hint)
    module.load_state_dict(dict(tensors))


def transfer_encoder(encoder: nn.Module, tensors: dict[str, Tensor], path: Path) -> int:
    """Copies pretrained tensors into an encoder and returns how many there were.

    Every tensor of the encoder must be there with its shape: half a transfer would silently leave random weights.

    Raises:
        InputError: none or not all of the encoder's tensors match.
    """
    wanted = encoder.state_dict()
    matched = {name: tensors[name] for name in wanted if name in tensors and tensors[name].shape == wanted[name].shape}
    if len(matched) < len(wanted):
        first = next(name for name in wanted if name not in matched)
        raise InputError(
            f"Only {len(matched)} of the encoder's {len(wanted)} tensors are in {path} (the first that is not: {first}).",
            "Use an encoder that was pretrained with the same --filters.",
        )
    encoder.load_state_dict(matched)
    return len(matched)
