"""What a fine-tuning begins with: what its weight file says of classes and slices, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pcl_core.volumes.axes import Axis
from pcl_core.volumes.data_sets import slice_axis
from PCLLib.finetune_settings import FinetuneSettings
from PCLLib.segment_classes import SegmentClass, joined, renamed
from PCLLib.training_set import layout_of
from PCLLib.weight_files import WeightFile, WeightFileError


def begin_problem(settings: FinetuneSettings) -> str:
    """What is wrong with the weights to begin with; empty when nothing is."""
    try:
        _weights(settings)
    except WeightFileError as error:
        return str(error)
    return ""


def axis_for(settings: FinetuneSettings, classes: Sequence[SegmentClass]) -> Axis:
    """Across which slices are counted: as the weights to begin with do, or the data set of the classes' label values."""
    try:
        found = _weights(settings)
    except WeightFileError:
        found = None
    return slice_axis("auto" if found is None else found.plan.slices.axis, layout_of(classes))


def classes_of_model(
    settings: FinetuneSettings, kept: Sequence[SegmentClass], names: Mapping[str, str]
) -> tuple[SegmentClass, ...] | None:
    """The classes of the model that is gone on from, and then those of ``kept`` that it does not have.

    Args:
        settings: of the fine-tuning.
        kept: classes that are kept in the scene.
        names: new names of the model's classes, by the old ones.

    Returns:
        None where no model is gone on from; ``kept`` when its file cannot be used.
    """
    if settings.begin != "model":
        return None
    try:
        return joined(renamed(WeightFile.read(settings.model, "unet").classes, names), renamed(kept, names))
    except WeightFileError:
        return tuple(kept)


def _weights(settings: FinetuneSettings) -> WeightFile | None:
    if settings.begin == "encoder":
        return WeightFile.read(settings.encoder, "encoder")
    if settings.begin == "model":
        return WeightFile.read(settings.model, "unet")
    return None
