"""The parameters of PCLPretrain as a node of the scene, so that they are saved with it."""

from __future__ import annotations

from contextlib import suppress
from enum import Enum
from pathlib import Path

from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import parameterNodeWrapper

from PCLLib.settings import PretrainSettings


class Method(Enum):
    """The objectives, by the engine's names for them."""

    PCL = "pcl"
    GCL = "gcl"
    GCL_GD = "gcl-gd"
    SIMCLR = "simclr"
    ROTATION = "rotation"
    PIRL = "pirl"
    MOCO = "moco"
    MOCO_PCL = "moco-pcl"

    def label(self) -> str:
        """For people."""
        return {
            Method.PCL: _("Positional (PCL)"),
            Method.GCL: _("Partition (GCL)"),
            Method.GCL_GD: _("Partition (G^D)"),
            Method.SIMCLR: _("Plain (SimCLR)"),
            Method.ROTATION: _("Rotation"),
            Method.PIRL: _("Jigsaw (PIRL)"),
            Method.MOCO: _("Momentum (MoCo)"),
            Method.MOCO_PCL: _("Positional MoCo"),
        }[self]


class Preset(Enum):
    """The rules that make the plan."""

    RECOMMENDED = "recommended"
    PAPER = "paper"

    def label(self) -> str:
        """For people."""
        return {Preset.RECOMMENDED: _("Recommended"), Preset.PAPER: _("As in the paper")}[self]


class Axis(Enum):
    """Across which the slices lie."""

    AUTO = "auto"
    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"

    def label(self) -> str:
        """For people."""
        return {
            Axis.AUTO: _("Thickest direction"),
            Axis.AXIAL: _("Axial"),
            Axis.CORONAL: _("Coronal"),
            Axis.SAGITTAL: _("Sagittal"),
        }[self]


class Position(Enum):
    """Where a slice lies in its volume."""

    RELATIVE = "relative"
    MILLIMETRE = "millimetre"
    LEARNED = "learned"

    def label(self) -> str:
        """For people."""
        return {
            Position.RELATIVE: _("Slice m of n"),
            Position.MILLIMETRE: _("By millimetres"),
            Position.LEARNED: _("Learned from images"),
        }[self]


class Weighting(Enum):
    """Which slices are positives, and how much."""

    HARD = "hard"
    SOFT = "soft"

    def label(self) -> str:
        """For people."""
        return {Weighting.HARD: _("Within the threshold"), Weighting.SOFT: _("Weighted by distance")}[self]


class Device(Enum):
    """Where the training runs."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"

    def label(self) -> str:
        """For people."""
        return {Device.AUTO: _("Automatic"), Device.CPU: _("Processor"), Device.CUDA: _("Graphics card")}[self]


@parameterNodeWrapper
class PretrainParameters:
    """The parameters of a pretraining. A number of 0 follows the plan's proposal.

    Attributes:
        folder: of the volumes; empty before one is chosen. Text, since an empty Path would be the working directory.
        out: folder of the results; empty to follow the folder.
        leftOut: ids of volumes that are left out.
        flipped: ids of volumes whose slices run the other way.
        encoder: the encoder of the last finished run.
    """

    folder: str = ""
    out: str = ""
    leftOut: list[str]  # noqa: N815 (Slicer shows the names of parameters, which are written so)
    flipped: list[str]
    method: Method = Method.PCL
    preset: Preset = Preset.RECOMMENDED
    axis: Axis = Axis.AUTO
    position: Position = Position.RELATIVE
    weighting: Weighting = Weighting.HARD
    device: Device = Device.AUTO
    threshold: float = 0.0
    resolution: float = 0.0
    epochs: int = 0
    batch: int = 0
    encoder: str = ""


def settings_of(parameters: PretrainParameters) -> PretrainSettings:
    """The parameters as the session takes them."""
    return PretrainSettings(
        folder=_path(parameters.folder),
        out=_path(parameters.out),
        left_out=frozenset(parameters.leftOut),
        flipped=frozenset(parameters.flipped),
        method=parameters.method.value,
        preset=parameters.preset.value,
        axis=parameters.axis.value,
        position=parameters.position.value,
        weighting=parameters.weighting.value,
        threshold=parameters.threshold,
        resolution=parameters.resolution,
        epochs=parameters.epochs,
        batch=parameters.batch,
        device=parameters.device.value,
    )


def _path(typed: str) -> Path:
    """A path that does not depend on where Slicer was started; empty stays empty."""
    path = Path(typed)
    with suppress(RuntimeError):  # there is no home
        path = path.expanduser()
    return path.absolute() if typed else path
