"""The parameters of PCLSegmentation as a node of the scene, so that they are saved with it."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

from PCLLib.finetune_settings import FinetuneSettings
from PCLLib.parameters import Device


class BeginWith(Enum):
    """What the weights begin with, by the session's names."""

    NOTHING = "nothing"
    ENCODER = "encoder"
    MODEL = "model"

    def label(self) -> str:
        """For people."""
        return {
            BeginWith.NOTHING: _("Nothing"),
            BeginWith.ENCODER: _("A pretrained encoder"),
            BeginWith.MODEL: _("The last model"),
        }[self]


@parameterNodeWrapper
class SegmentationParameters:
    """The parameters of PCLSegmentation.

    Attributes:
        folders: of cases that are files.
        leftOut: keys of cases of folders that are not learned from; volumes of the scene say so themselves.
        classes: the class list as text; empty before the first fine-tuning.
        renamed: names of classes by earlier names, which models may have, as a JSON object; empty when there are none.
        out: folder below which models are written; empty to follow the first folder.
        begin: what the weights begin with.
        encoder: file of the encoder.
        model: file of the model that segments, and that is gone on from.
        minutes: that a fine-tuning may take; 0 follows the proposal.
        leaveOneOut: whether Dice is told on every case.
        compare: whether the same is done without the encoder.
        confidence: whether a map of confidence is wanted.
        opacity: of segments in the slice views.
        device: where it runs.
    """

    folders: list[str]
    leftOut: list[str]  # noqa: N815 (Slicer shows the names of parameters, which are written so)
    classes: str = ""
    renamed: str = ""
    out: str = ""
    begin: BeginWith = BeginWith.NOTHING
    encoder: str = ""
    model: str = ""
    minutes: Annotated[int, WithinRange(0, 10000)] = 0
    leaveOneOut: bool = False  # noqa: N815
    compare: bool = False
    confidence: bool = False
    opacity: Annotated[float, WithinRange(0.0, 1.0)] = 0.5
    device: Device = Device.AUTO


def settings_of(parameters: SegmentationParameters) -> FinetuneSettings:
    """The parameters as the session takes them."""
    return FinetuneSettings(
        begin=parameters.begin.value,
        encoder=Path(parameters.encoder),
        model=Path(parameters.model),
        out=Path(parameters.out),
        left_out=frozenset(parameters.leftOut),
        minutes=parameters.minutes,
        leave_one_out=parameters.leaveOneOut,
        compare=parameters.compare,
        device=parameters.device.value,
    )
