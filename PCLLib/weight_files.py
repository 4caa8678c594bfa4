"""What encoders and models say of themselves, from the headers of their files alone: no PyTorch is needed."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from slicer.i18n import tr as _

from pcl_core.errors import InputError
from pcl_core.plan import Plan
from PCLLib.segment_classes import SegmentClass, class_from

_LARGEST_HEADER = 64 * 2**20


class WeightFileError(Exception):
    """A file that holds no weights of the kind asked for; the message says it in words."""


@dataclass(frozen=True)
class WeightFile:
    """An encoder or a model.

    Attributes:
        path: of the file.
        plan: that it was trained by.
        classes: of a model; none of an encoder.
        training: facts of the training.
    """

    path: Path
    plan: Plan
    classes: tuple[SegmentClass, ...]
    training: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path, kind: Literal["encoder", "unet"]) -> WeightFile:
        """Reads the header.

        Raises:
            WeightFileError: the file is missing, or holds something else.
        """
        name = {"encoder": _("encoder"), "unet": _("model")}[kind]
        if not path.is_file():
            raise WeightFileError(_("There is no file {path}.").format(path=path))
        about = header_of(path)
        if about is None or about.get("kind") != kind:
            raise WeightFileError(_("{path} is no {kind} of this extension.").format(path=path, kind=name))
        try:
            plan = Plan.from_json(about["plan"], str(path))
            classes = tuple(class_from(entry) for entry in about["classes"])
            return cls(path, plan, classes, dict(about.get("training", {})))
        except (InputError, KeyError, TypeError, ValueError) as error:
            raise WeightFileError(_("{path} was made by another version.").format(path=path)) from error


def header_of(path: Path) -> dict[str, Any] | None:
    """What a weight file says of itself; None for what is no weight file of ours."""
    try:
        with path.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > _LARGEST_HEADER:
                return None
            found = json.loads(json.loads(stream.read(length))["__metadata__"]["pcl"])
    except (OSError, ValueError, KeyError, TypeError, struct.error):
        return None
    return found if isinstance(found, dict) else None
